"""A stream of chat chunks is read by short ways where it is plain: they give what the long ones do."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from agentops_sdk._genai import deltas, openai_chat
from agentops_sdk._http import sse

EVENTS = (b'{"a": 1}', b'{"text": "\xc3\xa9"}', b'{"text": "\xff\xc3"}', b'{"torn": ', b"7", b"")
ENDS = (b"\n", b"\r\n", b"\r")


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("form", [b"data: %b", b"data:%b", b": note%b", b"event: e%b", b"id: 1%b"], ids=repr)
def test_events_are_the_same_whatever_stands_around_them(end: bytes, form: bytes) -> None:
    around = form.replace(b"%b", b"")
    is_data, is_named = around.startswith(b"data"), around.startswith(b"event")
    for data in EVENTS:
        lines = [around + data] if is_data else [around, b"data: " + data]
        body = end.join([*lines, b"", b'data: {"last": true}', b"", b"data: [DONE]", b"", b"data: {}", b"", b""])
        first: list[Any] = []
        try:
            value = orjson.loads(data.decode("utf-8", "replace"))
            first = [{**value, "type": "e"} if is_named else value] if isinstance(value, dict) else []
        except orjson.JSONDecodeError:
            pass
        assert sse.decode(body) == [*first, {"last": True}]
        assert sse.decode(body, silent={"e"}) == [*(() if is_named else first), {"last": True}]
        assert sse.decode(body, 1) == first
    cut = end.join([b"data: {", b'data: "of": "two lines"}'])
    assert sse.decode(cut) == sse.decode(cut + end) == [{"of": "two lines"}]


def _delta(pick: random.Random) -> dict[str, Any]:
    delta: dict[str, Any] = {}
    if pick.random() < 0.8:
        delta["content"] = pick.choice(("Hel", "lo", "", "é", *([None, ["part"]] if pick.random() < 0.2 else ())))
    for name, value in (("role", "assistant"), ("refusal", "no"), ("reasoning", "hm"), ("tool_calls", [{"index": 0}])):
        if pick.random() < 0.1:
            delta[name] = value
    return delta


def _one_by_one(chunks: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Each delta merged into its choice's message, as it comes."""
    messages: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            message = messages.setdefault(choice["index"], {})
            deltas.merge_delta(message, choice["delta"])
    return messages


def test_deltas_are_put_together_as_if_each_were_merged() -> None:
    pick = random.Random(3)
    for _ in range(2_000):
        chunks = [
            {"id": "c", "usage": None, "choices": [
                {"index": pick.choice((0, 0, 0, 1)), "delta": _delta(pick), "finish_reason": None, "logprobs": None}
                for _ in range(pick.choice((1, 1, 1, 2)))
            ]}
            for _ in range(pick.randrange(9))
        ]  # fmt: skip
        body = openai_chat.assemble(chunks)
        found = {choice["index"]: choice.get("message", {}) for choice in body["choices"]}
        assert found == _one_by_one(chunks)
        assert body.get("id") == ("c" if chunks else None)

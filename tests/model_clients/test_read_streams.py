"""A stream of chat chunks is read by short ways where it is plain: they give what the long ones do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from agentops_sdk._genai import deltas, openai_chat
from agentops_sdk._http import sse
from agentops_sdk._http.endpoint import Endpoint
from agentops_sdk.integration.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES

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


CHAT = b'data: {"id":"c1","choices":[{"index":%b,"delta":{%b},"finish_reason":%b}]%b}'
CLAUDE = b"""event: content_block_delta
data: {"type":"content_block_delta","index":%b,"delta":{"type":"text_delta",%b}%b%b}"""
ANSWER = b"""event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":7,"output_index":%b,"delta":%b,"logprobs":%b%b}"""
WHOLE = b'data: {"type":"response.completed","response":{"output":%b}}\n\n'
TEXTS = (  # as JSON has them, and as it has not
    b" for", b" ", b"", b"c1", b"\xc3\xa9", b"\\n", b'\\"', b'"}}', b"\\u00e9",
    b"\xc3", b"\xa9", b"\\", b"\\ud83d", b"\\ude00", b"\t", b'a","content":"b', b"index", b"text_delta",
)  # fmt: skip
PADDINGS = (b"", b"", b"  ", b',"obfuscation":"aZ9"', b',"obfuscation": ""', b',"usage":null', b',"usage":{"n":1}')


def _streams(pick: random.Random, form: bytes, ends: tuple[bytes, ...]) -> Iterator[bytes]:
    """Streams most of whose events differ in their text alone."""
    for _ in range(400):
        few = pick.random() < 0.7
        blocks = []
        for _ in range(pick.randrange(9, 30)):
            text = b'"%b"' % pick.choice(TEXTS[: 3 if few else len(TEXTS)])
            if form is not ANSWER:
                text = (b'"content":' if form is CHAT else b'"text":') + text
            odd = pick.random() < 0.1
            blocks.append(
                form % (
                    b"1" if odd and pick.random() < 0.5 else b"0",
                    text if not odd else text + b',"role":"assistant"',
                    {CHAT: b'"stop"' if odd else b"null", CLAUDE: b"", ANSWER: b"[]"}[form],
                    pick.choice(PADDINGS if odd else PADDINGS[: 2 if few else 5]),
                )
            )  # fmt: skip
            if odd and pick.random() < 0.3:
                blocks.append(b": comment")
        yield b"\n\n".join([*blocks, pick.choice(ends)])


@pytest.mark.parametrize(
    ("row", "form", "ends"),
    [
        (OPENAI_CHAT, CHAT, (b"data: [DONE]\n\n", b"", CHAT[:30])),
        (ANTHROPIC_MESSAGES, CLAUDE, (b'data: {"type":"message_stop"}\n\n', b"")),
        (OPENAI_RESPONSES, ANSWER, (WHOLE % b'[{"id":1}]', WHOLE % b"[]")),
    ],
    ids=["chat", "messages", "responses"],
)  # fmt: skip
def test_events_read_as_one_say_what_they_say_one_by_one(row: Endpoint, form: bytes, ends: tuple[bytes, ...]) -> None:
    came = read = 0
    for body in _streams(random.Random(5), form, ends):
        each = sse.decode(body, silent=row.silent_events)
        events, count = sse.decode_joined(body, silent=row.silent_events, text_of=row.text_of, retold=row.retold)
        assert row.fold(events) == row.fold(each), body
        assert form is ANSWER or count == len(each), body  # an event left out unread may be none at all
        came, read = came + count, read + len(events)
        assert sse.decode_joined(body, 5, text_of=row.text_of, retold=row.retold)[0] == sse.decode(body, 5)
    assert read < came * 0.75


def test_a_text_is_not_looked_for_where_something_else_is_written_like_it() -> None:
    form = b'data: {"id":"%d","choices":[{"index":0,"delta":{"content":"\\u0030"}}]}'
    body = b"\n\n".join(form % number for number in range(9))
    events, _ = sse.decode_joined(body, text_of=OPENAI_CHAT.text_of)
    assert openai_chat.assemble(events) == openai_chat.assemble(sse.decode(body))


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

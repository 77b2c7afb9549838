"""A recording is made to be committed: a secret that a stream brings in pieces is not in it either."""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentops_sdk.testing.recordings.cassette import Exchange
from agentops_sdk.testing.recordings.http_boundary import Answer, Request

KEY = "sk" + "-proj-" + "a1B2c3D4e5" * 4
SAID = f'Sure: the key is {KEY}, and {{"password": "hunter2", "n": 1}} is the rest.'


def cut(text: str, seed: int) -> list[str]:
    """``text`` in pieces of one to six characters."""
    chance = random.Random(seed)
    pieces: list[str] = []
    while text:
        size = chance.randint(1, 6)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def chat(pieces: list[str]) -> list[dict[str, Any]]:
    return [
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o",
         "choices": [{"index": number % 2, "delta": {"content": piece},
                      "logprobs": {"content": [{"token": piece, "logprob": -0.1, "bytes": list(piece.encode())}]}}]}
        for piece in pieces for number in (0, 1)
    ]  # fmt: skip


def chat_tools(pieces: list[str]) -> list[dict[str, Any]]:
    return [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": call, "function": {"arguments": piece}}]}}]}
        for piece in pieces for call in (0, 1)
    ]  # fmt: skip


def responses(pieces: list[str]) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "item_id": f"msg_{item}", "output_index": item, "content_index": 0, "delta": piece}
        for piece in pieces for item in (0, 1)
    ]  # fmt: skip
    return [*deltas, {"type": "response.output_text.done", "item_id": "msg_0", "text": "".join(pieces)}]


def messages(pieces: list[str]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces
    ]


def gemini(pieces: list[str]) -> list[dict[str, Any]]:
    return [{"candidates": [{"content": {"parts": [{"text": piece}], "role": "model"}}]} for piece in pieces]


def ollama(pieces: list[str]) -> list[dict[str, Any]]:
    return [{"model": "llama", "message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]


def events(chunks: list[dict[str, Any]]) -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"


def lines(chunks: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(chunk).encode() + b"\n" for chunk in chunks)


def array(chunks: list[dict[str, Any]]) -> bytes:
    return json.dumps(chunks).encode()


def exchange(body: bytes, content_type: str) -> Exchange:
    request = Request("POST", "https://api.example.com/v1/chat/completions", "api.example.com", "/v1/chat/completions",
                      "application/json", b"{}")  # fmt: skip
    return Exchange.of(request, Answer(200, [("content-type", content_type)], [body]))


def joined(value: Any) -> str:
    """All texts of a recording, one after the other by the place where they stand: what a reader would put together."""
    texts: dict[str, str] = {}

    def walk(part: Any, place: str) -> None:
        if isinstance(part, dict):
            which = f"{part.get('index')}{part.get('output_index')}"
            for name, member in part.items():
                walk(member, f"{place}.{which}.{name}")
        elif isinstance(part, list):
            for member in part:
                walk(member, place)
        elif isinstance(part, str):
            for line in part.split("\n") if "\n" in part else ():
                if "{" in line:
                    walk(json.loads(line[line.index("{") :]), place)
            texts[place] = texts.get(place, "") + part
        elif isinstance(part, int):
            texts[place] = texts.get(place, "") + chr(part % 256)

    walk(value, "")
    return "\n".join(texts.values())


SHAPES: list[tuple[Callable[[list[str]], list[dict[str, Any]]], Callable[..., bytes], str]] = [
    (chat, events, "text/event-stream; charset=utf-8"), (chat, events, "text/plain"), (chat_tools, events, "text/event-stream"),
    (responses, events, "text/event-stream"), (messages, events, "text/event-stream"), (gemini, events, "text/event-stream"),
    (gemini, array, "application/json"), (ollama, lines, "application/x-ndjson"), (ollama, lines, "application/json"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "encode", "content_type"), SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_no_secret_in_pieces(shape: Any, encode: Any, content_type: str, seed: int) -> None:
    pieces = cut(SAID, seed)
    recorded = exchange(encode(shape(pieces)), content_type)
    text = joined(recorded.response)
    assert KEY not in text
    assert KEY[8:20] not in text
    assert "hunter2" not in text
    assert "Sure: the key is [redacted:openai-key], and " in text
    assert " is the rest." in text


@pytest.mark.parametrize(("shape", "encode", "content_type"), SHAPES)
def test_a_stream_without_secrets_is_recorded_as_it_came(shape: Any, encode: Any, content_type: str) -> None:
    body = encode(shape(cut("The token of the day is patience, and 12 tokens were used.", 3)))
    recorded = exchange(body, content_type)
    assert b"".join(recorded.answer().pieces).replace(b" ", b"") == body.replace(b" ", b"")


def test_each_piece_stays_a_chunk(tmp_path: Path) -> None:
    pieces = cut(SAID, 7)
    recorded = exchange(events(messages(pieces)), "text/event-stream")
    assert len(recorded.response["events"]) == len(pieces) + 1


def test_secrets_of_an_address() -> None:
    request = Request("POST", "https://x.example.com/v1/chat?api-version=2&api_key=abc&code=1&X-Amz-Security-Token=q&page_token=3",
                      "x.example.com", "/v1/chat", "application/json", b"{}")  # fmt: skip
    url = Exchange.of(request, Answer(200, [], [b"{}"])).request["url"]
    assert "abc" not in url
    assert "Token=q" not in url
    assert "api-version=2" in url

"""Asking streams for usage: only who is known to take it, and the caller sees nothing of it, however they read."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from tests.openai.bodies import CHAT_CHUNKS, MESSAGES, USAGE_CHUNK
from tests.openai.test_chat import aclient, aknown, client, known
from tests.wire.http import Reply, Request, Wire, sse

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES, "stream": True}
ALLOWED = {"model", "messages", "stream"}


def strict(request: Request) -> Reply:
    """Refuses what it does not know; tells usage where it was asked, as OpenAI does."""
    unknown = set(request.body) - ALLOWED
    if "127.0.0.1" in request.headers["host"] and unknown:
        return Reply({"error": {"message": f"unknown fields {sorted(unknown)}"}}, status=422)
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    return sse(
        *({**each, **({} if asked else {"usage": None})} for each in CHAT_CHUNKS), *([USAGE_CHUNK] * bool(asked))
    )


async def test_a_strict_server_on_this_machine_gets_nothing_the_caller_did_not_write(recorded: Any) -> None:
    with Wire(strict) as wire:
        asking = client(wire, max_retries=2)
        assert len(list(asking.chat.completions.create(**ASK))) == 4
        list(asking.chat.completions.with_raw_response.create(**ASK).parse())
        with asking.chat.completions.with_streaming_response.create(**ASK) as response:
            response.read()
        async with aclient(wire) as waiting:
            assert len([chunk async for chunk in await waiting.chat.completions.create(**ASK)]) == 4
        assert all(set(request.body) <= ALLOWED for request in wire.requests)
    for span in recorded():
        assert span.outcome == "ok"
        assert span.text == "Hello"
        assert span["agentops.usage.source"] in ("counted", "estimated")
        assert span["gen_ai.usage.output_tokens"] > 0


def test_usage_that_comes_unasked_is_the_callers(recorded: Any) -> None:
    with Wire(sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
        chunks = list(client(wire).chat.completions.create(**ASK))
        with client(wire).chat.completions.with_streaming_response.create(**ASK) as response:
            lines = [line for line in response.iter_lines() if '"usage"' in line]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 27
    assert json.loads(lines[-1].removeprefix("data: "))["usage"]["total_tokens"] == 27
    for span in recorded():
        assert span["agentops.usage.source"] == "reported"
        assert span["gen_ai.usage.input_tokens"] == 20


@pytest.mark.parametrize(
    "extra", [{"extra_body": {"stream_options": {"include_usage": False}}}, {"extra_body": {"stream_options": None}},
              {"stream_options": None}, {"extra_body": {"data_sources": []}}]
)  # fmt: skip
def test_what_the_caller_wrote_stands(recorded: Any, extra: dict[str, Any]) -> None:
    with Wire(sse(*CHAT_CHUNKS)) as wire:
        list(known(wire).chat.completions.create(**ASK, **extra))
        written = {
            **extra.get("extra_body", {}),
            **{name: value for name, value in extra.items() if name != "extra_body"},
        }
        assert wire.requests[0].body.get("stream_options", "none") == written.get("stream_options", "none")


def test_a_retried_request_asks_each_time(recorded: Any) -> None:
    busy = Reply({"error": {"message": "slow down"}}, 429, headers={"retry-after-ms": "10"})
    with Wire(busy, busy, strict) as wire:
        assert len(list(known(wire, max_retries=2).chat.completions.create(**ASK))) == 4
        assert [request.body["stream_options"] for request in wire.requests] == [{"include_usage": True}] * 3
    span = recorded.one()
    assert span["agentops.usage.source"] == "injected"
    assert len(span.json("agentops.attempts")) == 3


def _raw(response: Any) -> bytes:
    return b"".join(response.iter_raw())


async def _araw(response: Any) -> bytes:
    return b"".join([piece async for piece in response.aiter_raw()])


async def test_the_hidden_piece_stays_hidden_however_the_caller_reads(recorded: Any) -> None:
    with Wire(strict) as wire, known(wire) as asking_now:
        chat = asking_now.chat.completions
        read: list[Any] = []
        read.append(chat.with_raw_response.create(**ASK).http_response.read())
        for take in (lambda r: r.read(), lambda r: b"".join(r.iter_bytes()), lambda r: "".join(r.iter_text()).encode(),
                     lambda r: "\n".join(r.iter_lines()).encode(), lambda r: _raw(r.http_response)):  # fmt: skip
            with chat.with_streaming_response.create(**ASK) as response:
                read.append(take(response))
        async with aknown(wire) as asking:
            async with asking.chat.completions.with_streaming_response.create(**ASK) as response:
                read.append(await _araw(response.http_response))
            async with asking.chat.completions.with_streaming_response.create(**ASK) as response:
                read.append(await response.read())
        assert all(request.body["stream_options"] for request in wire.requests)
    assert len(read) == 8
    for text in read:
        assert b'"usage"' not in text
        assert text.count(b"data:") == 5
    spans = recorded()
    assert len(spans) == 8
    for span in spans:
        assert (span.outcome, span.text, span["agentops.usage.source"]) == ("ok", "Hello", "injected")


def test_an_absolute_address_decides_who_is_asked(recorded: Any) -> None:
    with Wire(sse(*CHAT_CHUNKS)) as wire:
        body = {**ASK}
        list(known(wire).post(
            "http://llm.example.com/v1/chat/completions", body=body, cast_to=object, stream=True,
            stream_cls=openai.Stream[object],
        ))  # fmt: skip
        assert "stream_options" not in wire.requests[0].body
    assert recorded.one()["server.address"] == "llm.example.com"

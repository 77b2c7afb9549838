"""Every way out of a stream: the span ends once, with the true outcome and what had come so far."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import openai
import pytest
from tests.openai.bodies import CHAT_CHUNKS, MESSAGES, USAGE_CHUNK
from tests.openai.test_chat import aclient, client
from tests.wire.http import CUT, HANG, Reply, Wire, event_of, sse

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES, "stream": True}
FIRST, SECOND, THIRD, LAST = CHAT_CHUNKS
WHOLE = sse(*CHAT_CHUNKS, USAGE_CHUNK)


def _said(recorded: Any, outcome: str, text: str, chunks: int | None = None) -> Any:
    span = recorded.one()
    assert span.outcome == outcome
    assert span.text == text
    if chunks is not None:
        assert span["agentops.stream.chunks"] == chunks
    assert span.span.status.status_code.name == ("ERROR" if outcome == "error" else "UNSET")
    return span


def test_break_and_close(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        stream = client(wire).chat.completions.create(**ASK)
        for chunk in stream:
            if chunk.choices[0].delta.content == "Hel":
                break
        assert recorded() == []
        stream.close()
        # At once, and without the "lo" that lay in the buffer unread.
        _said(recorded, "abandoned", "Hel", 2)
        stream.close()
        assert recorded() == []


def test_with_block_left_early(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        with client(wire).chat.completions.create(**ASK) as stream:
            next(stream)
        _said(recorded, "abandoned", "", 1)
        assert stream.response.is_closed


def test_left_before_the_first_word_the_prompt_was_read(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        with client(wire).chat.completions.create(**ASK) as stream:
            next(stream)
        span = recorded.one()
    assert span["agentops.usage.source"] == "estimated"
    assert span["gen_ai.usage.input_tokens"] > 0
    assert "gen_ai.usage.output_tokens" not in span.attributes  # nobody knows how many


def test_consumer_raises(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        with pytest.raises(ZeroDivisionError), client(wire).chat.completions.create(**ASK) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    raise ZeroDivisionError
        _said(recorded, "abandoned", "Hel", 2)


@pytest.mark.filterwarnings(
    "ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning"
)  # openai 1 leaves it open
def test_dropped(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        stream = client(wire).chat.completions.create(**ASK)
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        del stream, chunk
        gc.collect()
        _said(recorded, "abandoned", "Hel", 2)


def test_never_iterated(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        asking = client(wire)
        asking.chat.completions.create(**ASK)
        gc.collect()
        _said(recorded, "abandoned", "", 0)
        asking.chat.completions.with_raw_response.create(**ASK)
        gc.collect()
        assert recorded.one().outcome == "abandoned"


def test_a_stream_made_over_another_ones_response(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        one = client(wire)
        first: Any = one.chat.completions.create(**ASK)
        second: Any = openai.Stream(cast_to=openai.types.chat.ChatCompletionChunk, response=first.response, client=one)
        next(second)
        del first
        gc.collect()  # the first is gone before the second is over
        assert recorded() == []
        for _ in second:
            pass
        _said(recorded, "ok", "Hello", 5)


def test_left_after_the_last_word_is_ok(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        stream = client(wire).chat.completions.create(**ASK)
        for chunk in stream:
            if chunk.choices[0].finish_reason:
                break
        stream.close()
        _said(recorded, "ok", "Hello", 4)


def test_connection_cut(recorded: Any) -> None:
    with Wire(Reply(stream=[event_of(FIRST), event_of(SECOND), 0.05, CUT], content_type="text/event-stream")) as wire:
        with pytest.raises(Exception) as caught:  # openai 3: APIConnectionError; before: the HTTP client's own
            list(client(wire).chat.completions.create(**ASK))
        span = _said(recorded, "error", "Hel", 2)
        assert span["error.type"].endswith(type(caught.value).__name__)


def test_server_error_in_the_stream(recorded: Any) -> None:
    problem = {"error": {"message": "overloaded", "type": "server_error", "code": "busy"}}
    with Wire(sse(FIRST, SECOND, event_of(problem))) as wire:
        with pytest.raises(openai.APIError):
            list(client(wire).chat.completions.create(**ASK))
        span = _said(recorded, "error", "Hel", 2)
        assert span["error.type"] == "openai.APIError"


def test_torn_json(recorded: Any) -> None:
    with Wire(sse(FIRST, SECOND, b'data: {"id": \n\n')) as wire:
        with pytest.raises(ValueError):
            list(client(wire).chat.completions.create(**ASK))
        _said(recorded, "error", "Hel", 2)


def test_time_out_in_the_stream(recorded: Any) -> None:
    with Wire(Reply(stream=[event_of(FIRST), event_of(SECOND), HANG], content_type="text/event-stream")) as wire:
        with pytest.raises(Exception) as caught:
            list(client(wire, timeout=0.3).chat.completions.create(**ASK))
        assert "Timeout" in type(caught.value).__name__
        _said(recorded, "error", "Hel", 2)


def test_a_chunk_is_handed_over_when_it_comes(recorded: Any) -> None:
    gate = threading.Event()
    with Wire(Reply(stream=[event_of(FIRST), gate, event_of(LAST)], content_type="text/event-stream")) as wire:
        stream = client(wire).chat.completions.create(**ASK)
        assert next(stream).choices[0].delta.role == "assistant"  # while the server still holds the rest back
        gate.set()
        assert next(stream).choices[0].finish_reason == "stop"
        assert list(stream) == []
    _said(recorded, "ok", "", 2)


async def test_async_break_and_close(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        async with aclient(wire) as asking:
            stream = await asking.chat.completions.create(**ASK)
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            await stream.close()
            _said(recorded, "abandoned", "Hel", 2)


async def test_async_dropped(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        async with aclient(wire) as asking:
            stream = await asking.chat.completions.create(**ASK)
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            del stream, chunk
            for _ in range(5):  # the event loop closes abandoned generators one inside the other
                gc.collect()
                await asyncio.sleep(0)
            _said(recorded, "abandoned", "Hel", 2)


async def test_task_cancelled_while_waiting_for_a_chunk(recorded: Any) -> None:
    with Wire(Reply(stream=[event_of(FIRST), event_of(SECOND), HANG], content_type="text/event-stream")) as wire:
        async with aclient(wire) as asking:
            got = asyncio.Event()

            async def read() -> None:
                async for chunk in await asking.chat.completions.create(**ASK):
                    if chunk.choices[0].delta.content:
                        got.set()

            task = asyncio.create_task(read())
            await got.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            _said(recorded, "cancelled", "Hel", 2)


async def test_task_cancelled_between_chunks(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        async with aclient(wire) as asking:
            got = asyncio.Event()

            async def read() -> None:
                async with await asking.chat.completions.create(**ASK) as stream:
                    async for chunk in stream:
                        if chunk.choices[0].delta.content:
                            got.set()
                            await asyncio.sleep(30)

            task = asyncio.create_task(read())
            await got.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            _said(recorded, "cancelled", "Hel", 2)


async def test_task_cancelled_before_the_reply(recorded: Any) -> None:
    with Wire(Reply(HANG)) as wire:
        async with aclient(wire) as asking:
            task = asyncio.create_task(asking.chat.completions.create(model="gpt-4o", messages=MESSAGES))
            while not wire.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            span = recorded.one()
            assert span.outcome == "cancelled"
            assert span.json("gen_ai.input.messages")[1]["parts"][0]["content"] == "Weather in Rome?"


def test_streaming_response_left_early(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        with client(wire).chat.completions.with_streaming_response.create(**ASK) as response:
            stream = response.parse()
            next(iter(stream))
        _said(recorded, "abandoned", "", 1)


def test_helper_left_early(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        chat = client(wire).chat.completions
        if not hasattr(chat, "stream"):
            pytest.skip("this version of openai has no chat.completions.stream()")
        with chat.stream(model="gpt-4o", messages=MESSAGES) as stream:
            for event in stream:
                if event.type == "content.delta" and event.delta:
                    break
        _said(recorded, "abandoned", "Hel", 2)


# --- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_status_errors(recorded: Any, status: int) -> None:
    body = {"error": {"message": "no", "type": "bad", "code": "nope", "param": None}}
    for stream in (False, True):
        reply = Reply(body, status, headers={"x-request-id": "req-9"})
        with Wire(reply) as wire, pytest.raises(openai.APIStatusError) as caught:
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=stream)
        assert caught.value.status_code == status
        span = recorded.one()
        assert span.outcome == "error"
        assert span["error.type"] == f"openai.{type(caught.value).__name__}"
        assert span["agentops.request_id"] == "req-9"
        assert "gen_ai.usage.input_tokens" not in span.attributes or span["agentops.usage.source"] != "reported"


def test_connection_refused(recorded: Any) -> None:
    with Wire(Reply()) as wire:
        pass
    with pytest.raises(openai.APIConnectionError):
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert recorded.one()["error.type"] == "openai.APIConnectionError"


def test_malformed_reply(recorded: Any) -> None:
    with Wire(Reply("{no json")) as wire, pytest.raises(Exception) as caught:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    assert span.outcome == "error"
    assert span["error.type"].endswith(type(caught.value).__name__)


def test_an_error_in_a_good_reply(recorded: Any) -> None:
    with Wire(Reply({"error": {"message": "upstream is down", "code": 502}})) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    assert span.outcome == "error"
    assert span["error.type"] == "502"


def test_arguments_that_cannot_be_sent(recorded: Any) -> None:
    unfit: Any = [{"role": "user", "content": object()}]
    with Wire(Reply()) as wire, pytest.raises(TypeError):
        client(wire).chat.completions.create(model="gpt-4o", messages=unfit)
    assert recorded.one().outcome == "error"


# --- retries ---------------------------------------------------------------------------------------


def test_retries_are_one_span_with_their_attempts(recorded: Any) -> None:
    from tests.openai.bodies import CHAT

    busy = Reply({"error": {"message": "slow down"}}, 429, headers={"retry-after-ms": "20"})
    with Wire(busy, Reply(b"", 503, headers={"retry-after-ms": "10"}), Reply(CHAT)) as wire:
        client(wire, max_retries=3).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    assert span.outcome == "ok"
    assert span.json("agentops.attempts") == [
        {"status": 429, "wait": 0.02},
        {"status": 503, "wait": 0.01},
        {"status": 200},
    ]


async def test_retries_that_fail(recorded: Any) -> None:
    with Wire(Reply(b"", 503, headers={"retry-after-ms": "10"})) as wire:
        async with aclient(wire, max_retries=1) as asking:
            with pytest.raises(openai.InternalServerError):
                await asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    assert span.outcome == "error"
    assert span.json("agentops.attempts") == [{"status": 503, "wait": 0.01}, {"status": 503}]


def test_retries_of_a_connection_that_breaks(recorded: Any) -> None:
    with Wire(Reply(CUT)) as wire, pytest.raises(openai.APIConnectionError):
        client(wire, max_retries=1).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    first, second = span.json("agentops.attempts")
    assert first["status"] is None
    assert first["error"]
    assert first["wait"] > 0
    assert second["error"]

"""Replies that a client gives as they came, to be read or parsed later: one span, which says what a plain call's says.

Of the clients that have such forms: the generated ones, and Cohere's.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integrations.driver import Driver, driver_of, installed
from tests.integrations.traffic import Spans, request
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk._pipeline.registry import find_integrations

NAMES = ("openai", "anthropic", "groq", "cerebras", "together", "perplexity", "cohere")

pytestmark = [  # what nobody reads is left to the collector, and its socket with it
    pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*unclosed transport:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

_TIMES = {"gen_ai.response.time_to_first_chunk", "agentops.stream.chunks", "agentops.stream.ttft"}
"""What depends on the clock, and on whether the pieces are read as events or as bytes."""


@pytest.fixture(params=NAMES)
def driver(request: pytest.FixtureRequest, collected: None) -> Driver:
    if not installed(find_integrations()[request.param].target):
        pytest.skip(f"{request.param} is not installed")
    return driver_of(request.param)


@pytest.fixture
def wire(driver: Driver) -> Iterator[Wire]:
    with Wire(driver.answer) as server:
        yield server


def _resource(client: Any) -> Any:
    if hasattr(client, "messages"):
        return client.messages
    return client.chat.completions if hasattr(client.chat, "completions") else client


def _facts(span: Any) -> dict[str, Any]:
    return {name: value for name, value in span.attributes.items() if name not in _TIMES}


def _plain(driver: Driver, wire: Wire, spans: Spans, way: str) -> dict[str, Any]:
    assert request(driver, wire, way).error is None
    (span,) = spans.take()
    assert span.attributes["gen_ai.usage.input_tokens"] > 0
    assert span.attributes["agentops.outcome"] == "ok"
    return _facts(span)


# --- read already ----------------------------------------------------------------------------------


def test_raw_response(driver: Driver, wire: Wire) -> None:
    """Parsed twice, or never: what it says is known when it is there."""

    async def ask(times: int) -> None:
        async with driver.async_client(wire.url) as client:
            raw = _resource(client).with_raw_response
            reply = await (raw.create if hasattr(raw, "create") else raw.chat)(**driver.arguments())
            for _ in range(times):
                parsed = reply.parse() if hasattr(reply, "parse") else reply.data
                assert not asyncio.iscoroutine(parsed) or await parsed

    spans = Spans()
    for way in ("call", "call_async"):
        expected = _plain(driver, wire, spans, way)
        for times in (0, 2):
            if way == "call_async":
                asyncio.run(ask(times))
            else:
                with driver.client(wire.url) as client:
                    raw = _resource(client).with_raw_response
                    reply = (raw.create if hasattr(raw, "create") else raw.chat)(**driver.arguments())
                    for _ in range(times):
                        assert reply.parse() if hasattr(reply, "parse") else reply.data
            (span,) = spans.take()
            assert _facts(span) == expected
            assert agentops.status().spans["open"] == 0


def test_raw_stream(driver: Driver, wire: Wire) -> None:
    """The stream is made of it later."""
    if not _generated(driver):
        pytest.skip("its raw streams are context managers, which its other tests open")

    async def ask() -> None:
        async with driver.async_client(wire.url) as client:
            reply = await _resource(client).with_raw_response.create(**driver.arguments(), stream=True)
            parsed = reply.parse()
            async for _ in await parsed if asyncio.iscoroutine(parsed) else parsed:
                pass

    spans = Spans()
    expected = _plain(driver, wire, spans, "stream")
    with driver.client(wire.url) as client:
        reply = _resource(client).with_raw_response.create(**driver.arguments(), stream=True)
        assert spans.take() == [], "nobody has read it yet"
        list(reply.parse())
    asyncio.run(ask())
    assert [_facts(span) for span in spans.take()] == [expected] * 2


def test_raw_stream_that_nobody_parses(driver: Driver, wire: Wire) -> None:
    if not _generated(driver):
        pytest.skip("its raw streams are context managers, which its other tests open")
    spans = Spans()
    with driver.client(wire.url) as client:
        reply = _resource(client).with_raw_response.create(**driver.arguments(), stream=True)
        del reply
        gc.collect()
    (span,) = spans.take()
    assert span.attributes["agentops.outcome"] == "abandoned"
    assert agentops.status().spans["open"] == 0


# --- read by the caller ----------------------------------------------------------------------------

READERS: dict[str, Callable[[Any], Any]] = {
    "parse": lambda reply: reply.parse(),
    "read, then parse": lambda reply: (reply.read(), reply.parse(), reply.parse()),
    "json": lambda reply: reply.json(),
    "text": lambda reply: reply.text(),
    "bytes": lambda reply: list(reply.iter_bytes()),
    "lines": lambda reply: list(reply.iter_lines()),
    "raw": lambda reply: list(reply.http_response.iter_raw()),
}


async def _all(pieces: Any) -> None:
    async for _ in pieces:
        pass


async def _read_and_parse(reply: Any) -> None:
    await reply.read()
    await reply.parse()


ASYNC_READERS: dict[str, Callable[[Any], Any]] = {
    "parse": lambda reply: reply.parse(),
    "read, then parse": _read_and_parse,
    "json": lambda reply: reply.json(),
    "text": lambda reply: reply.text(),
    "bytes": lambda reply: _all(reply.iter_bytes()),
    "lines": lambda reply: _all(reply.iter_lines()),
    "raw": lambda reply: _all(reply.http_response.aiter_raw()),
}


def _generated(driver: Driver) -> bool:
    return "cohere" not in driver.packages


def test_streaming_response(driver: Driver, wire: Wire) -> None:
    """A whole reply that the caller reads in whichever way."""
    if not _generated(driver):
        pytest.skip("it has no such form")
    spans = Spans()
    expected = _plain(driver, wire, spans, "call")

    async def ask() -> None:
        async with driver.async_client(wire.url) as client:
            for how, read in ASYNC_READERS.items():
                asking = _resource(client).with_streaming_response.create(**driver.arguments())
                async with asking as reply:
                    await read(reply)
                assert [_facts(span) for span in spans.take()] == [expected], how

    with driver.client(wire.url) as client:
        for how, read in READERS.items():
            with _resource(client).with_streaming_response.create(**driver.arguments()) as reply:
                read(reply)
            assert [_facts(span) for span in spans.take()] == [expected], how
    asyncio.run(ask())


def test_streaming_response_of_a_stream(driver: Driver, wire: Wire) -> None:
    if not _generated(driver):
        pytest.skip("it has no such form")
    spans = Spans()
    expected = _plain(driver, wire, spans, "stream")
    for how in ("parse", "lines", "bytes"):
        with driver.client(wire.url) as client:
            streaming = _resource(client).with_streaming_response
            with streaming.create(**driver.arguments(), stream=True) as reply:
                pieces = READERS[how](reply)
                list(pieces)
        (span,) = spans.take()
        assert _facts(span) == expected, how


def test_streaming_response_that_nobody_reads(driver: Driver, wire: Wire) -> None:
    if not _generated(driver):
        pytest.skip("it has no such form")
    spans = Spans()
    with (
        driver.client(wire.url) as client,
        _resource(client).with_streaming_response.create(**driver.arguments()) as reply,
    ):
        assert reply.headers
    (span,) = spans.take()
    assert span.attributes["agentops.outcome"] == "abandoned"
    assert "gen_ai.usage.input_tokens" not in span.attributes or (
        span.attributes["agentops.usage.source"] != "reported"
    ), "what was not read is not known"
    assert agentops.status().spans["open"] == 0

"""A library's whole traffic, one request in each way that it has, and what its caller sees of it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.conformance.spans import check
from tests.integrations.driver import Driver
from tests.wire.http import HANG, Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

WAYS = ("call", "call_async", "stream", "stream_async")
STREAMS = ("stream", "stream_async")
ASYNC = ("call_async", "stream_async")
DEADLINE = 30.0


def ways(driver: Driver, among: Sequence[str] = WAYS) -> list[str]:
    """The ways to call that the library has."""
    return [way for way in among if way not in driver.lacks]


@dataclass(frozen=True)
class Seen:
    """What a caller got: the types and contents of the replies, or of the pieces; or the error.

    Of its type, the name: some clients make their errors' classes anew for each client.
    """

    types: tuple[type, ...] = ()
    contents: tuple[Any, ...] = ()
    error: tuple[str, str] | None = None


def request(driver: Driver, wire: Wire, way: str, *, pieces: int | None = None) -> Seen:
    """One request. ``pieces``: leave the stream after so many.

    Raises:
        AssertionError: the arguments were changed.
    """
    arguments = driver.arguments()
    before = copy.deepcopy(arguments)
    results: list[Any] = []
    error: tuple[str, str] | None = None
    try:
        if way in ASYNC:
            asyncio.run(_ask_async(driver, wire.url, way, arguments, results, pieces))
        else:
            _ask(driver, wire.url, way, arguments, results, pieces)
    except Exception as caught:
        error = (f"{type(caught).__module__}.{type(caught).__qualname__}", driver.message(caught))
    assert arguments == before, f"{way} changed its caller's arguments"
    return Seen(tuple(map(type, results)), tuple(driver.content(result) for result in results), error)


def _ask(driver: Driver, url: str, way: str, arguments: Any, results: list[Any], pieces: int | None) -> None:
    with driver.client(url) as client:
        if way == "call":
            results.append(driver.call(client, arguments))
            return
        with driver.stream(client, arguments) as stream:
            for piece in stream:
                results.append(piece)
                if len(results) == pieces:
                    break


async def _ask_async(
    driver: Driver, url: str, way: str, arguments: Any, results: list[Any], pieces: int | None
) -> None:
    async with driver.async_client(url) as client:
        if way == "call_async":
            results.append(await driver.call_async(client, arguments))
            return
        async with driver.stream_async(client, arguments) as stream:
            async for piece in stream:
                results.append(piece)
                if len(results) == pieces:
                    break


def each_way(driver: Driver, wire: Wire) -> dict[str, Seen]:
    """One request in each way."""
    return {way: request(driver, wire, way) for way in ways(driver)}


def everything(driver: Driver, wire: Wire) -> dict[str, Seen]:
    """One request in each way, one that is refused, and one stream that is left early."""
    seen = each_way(driver, wire)
    seen |= {f"{way}, left": request(driver, wire, way, pieces=1) for way in ways(driver, STREAMS)}
    with answering(wire, driver.refusal):
        seen |= {f"{way}, refused": request(driver, wire, way) for way in ways(driver)}
    return seen


@contextmanager
def answering(wire: Wire, reply: Any) -> Iterator[None]:
    """The server answers differently for a while."""
    usual = wire.replies
    wire.replies = [reply]
    try:
        yield
    finally:
        wire.replies = usual


async def cancelled(driver: Driver, wire: Wire, way: str) -> None:
    """A request that is cancelled while it waits for its answer.

    Raises:
        AssertionError: the cancellation did not come through.
    """
    asked = len(wire.requests)
    task = asyncio.create_task(_ask_async(driver, wire.url, way, driver.arguments(), [], None))
    async with asyncio.timeout(DEADLINE):
        while len(wire.requests) == asked:
            assert not task.done(), "it did not wait for its answer"
            await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("the cancellation got lost")


HANGS = Reply(HANG)


class Spans:
    """The SDK with an in-memory sink, capturing by the integrations that are named."""

    def __init__(self, *integrations: str, **settings: Any) -> None:
        self.exporter = MemoryExporter()
        self._state = settings.get("semconv")
        agentops.init(exporters=[self.exporter], integrations=integrations or None, **settings)

    def take(self) -> list[Any]:
        """What has ended since the last call."""
        assert agentops.flush(DEADLINE).remaining == 0
        spans = self.exporter.finished_spans()
        self.exporter.clear()
        check(spans, self._state)
        return list(spans)

    def outcomes(self, driver: Driver) -> list[str]:
        """The outcomes of the calls that have ended since the last look."""
        return [span.attributes["agentops.outcome"] for span in self.take() if span.name == driver.span]

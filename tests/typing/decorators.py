"""What type checkers see of the decorators: exactly what they see of the undecorated. Checked, never run."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import assert_type

import agentops_sdk as agentops


@agentops.track
def plain(a: int, *, b: str = "") -> list[str]:
    return [b] * a


@agentops.track(kind="tool", name="x", capture_input=False, ignore=("a",), cost=0.1)
async def coroutine(a: int) -> str:
    return str(a)


@agentops.tool
def generator(a: int) -> Generator[int, str, bytes]:
    yield a
    return b""


@agentops.workflow(description="d", process_output=len)
async def stream(a: int) -> AsyncGenerator[str, None]:
    yield str(a)


@agentops.agent
class Agent:
    @agentops.task
    def method(self, a: int) -> int:
        return a

    @agentops.track
    @staticmethod
    def static(a: int) -> str:
        return str(a)

    @staticmethod
    @agentops.track
    def static_inside(a: int) -> str:
        return str(a)

    @classmethod
    @agentops.track
    def built(cls, a: int) -> Agent:
        return cls()

    @property
    @agentops.track
    def size(self) -> int:
        return 1


assert_type(plain(1, b="x"), list[str])
plain("x")  # error
plain(1, c=2)  # error
assert_type(generator(1), Generator[int, str, bytes])
assert_type(stream(1), AsyncGenerator[str, None])
assert_type(Agent().method(1), int)
assert_type(Agent.static(1), str)
assert_type(Agent.static_inside(1), str)
assert_type(Agent.built(1), Agent)
assert_type(Agent().size, int)
Agent().method("x")  # error
agentops.track(3)  # error
agentops.track(colour="red")  # error
agentops.tool(kind="agent")  # error


async def uses() -> None:
    assert_type(await coroutine(1), str)
    await coroutine("x")  # error
    made: Callable[[int], Awaitable[str]] = coroutine
    await made(1)
    async with agentops.span("block") as span:
        assert_type(span, agentops.Span)


@agentops.context(session_id="s")
def inside(a: int) -> str:
    return str(a)


assert_type(inside(1), str)
inside("x")  # error

part = agentops.track(functools.partial(plain, 1))
assert_type(part(b="x"), list[str])

with agentops.span("block", kind="tool", attribute=[1, 2]) as handle:
    handle.set("a", {"b": 1})
    assert_type(handle.trace_id, str)

assert_type(agentops.current_trace_id(), str | None)
assert_type(agentops.inject({"a": "b"}), dict[str, str])
agentops.feedback("t", name="n", value=None)  # error

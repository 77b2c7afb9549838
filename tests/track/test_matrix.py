"""Callable kind × exit × concurrency × nesting: in each cell the right outcome, the right parent, the right error."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest

import agentops_sdk as agentops


class Stop(Exception):
    pass


LEAVE: dict[str, BaseException] = {
    "error": Stop("boom"),
    "cancelled": asyncio.CancelledError(),
    "interrupted": KeyboardInterrupt(),
    "exit": SystemExit(3),
    "group": ExceptionGroup("many", [ValueError("a"), TypeError("b")]),
}
OUTCOME = {"ok": "ok", "error": "error", "cancelled": "cancelled", "interrupted": "interrupted", "exit": "interrupted",
           "group": "error", "abandoned": "abandoned"}  # fmt: skip


def leave(how: str) -> str:
    with agentops.span("inside"):
        pass
    if how in LEAVE:
        raise LEAVE[how]
    return "value"


# --- one callable of every kind; each takes how to leave and returns or yields "value" ------------


def plain() -> Any:
    @agentops.track(name="it")
    def it(how: str) -> str:
        return leave(how)

    return it


def lambda_() -> Any:
    return agentops.track(name="it")(lambda how: leave(how))


def partial() -> Any:
    def it(prefix: str, how: str) -> str:
        return leave(how)

    return agentops.track(name="it")(functools.partial(it, "x"))


def object_() -> Any:
    class Thing:
        def __call__(self, how: str) -> str:
            return leave(how)

    return agentops.track(name="it")(Thing())


def method() -> Any:
    class Thing:
        @agentops.track(name="it")
        def it(self, how: str) -> str:
            return leave(how)

    return Thing().it


def bound() -> Any:
    class Thing:
        def it(self, how: str) -> str:
            return leave(how)

    return agentops.track(name="it")(Thing().it)


def static_outside() -> Any:
    class Thing:
        @agentops.track(name="it")
        @staticmethod
        def it(how: str) -> str:
            return leave(how)

    return Thing().it


def static_inside() -> Any:
    class Thing:
        @staticmethod
        @agentops.track(name="it")
        def it(how: str) -> str:
            return leave(how)

    return Thing.it


def class_outside() -> Any:
    class Thing:
        @agentops.track(name="it")
        @classmethod
        def it(cls, how: str) -> str:
            return leave(how)

    return Thing.it


def class_inside() -> Any:
    class Thing:
        @classmethod
        @agentops.track(name="it")
        def it(cls, how: str) -> str:
            return leave(how)

    return Thing().it


def property_() -> Any:
    class Thing:
        how = "ok"

        @agentops.track(name="it")
        @property
        def it(self) -> str:
            return leave(self.how)

    def get(how: str) -> str:
        thing = Thing()
        thing.how = how
        return thing.it

    return get


def property_inside() -> Any:
    class Thing:
        how = "ok"

        @property
        @agentops.track(name="it")
        def it(self) -> str:
            return leave(self.how)

    def get(how: str) -> str:
        thing = Thing()
        thing.how = how
        return thing.it

    return get


def cached_property() -> Any:
    class Thing:
        how = "ok"

        @agentops.track(name="it")
        @functools.cached_property
        def it(self) -> str:
            return leave(self.how)

    def get(how: str) -> str:
        thing = Thing()
        thing.how = how
        return thing.it

    return get


def cached() -> Any:
    @agentops.track(name="it")
    @functools.lru_cache
    def it(how: str) -> str:
        return leave(how)

    return it


def abstract() -> Any:
    class Base(abc.ABC):
        @agentops.track(name="it")
        @abc.abstractmethod
        def it(self, how: str) -> str:
            return leave(how)

    class Thing(Base):
        def it(self, how: str) -> str:
            return super().it(how)

    with pytest.raises(TypeError):
        Base()  # type: ignore[abstract]  # wrong on purpose
    return Thing().it


def dataclass() -> Any:
    @dataclasses.dataclass(slots=True)
    class Thing:
        x: int = 1

        @agentops.track(name="it")
        def it(self, how: str) -> str:
            return leave(how)

    return Thing().it


def whole_class() -> Any:
    @agentops.track(name="it", kind="agent")
    class Thing:
        def it(self, how: str) -> str:
            return leave(how)

    return Thing().it


def coroutine() -> Any:
    @agentops.track(name="it")
    async def it(how: str) -> str:
        await asyncio.sleep(0)
        return leave(how)

    return it


def coroutine_partial() -> Any:
    async def it(prefix: str, how: str) -> str:
        await asyncio.sleep(0)
        return leave(how)

    return agentops.track(name="it")(functools.partial(it, "x"))


def coroutine_object() -> Any:
    class Thing:
        async def __call__(self, how: str) -> str:
            await asyncio.sleep(0)
            return leave(how)

    return agentops.track(name="it")(Thing())


def coroutine_method() -> Any:
    class Thing:
        @agentops.track(name="it")
        @classmethod
        async def it(cls, how: str) -> str:
            await asyncio.sleep(0)
            return leave(how)

    return Thing().it


def generator() -> Any:
    @agentops.track(name="it")
    def it(how: str) -> Any:
        yield leave(how)
        yield "more"

    return it


def generator_method() -> Any:
    class Thing:
        @agentops.track(name="it")
        @staticmethod
        def it(how: str) -> Any:
            yield leave(how)
            yield "more"

    return Thing().it


def async_generator() -> Any:
    @agentops.track(name="it")
    async def it(how: str) -> Any:
        await asyncio.sleep(0)
        yield leave(how)
        await asyncio.sleep(0)
        yield "more"

    return it


def async_generator_method() -> Any:
    class Thing:
        @agentops.track(name="it")
        async def it(self, how: str) -> Any:
            await asyncio.sleep(0)
            yield leave(how)
            yield "more"

    return Thing().it


def block() -> Any:
    def it(how: str) -> str:
        with agentops.span("it"):
            return leave(how)

    return it


def async_block() -> Any:
    async def it(how: str) -> str:
        async with agentops.span("it"):
            await asyncio.sleep(0)
            return leave(how)

    return it


SYNC = [plain, lambda_, partial, object_, method, bound, static_outside, static_inside, class_outside, class_inside,
        property_, property_inside, cached_property, cached, abstract, dataclass, whole_class, block]  # fmt: skip
ASYNC = [coroutine, coroutine_partial, coroutine_object, coroutine_method, async_block]
GENERATORS = [generator, generator_method]
ASYNC_GENERATORS = [async_generator, async_generator_method]
KINDS = [*SYNC, *ASYNC, *GENERATORS, *ASYNC_GENERATORS]


async def consume(make: Callable[[], Any], how: str) -> Any:
    """Run one callable of any kind to the given exit."""
    it = make()
    if make in SYNC:
        return it(how)
    if make in ASYNC:
        return await it(how)
    if make in GENERATORS:
        items = it(how)
        first = next(items)
        with agentops.span("consumer"):
            pass
        if how == "abandoned":
            items.close()
            return first
        assert list(items) == ["more"]
        return first
    stream = it(how)
    first = await stream.__anext__()
    with agentops.span("consumer"):
        pass
    if how == "abandoned":
        await stream.aclose()
        return first
    assert [item async for item in stream] == ["more"]
    return first


def cells() -> list[Any]:
    found = []
    for make in KINDS:
        for how in OUTCOME:
            if how == "abandoned" and make in SYNC + ASYNC:
                continue
            for where in ("alone", "task", "thread"):
                if where == "task" and how in ("interrupted", "exit"):
                    continue  # asyncio itself lets these stop the loop
                for nesting in ("root", "nested"):
                    found.append(pytest.param(make, how, where, nesting, id=f"{make.__name__}-{how}-{where}-{nesting}"))
    return found


@pytest.mark.parametrize(("make", "how", "where", "nesting"), cells())
def test_cell(seen: Any, make: Callable[[], Any], how: str, where: str, nesting: str) -> None:
    async def work() -> Any:
        if nesting == "nested":
            async with agentops.span("outer"):
                return await consume(make, how)
        return await consume(make, how)

    async def in_task() -> Any:
        return await asyncio.create_task(work())

    raised: BaseException | None = None
    result: Any = None

    def go() -> None:
        nonlocal raised, result
        try:
            result = asyncio.run(in_task()) if where == "task" or make in ASYNC + ASYNC_GENERATORS else step(work())
        except BaseException as error:
            raised = error

    if where == "thread":
        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
    else:
        go()
    if how in LEAVE:
        assert type(raised) is type(LEAVE[how])
        if where != "task" and make not in ASYNC + ASYNC_GENERATORS:
            assert raised is LEAVE[how]
    else:
        assert raised is None
        assert result == "value"
    name = "invoke_agent it" if make is whole_class else "it"
    tree = seen.tree()
    assert seen.outcome(name) == OUTCOME[how]
    assert tree["inside"] == name
    assert tree[name] == ("outer" if nesting == "nested" else None)
    if "consumer" in tree:
        assert tree["consumer"] == ("outer" if nesting == "nested" else None)
    if how == "group":
        (event,) = seen.one(name).events
        assert event.attributes["exception.type"] == "ExceptionGroup"
        assert "TypeError: b" in event.attributes["exception.stacktrace"]
    # Nothing stays attached.
    assert agentops.current_trace_id() is None


def step(coroutine: Any) -> Any:
    """Run a coroutine that never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


@pytest.mark.parametrize("make", [plain, partial, object_, method, coroutine, coroutine_partial, generator,
                                  async_generator], ids=lambda make: make.__name__)  # fmt: skip
def test_looks_like_the_undecorated(make: Callable[[], Any]) -> None:
    it = make()
    assert inspect.iscoroutinefunction(it) == (make in ASYNC)
    assert inspect.isgeneratorfunction(it) == (make in GENERATORS)
    assert inspect.isasyncgenfunction(it) == (make in ASYNC_GENERATORS)
    assert list(inspect.signature(it).parameters) == ["how"]
    assert it.__wrapped__ is not None

"""``private()`` at its edges: work that begins later than it is called, spans around it, and what comes out of it."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import inspect
import pickle
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import agentops_sdk as agentops
from agentops_sdk.integration import guard, start

pytestmark = pytest.mark.once
SECRET = "pestilence"


@agentops.tool
def letters(word: str) -> Iterator[str]:
    """Yields a word."""
    with agentops.span(word):
        yield word
    return word


@agentops.tool
async def letters_async(word: str) -> AsyncIterator[str]:
    with agentops.span(word):
        yield word


@agentops.tool
async def letter(word: str) -> str:
    with agentops.span(word):
        return word


@agentops.context(tags=["kept"])
def letters_below(word: str) -> Iterator[str]:
    with agentops.span(word):
        yield word


@agentops.context(tags=["kept"])
async def letter_below(word: str) -> str:
    with agentops.span(word):
        return word


async def collected(items: AsyncIterator[str]) -> list[str]:
    return [item async for item in items]


async def awaited(work: Awaitable[str]) -> list[str]:
    return [await work]


ADVANCE: dict[str, tuple[Callable[[str], Any], Callable[[Any], list[str]]]] = {
    "generator": (letters, list),
    "async generator": (letters_async, lambda items: asyncio.run(collected(items))),
    "coroutine": (letter, lambda work: asyncio.run(awaited(work))),
    "generator of a block": (letters_below, list),
    "coroutine of a block": (letter_below, lambda work: asyncio.run(awaited(work))),
    "in a thread": (letters, lambda items: in_thread(lambda: list(items))),
}


def in_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return contextvars.Context().run(pool.submit, work).result()


@pytest.mark.parametrize("kind", ADVANCE)
def test_what_is_called_inside_and_begins_outside_is_private(seen: Any, kind: str) -> None:
    make, advance = ADVANCE[kind]
    with agentops.private():
        work = make(SECRET)
    assert advance(work) == [SECRET]
    hidden = seen.all()
    assert hidden
    assert all(span.attributes["agentops.private"] is True for span in hidden)
    assert SECRET not in "".join(span.to_json() for span in hidden)
    assert advance(make("open")) == ["open"]  # what is called outside is not
    assert "open" in "".join(span.to_json() for span in seen.all()[len(hidden) :])


def test_a_tracked_function_is_still_of_its_kind() -> None:
    kinds = [inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction]
    for function, kind in zip((letters, letters_async, letter), kinds, strict=True):
        assert [each(function) for each in kinds] == [each is kind for each in kinds]
        assert inspect.isfunction(function)
        assert str(inspect.signature(function)).startswith("(word: 'str')")
        assert copy.deepcopy(function) is function
        assert pickle.loads(pickle.dumps(function)) is function
    assert (letters.__name__, letters.__doc__) == ("letters", "Yields a word.")
    assert inspect.isgenerator(letters("a"))


def everything(span: Any) -> None:
    """All that a program can say of a span."""
    span.set("said", SECRET)
    span.update({"said": SECRET}, more=[SECRET])
    span.set_input(SECRET)
    span.set_output({"a": SECRET})
    span.rename(SECRET)
    span.event(SECRET, {"said": SECRET})
    span.link(span, {"said": SECRET})
    agentops.update_current_span(
        name=SECRET, input=SECRET, output=SECRET, tags=[SECRET], metadata={SECRET: SECRET}, said=SECRET
    )
    agentops.feedback(name=SECRET, value=SECRET, comment=SECRET)
    agentops.feedback(span, name=SECRET, value=1.0, comment=SECRET)
    agentops.handoff(SECRET, reason=SECRET)
    agentops.decide(SECRET, SECRET, options=[SECRET], reason=SECRET)
    agentops.variant(SECRET, {SECRET: 1.0})
    other = trace.get_current_span()
    other.set_attribute("said", SECRET)
    other.set_attributes({"said": SECRET})
    other.add_event(SECRET, {"said": SECRET})
    other.add_link(other.get_span_context(), {"said": SECRET})
    other.update_name(SECRET)
    other.set_status(trace.StatusCode.ERROR, SECRET)
    other.record_exception(ValueError(SECRET), {"said": SECRET})


@pytest.mark.parametrize("kind", ["agent", "llm", "tool", "task", "decision"])
def test_nothing_is_said_inside_of_the_public_span_around(seen: Any, kind: str) -> None:
    with agentops.span("outer", kind=kind) as outer:
        with agentops.private():
            everything(outer)
            in_a_thread = threading.Thread(target=everything, args=(outer,))
            in_a_thread.start()
            in_a_thread.join()
            with agentops.span(SECRET) as inner:
                everything(inner)
        outer.set("said", "afterwards")
    spans = seen.all()
    assert SECRET not in "".join(span.to_json() for span in spans)
    public = spans[-1]
    assert public.name.endswith("outer")
    assert public.attributes["said"] == "afterwards"
    assert len(public.events) >= 2  # that something happened is told


def test_a_framework_inside_reports_no_part_of_the_public_agent_around(seen: Any) -> None:
    with agentops.span("helper", kind="agent"), agentops.private(), guard("test"):
        call = start("agent", "helper", attributes={"gen_ai.system_instructions": SECRET}, reporter="framework")
        call.set("gen_ai.output.messages", SECRET)
        call.finish()
    assert len(seen.all()) == 2
    assert SECRET not in "".join(span.to_json() for span in seen.all())


class Wrapped(Exception):
    """One of a program's own, without a place for attributes of its own."""

    __slots__ = ()


@pytest.mark.parametrize("form", ["left", "cause", "group", "thread", "decorated", "generator", "pickled"])
def test_of_what_is_raised_inside_the_spans_around_tell_the_type_alone(seen: Any, form: str) -> None:
    @agentops.private()
    def decorated() -> None:
        raise Wrapped(SECRET)

    @agentops.private()
    def generator() -> Iterator[None]:
        yield None
        raise Wrapped(SECRET)

    def raised() -> None:
        if form == "decorated":
            decorated()
        elif form == "generator":
            list(generator())
        elif form == "thread":
            with agentops.private(), agentops.span("inner"):
                work = ThreadPoolExecutor(1).submit(agentops.track(in_the_thread))
            work.result()
        else:
            with agentops.private():
                raise Wrapped(SECRET)

    def in_the_thread() -> None:
        raise Wrapped(SECRET)

    with pytest.raises(Exception, match=r".*") as caught, agentops.span("outer"):
        try:
            raised()
        except Wrapped as error:
            if form == "cause":
                raise ValueError(SECRET) from error
            if form == "group":
                raise ExceptionGroup("several", [KeyError("x"), error]) from None
            if form == "pickled":
                raise pickle.loads(pickle.dumps(error)) from None
            raise
    outer = seen.all()[-1]
    assert outer.name == "outer"
    assert outer.attributes["agentops.outcome"] == "error"
    assert outer.attributes["error.type"].rpartition(".")[2] == type(caught.value).__name__
    assert SECRET not in "".join(span.to_json() for span in seen.all())


def test_what_is_raised_outside_is_told_as_ever(seen: Any) -> None:
    with agentops.private():
        pass
    with pytest.raises(ValueError, match="plain"), agentops.span("outer"):
        raise ValueError("plain")
    assert seen.all()[-1].events[0].attributes["exception.message"] == "plain"

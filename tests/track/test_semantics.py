"""What a tracked function does exactly as an undecorated one, and what is recorded of it."""

from __future__ import annotations

import asyncio
import collections
import copy
import functools
import gc
import inspect
import pickle
import threading
import traceback
import types
import typing
from typing import Any

import anyio
import pytest

import agentops_sdk as agentops

# --- generators -------------------------------------------------------------------------------------


@agentops.track
def echo(first: str) -> Any:
    """Repeats what it is sent."""
    got: Any = first
    while True:
        with agentops.span("step"):
            pass
        try:
            got = yield got
        except KeyError as error:
            got = f"caught {error.args[0]}"
        if got == "stop":
            return "bye"


def test_send_throw_close_and_return_value(seen: Any) -> None:
    body = echo("a")
    assert type(body) is types.GeneratorType
    assert inspect.getgeneratorstate(body) == "GEN_CREATED"
    assert next(body) == "a"
    assert body.send("b") == "b"
    assert body.throw(KeyError("k")) == "caught k"
    with pytest.raises(StopIteration) as stop:
        body.send("stop")
    assert stop.value.value == "bye"
    assert inspect.getgeneratorstate(body) == "GEN_CLOSED"
    assert seen.outcome("echo") == "ok"
    assert seen.value("echo", "agentops.output") == {"yielded": ["a", "b", "caught k"], "returned": "bye"}
    assert {seen.parent_of("echo")} == {None}
    steps = [span for span in seen.all() if span.name == "step"]
    assert {span.parent.span_id for span in steps} == {seen.one("echo").context.span_id}


def test_yield_from_passes_everything_through(seen: Any) -> None:
    @agentops.track
    def outer() -> Any:
        return (yield from echo("x"))

    body = outer()
    assert next(body) == "x"
    assert body.throw(KeyError("y")) == "caught y"
    body.close()
    assert seen.outcome("outer") == seen.outcome("echo") == "abandoned"
    assert seen.parent_of("echo") == "outer"


def test_a_thrown_exception_comes_out_the_same(seen: Any) -> None:
    mine = ZeroDivisionError("mine")
    body = echo("a")
    next(body)
    with pytest.raises(ZeroDivisionError) as caught:
        body.throw(mine)
    assert caught.value is mine
    frames = traceback.extract_tb(mine.__traceback__)
    ours = [frame for frame in frames if "agentops_sdk" in frame.filename]
    assert len(ours) <= 1
    assert seen.outcome("echo") == "error"


def test_bad_arguments_of_a_generator_and_stop_iteration_inside(seen: Any) -> None:
    with pytest.raises(TypeError, match="first"):
        next(echo())

    @agentops.track
    def wrong() -> Any:
        yield 1
        raise StopIteration

    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        list(wrong())
    assert seen.outcome("wrong") == "error"


def test_a_generator_that_is_dropped_is_abandoned(seen: Any) -> None:
    body = echo("a")
    next(body)
    del body
    gc.collect()
    assert seen.outcome("echo") == "abandoned"
    assert seen.value("echo", "agentops.output") == ["a"]


def test_a_generator_that_refuses_to_close(seen: Any) -> None:
    @agentops.track
    def stubborn() -> Any:
        while True:
            try:
                yield 1
            except GeneratorExit:
                yield 2
                return

    body = stubborn()
    next(body)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        body.close()
    assert seen.outcome("stubborn") == "error"


def test_steps_in_many_threads(seen: Any) -> None:
    @agentops.track
    def count() -> Any:
        for number in range(6):
            with agentops.span(f"step {number}"):
                pass
            yield number

    body, got = count(), []
    for _ in range(6):
        thread = threading.Thread(target=lambda: got.append(next(body)))
        thread.start()
        thread.join()
    assert list(body) == []
    assert got == list(range(6))
    assert {seen.parent_of(f"step {number}") for number in range(6)} == {"count"}


def test_a_span_that_the_body_holds_over_a_yield_stays_its_own(seen: Any) -> None:
    @agentops.track
    def body() -> Any:
        with agentops.span("held"):
            yield 1
            with agentops.span("inside held"):
                pass
            yield 2
        with agentops.span("after held"):
            pass
        yield 3

    with agentops.span("consumer"):
        for number in body():
            with agentops.span(f"use {number}"):
                pass
    assert seen.tree() == {"consumer": None, "body": "consumer", "held": "body", "inside held": "held",
                           "after held": "body", "use 1": "consumer", "use 2": "consumer",
                           "use 3": "consumer"}  # fmt: skip


def test_two_generators_in_turns(seen: Any) -> None:
    @agentops.track
    def each(name: str) -> Any:
        for number in range(3):
            with agentops.span(f"{name} {number}"):
                pass
            yield number

    one = agentops.track(name="one")(each.__wrapped__)("one")
    two = agentops.track(name="two")(each.__wrapped__)("two")
    for pair in zip(one, two, strict=True):
        assert pair[0] == pair[1]
    tree = seen.tree()
    assert tree["one"] is None
    assert tree["two"] is None
    assert {tree[f"{name} {n}"] == name for name in ("one", "two") for n in range(3)} == {True}


def test_yielded_items_are_kept_within_bounds(seen: Any) -> None:
    @agentops.track
    def many() -> Any:
        for _ in range(3_000):
            yield "x" * 100

    for _ in many():
        pass
    items = seen.value("many", "agentops.output")
    assert items[-1] == f"…[+{3_001 - len(items)} items]"
    assert seen.one("many").attributes["agentops.stream.chunks"] == 3_000
    assert len(seen.one("many").attributes["agentops.output"]) <= 65_600


# --- asynchronous generators ------------------------------------------------------------------------


@agentops.track
async def aecho(first: str) -> Any:
    got: Any = first
    while True:
        async with agentops.span("step"):
            await asyncio.sleep(0)
        try:
            got = yield got
        except KeyError as error:
            got = f"caught {error.args[0]}"
        if got == "stop":
            return


async def test_asend_athrow_aclose(seen: Any) -> None:
    body = aecho("a")
    assert type(body) is types.AsyncGeneratorType
    assert await anext(body) == "a"
    assert await body.asend("b") == "b"
    assert await body.athrow(KeyError("k")) == "caught k"
    with pytest.raises(StopAsyncIteration):
        await body.asend("stop")
    await body.aclose()
    assert seen.outcome("aecho") == "ok"
    assert seen.value("aecho", "agentops.output") == ["a", "b", "caught k"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_timeouts_and_cancel_scopes_inside(seen: Any, backend: str) -> None:
    if backend == "trio":
        pytest.importorskip("trio", reason="trio is not installed")

    @agentops.track
    async def body() -> Any:
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep(30)
        yield scope.cancelled_caught
        if backend == "asyncio":
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(30)
            except TimeoutError:
                yield "timed out"
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        yield "done"

    async def main() -> list[Any]:
        return [item async for item in body()]

    expected = [True, "timed out", "done"] if backend == "asyncio" else [True, "done"]
    assert anyio.run(main, backend=backend) == expected
    assert seen.outcome("body") == "ok"


async def test_a_timeout_around_the_consumer_cancels_the_step(seen: Any) -> None:
    @agentops.track
    async def slow() -> Any:
        yield 1
        await asyncio.sleep(30)
        yield 2

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            async for _ in slow():
                pass
    assert seen.outcome("slow") == "cancelled"
    assert seen.value("slow", "agentops.output") == [1]


def test_left_early_and_closed_by_the_loop(seen: Any) -> None:
    closed = []

    @agentops.track
    async def body() -> Any:
        try:
            with agentops.span("held"):
                yield 1
                yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def main() -> None:
        async for _ in body():
            break
        while not closed:  # the loop closes it in a task of its own
            await asyncio.sleep(0)
        kept.append(body())
        await anext(kept[0])

    kept: list[Any] = []
    asyncio.run(main())
    assert closed == [True, True]
    outcomes = sorted(span.attributes["agentops.outcome"] for span in seen.all() if span.name == "body")
    assert outcomes == ["abandoned", "abandoned"]


async def test_steps_in_many_tasks(seen: Any) -> None:
    @agentops.track
    async def count() -> Any:
        with agentops.span("held"):
            for number in range(5):
                with agentops.span(f"step {number}"):
                    await asyncio.sleep(0)
                yield number

    body, got = count(), []
    for number in range(5):

        async def take() -> None:
            with agentops.span(f"taker {number}"):  # noqa: B023 - it is awaited at once
                got.append(await anext(body))

        await asyncio.create_task(take())
    assert [item async for item in body] == []
    tree = seen.tree()
    assert {tree[f"step {number}"] for number in range(5)} == {"held"}
    assert tree["held"] == "count"
    assert agentops.current_trace_id() is None


# --- exceptions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["function", "coroutine", "generator", "async generator", "class", "context"])
def test_our_frames_in_a_traceback_are_at_most_one(seen: Any, shape: str) -> None:
    def fail() -> None:
        raise LookupError("x")

    class Thing:
        def go(self) -> None:
            fail()

    async def coroutine() -> None:
        fail()

    def generator() -> Any:
        fail()
        yield

    async def stream() -> Any:
        fail()
        yield

    async def drain(body: Any) -> None:
        async for _ in body:
            pass

    runs: dict[str, Any] = {
        "function": lambda: agentops.track(fail)(),
        "coroutine": lambda: asyncio.run(agentops.track(coroutine)()),
        "generator": lambda: list(agentops.track(generator)()),
        "async generator": lambda: asyncio.run(drain(agentops.track(stream)())),
        "class": lambda: agentops.agent(Thing)().go(),
        "context": lambda: agentops.context(user_id="u")(fail)(),
    }
    with pytest.raises(LookupError) as caught:
        runs[shape]()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert sum("agentops_sdk" in frame.filename for frame in frames) == 1
    assert frames[-1].name == "fail"
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_coroutine_that_is_never_finished_is_abandoned(seen: Any) -> None:
    @agentops.track
    async def waits() -> None:
        await asyncio.sleep(30)

    coroutine = waits()

    async def start() -> None:
        await coroutine

    outer = start()
    loop = asyncio.new_event_loop()
    task = loop.create_task(outer)
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    assert seen.outcome("waits") == "cancelled"


# --- arguments and results --------------------------------------------------------------------------


def test_arguments_by_name(seen: Any) -> None:
    @agentops.track
    def f(a: int, /, b: int, *rest: int, c: int = 3, **more: Any) -> None: ...

    class Thing:
        @agentops.track
        def method(self, x: int, self_: int = 0) -> None: ...

        @agentops.track
        @classmethod
        def built(cls, y: int) -> None: ...

    f(1, 2, 5, 6, a=7, d=8)
    Thing().method(1)
    Thing.built(y=2)
    agentops.track(capture_defaults=True, name="defaults")(f.__wrapped__)(1, 2)
    agentops.track(name="partial")(functools.partial(f.__wrapped__, 1, c=9))(2)
    assert seen.value("f", "agentops.input") == {"a": 1, "b": 2, "rest": [5, 6], "more": {"a": 7}, "d": 8}
    assert seen.value("Thing.method", "agentops.input") == {"x": 1}
    assert seen.value("Thing.built", "agentops.input") == {"y": 2}
    assert seen.value("defaults", "agentops.input") == {"a": 1, "b": 2, "c": 3}
    assert seen.value("partial", "agentops.input") == {"b": 2}


def test_what_is_not_captured(seen: Any) -> None:
    def f(user: str, pin: str) -> str:
        return "result"

    agentops.track(name="neither", capture_input=False, capture_output=False)(f)("a", "b")
    agentops.track(name="ignored", ignore=("pin",))(f)("a", pin="b")
    agentops.track(name="processed", process_input=lambda given: list(given), process_output=len)(f)("a", "b")
    assert not {"agentops.input", "agentops.output"} & set(seen.one("neither").attributes)
    assert seen.value("ignored", "agentops.input") == {"user": "a"}
    assert seen.value("processed", "agentops.input") == ["user", "pin"]
    assert seen.value("processed", "agentops.output") == 6


@pytest.mark.guard_swallows
def test_a_hook_that_raises_hides_what_it_was_given_and_breaks_nothing(seen: Any) -> None:
    @agentops.track(process_input=lambda given: 1 / 0, process_output=lambda result: 1 / 0, cost=lambda result: 1 / 0)
    def f(pin: str) -> str:
        return f"{pin}!"

    assert f("1234") == "1234!"
    assert "1234" not in repr(dict(seen.one("f").attributes))
    assert seen.value("f", "agentops.input") == "<process_input failed>"
    assert "agentops.cost.amount" not in seen.one("f").attributes
    assert "agentops.cost.unknown_reason" in seen.one("f").attributes


def test_capture_content_off(seen: Any) -> None:
    exporter = seen.exporter
    agentops.init(exporters=[exporter], integrations=[], capture_content=False)

    @agentops.tool
    def f(x: str) -> Any:
        agentops.update_current_span(input=x, output=x)
        yield x

    list(f("private"))
    assert "private" not in repr(dict(seen.one("execute_tool f").attributes))


def test_the_same_object_comes_back_and_later_changes_do_not_show(seen: Any) -> None:
    given_, result = [1], {"a": [1]}

    @agentops.track
    def f(x: list[int]) -> dict[str, Any]:
        x.append(2)
        return result

    assert f(given_) is result
    result["a"].append("later")
    assert seen.value("f", "agentops.input") == {"x": [1]}
    assert seen.value("f", "agentops.output") == {"a": [1]}


@pytest.mark.parametrize(
    ("cost", "amount"), [(0.01, 0.01), (0, 0.0), (lambda r: r["price"], 0.25), (lambda r: None, None)]
)
def test_what_a_tool_costs(seen: Any, cost: Any, amount: float | None) -> None:
    @agentops.tool(cost=cost)
    def pay() -> dict[str, float]:
        return {"price": 0.25}

    pay()
    attributes = seen.one("execute_tool pay").attributes
    assert attributes.get("agentops.cost.amount") == amount
    if amount is None:
        assert attributes["agentops.cost.unknown_reason"]
    else:
        assert attributes["agentops.cost.source"] == "user"
        assert attributes["agentops.cost.currency"] == "USD"


def test_update_current_span(seen: Any) -> None:
    @agentops.task
    def f() -> None:
        mutable = {"a": 1}
        agentops.update_current_span(
            name="renamed", input=mutable, output="o", tags=["t"], metadata={"k": 1}, extra=mutable
        )
        mutable["a"] = 2
        assert agentops.current_span().trace_id == agentops.current_trace_id()

    f()
    assert seen.value("renamed", "agentops.input") == {"a": 1}
    assert seen.value("renamed", "agentops.output") == "o"
    attributes = seen.one("renamed").attributes
    assert list(attributes["agentops.tags"]) == ["t"]
    assert attributes["agentops.metadata.k"] == 1
    assert attributes["extra"] == '{"a":1}'


# --- what the decorated thing is --------------------------------------------------------------------


@agentops.tool(name="search")
def top(query: str, *, limit: int = 3) -> list[str]:
    """Find."""
    return [query] * limit


@agentops.agent
class Planner:
    """Plans."""

    def __init__(self, goal: str) -> None:
        self.goal = goal

    def run(self, depth: int) -> int:
        return depth + self.step(depth)

    def step(self, depth: int) -> int:
        with agentops.span("think"):
            return depth

    @staticmethod
    def aid() -> str:
        return "aid"

    @classmethod
    def make(cls) -> Planner:
        return cls("x")

    def _private(self) -> None: ...

    @property
    def size(self) -> int:
        return len(self.goal)


def test_functions_pickle_and_copy() -> None:
    assert pickle.loads(pickle.dumps(top)) is top
    assert copy.copy(top) is copy.deepcopy(top) is top
    assert top.__name__ == "top"
    assert top.__doc__ == "Find."
    assert top.__module__ == __name__
    assert inspect.signature(top) == inspect.signature(top.__wrapped__)
    assert typing.get_type_hints(top) == typing.get_type_hints(top.__wrapped__)


def test_a_class_is_one_agent(seen: Any) -> None:
    planner = Planner("goal")
    again = pickle.loads(pickle.dumps(planner))
    assert again.goal == "goal"
    assert copy.deepcopy(planner).goal == "goal"
    assert isinstance(planner, Planner)
    assert planner.size == 4
    assert planner.run(2) == 4
    assert Planner.aid() == "aid"
    tree = seen.tree()
    assert tree == {"invoke_agent Planner": None, "Planner.step": "invoke_agent Planner", "think": "Planner.step",
                    "Planner.aid": None}  # fmt: skip
    assert seen.one("think").attributes["gen_ai.agent.name"] == "Planner"
    assert seen.one("invoke_agent Planner").attributes["gen_ai.agent.description"] == "Plans."
    assert seen.value("invoke_agent Planner", "agentops.input") == {"depth": 2}


def test_two_objects_of_a_class_are_two_agents(seen: Any) -> None:
    @agentops.agent
    class Node:
        def ask(self, other: Any) -> None:
            if other is not None:
                other.ask(None)

    Node().ask(Node())
    assert seen.names() == ["invoke_agent Node", "invoke_agent Node"]


def test_every_spelling(seen: Any) -> None:
    kinds = {"agent": "agent", "tool": "tool", "workflow": "workflow", "task": "task", "operation": "task",
             "retriever": "retriever", "guardrail": "guardrail"}  # fmt: skip
    for spelling in kinds:

        def work() -> None: ...

        getattr(agentops, spelling)(name=f"{spelling} called")(work)()
        bare = getattr(agentops, spelling)(work)
        bare()
    found = collections.Counter(span.attributes["agentops.kind"] for span in seen.all())
    assert found == {kind: 2 * list(kinds.values()).count(kind) for kind in kinds.values()}


@pytest.mark.parametrize(
    "target", [len, print, int, dict, "".join, [].append, object(), 3, None.__class__, staticmethod(len)]
)
def test_what_cannot_be_tracked_says_so(target: Any) -> None:
    with pytest.raises(TypeError, match=r"cannot wrap"):
        agentops.track()(target)


@pytest.mark.parametrize("options", [{"kind": "nope"}, {"cost": -1}, {"cost": "much"}, {"ignore": "x"}, {"colour": 1},
                                     {"process_input": 3}, {"name": 3}, {"description": ["a"]}, {"capture_input": "no"},
                                     {"capture_output": None}, {"capture_defaults": 1}, {"ignore": 3},
                                     {"attributes": "team=search"}])  # fmt: skip
def test_bad_options_say_so(options: dict[str, Any]) -> None:
    with pytest.raises(agentops.ConfigError, match=rf"^{next(iter(options))}=.+: expected"):
        agentops.track(**options)


def test_a_text_in_place_of_a_function() -> None:
    with pytest.raises(agentops.ConfigError, match="name='search'"):
        agentops.tool("search")


def test_before_init_and_after_shutdown_it_is_the_function() -> None:
    @agentops.track
    def f(x: int) -> int:
        return x + 1

    @agentops.track
    def g() -> Any:
        yield from (1, 2)

    @agentops.track
    async def h() -> Any:
        yield 1

    async def drain() -> list[int]:
        return [item async for item in h()]

    assert f(1) == 2
    assert list(g()) == [1, 2]
    assert asyncio.run(drain()) == [1]


def test_recursion_and_reentrancy(seen: Any) -> None:
    @agentops.track
    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    assert factorial(5) == 120
    spans = {span.context.span_id: span for span in seen.all()}
    depth = 0
    for span in spans.values():
        level, above = 0, span.parent
        while above is not None:
            level, above = level + 1, spans[above.span_id].parent
        depth = max(depth, level)
    assert len(spans) == 5
    assert depth == 4

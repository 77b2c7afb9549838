"""A limit stops the next call before it reaches the vendor, whichever way the call is made, and the trace says so."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.limits import bodies
from tests.seen import Seen
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._limits.expectation import Expectation, dear, expected
from agentops_sdk.exporters.memory import MemoryExporter

openai = pytest.importorskip("openai", reason="the calls are those of OpenAI's client")

MESSAGES: Any = [{"role": "user", "content": "hi"}]


class Asked:
    """A client, and the server that counts what reaches it."""

    def __init__(self, wire: Wire, seen: Seen) -> None:
        self.wire = wire
        self.seen = seen
        self.client = openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0)
        self.exporter = seen.exporter

    @property
    def count(self) -> int:
        return len(self.wire.requests)

    def chat(self, model: str = "gpt-4o-mini", **more: Any) -> Any:
        return self.client.chat.completions.create(model=model, messages=MESSAGES, **more)

    def until_stopped(self, call: Callable[[], Any] | None = None) -> agentops.LimitExceeded:
        with pytest.raises(agentops.LimitExceeded) as caught:
            for _ in range(20):
                (call or self.chat)()
        return caught.value


@pytest.fixture
def asked() -> Iterator[Asked]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["openai"])
    with Wire(bodies.answer) as wire:
        running = Asked(wire, Seen(exporter))
        yield running
        running.client.close()


def test_a_count_stops_the_next_call(asked: Asked) -> None:
    with agentops.limits(model_calls=3):
        error = asked.until_stopped()
    assert asked.count == 3
    assert (error.limit, error.most, error.spent, error.unknown, error.unit) == ("model_calls", 3, 3, 0, "model calls")
    last = asked.seen.all()[-1]
    assert error.trace_id == f"{last.context.trace_id:032x}"
    assert last.name == "chat gpt-4o-mini"
    assert last.attributes["agentops.outcome"] == "error"
    assert last.attributes["error.type"].endswith("LimitExceeded")
    assert (last.attributes["agentops.limit"], last.attributes["agentops.limit.action"]) == ("3 model calls", "refused")
    assert "agentops.cost.amount" not in last.attributes
    assert "gen_ai.usage.input_tokens" not in last.attributes


@pytest.mark.parametrize(
    ("limit", "calls", "spent"),
    [({"cost": 0.002}, 3, 3 * bodies.COST), ({"tokens": 3_999}, 2, 4_000), ({"tokens": 4_000}, 2, 4_000),
     ({"cost": 0}, 0, 0), ({"cost": bodies.COST}, 1, bodies.COST)],
)  # fmt: skip
@pytest.mark.parametrize("streamed", [False, True])
def test_one_call_after_the_other_is_counted_exactly(
    asked: Asked, limit: dict[str, Any], calls: int, spent: float, streamed: bool
) -> None:
    def call() -> None:
        if streamed:
            list(asked.chat(stream=True, stream_options={"include_usage": True}))
        else:
            asked.chat()

    with agentops.limits(**limit):
        error = asked.until_stopped(call)
    assert asked.count == calls
    assert error.spent == pytest.approx(spent)
    assert error.reserved == 0


def test_asynchronous_calls_and_blocks(asked: Asked) -> None:
    async def main() -> agentops.LimitExceeded:
        async with openai.AsyncOpenAI(api_key="none", base_url=asked.wire.url) as client, agentops.limits(cost=0.001):
            for _ in range(20):
                try:
                    await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
                except agentops.LimitExceeded as error:
                    return error
        raise AssertionError("never stopped")

    assert asyncio.run(main()).spent == pytest.approx(2 * bodies.COST)
    assert asked.count == 2


def test_functions_of_every_kind_count_anew(asked: Asked) -> None:
    @agentops.limits(model_calls=1)
    def plain(calls: int) -> None:
        for _ in range(calls):
            asked.chat()

    @agentops.limits(model_calls=1)
    def generator(calls: int) -> Iterator[int]:
        for number in range(calls):
            asked.chat()
            yield number

    @agentops.limits(model_calls=1)
    async def coroutine(calls: int) -> None:
        for _ in range(calls):
            asked.chat()

    @agentops.limits(model_calls=1)
    async def asynchronous_generator(calls: int) -> AsyncIterator[int]:
        for number in range(calls):
            asked.chat()
            yield number

    async def all_of(calls: int) -> list[int]:
        return [number async for number in asynchronous_generator(calls)]

    runs: list[Callable[[int], Any]] = [
        plain, lambda calls: list(generator(calls)), lambda calls: asyncio.run(coroutine(calls)),
        lambda calls: asyncio.run(all_of(calls)),
    ]  # fmt: skip
    for run in runs:
        before = asked.count
        run(1)
        run(1)
        with pytest.raises(agentops.LimitExceeded):
            run(2)
        assert asked.count == before + 3


def test_all_limits_around_a_call_hold_and_inner_ones_end(asked: Asked) -> None:
    with agentops.limits(model_calls=3):
        with agentops.limits(model_calls=1):
            asked.until_stopped()
        assert asked.count == 1
        error = asked.until_stopped()
    assert (asked.count, error.most) == (3, 3)
    asked.chat()


def test_tools_are_not_run(asked: Asked) -> None:
    ran: list[str] = []

    @agentops.tool
    def search(query: str) -> str:
        ran.append(query)
        return query

    @agentops.tool
    async def fetch(query: str) -> str:
        ran.append(query)
        return query

    @agentops.tool
    def rows() -> Iterator[int]:
        ran.append("rows")
        yield 1

    with agentops.limits(tool_calls=3, per_tool={"search": 2}):
        search("a")
        search("b")
        with pytest.raises(agentops.LimitExceeded, match="2 calls of search") as caught:
            search("c")
        assert (caught.value.limit, caught.value.tool) == ("per_tool", "search")
        asyncio.run(fetch("d"))
        for call in (lambda: asyncio.run(fetch("e")), lambda: list(rows())):
            with pytest.raises(agentops.LimitExceeded):
                call()
        with pytest.raises(agentops.LimitExceeded), agentops.span("by hand", kind="tool"):
            ran.append("by hand")
    assert ran == ["a", "b", "d"]
    assert asked.seen.outcome("execute_tool rows") == "error"
    search("f")


def test_money_that_is_gone_stops_tools_too_and_theirs_counts(asked: Asked) -> None:
    @agentops.tool(cost=0.4)
    def dear() -> None: ...

    with agentops.limits(cost=1):
        error = asked.until_stopped(dear)
    assert error.spent == pytest.approx(1.2)
    assert asked.seen.names().count("execute_tool dear") == 4


def test_agents_one_inside_of_the_other(asked: Asked) -> None:
    @agentops.agent
    def recursive(depth: int) -> int:
        return recursive(depth - 1) + 1 if depth > 1 else 1

    with agentops.limits(depth=3):
        assert recursive(3) == 3
        with pytest.raises(agentops.LimitExceeded, match="3 agents deep") as caught:
            recursive(4)
    assert "reached by agent recursive" in str(caught.value)
    assert "3 of 3 agents run one inside of the other already" in str(caught.value)
    assert caught.value.unit == "agents"


def test_time_is_up_for_the_next_call(asked: Asked) -> None:
    with agentops.limits(seconds=0):
        error = asked.until_stopped()
    assert (error.limit, asked.count) == ("seconds", 0)
    assert str(error).endswith(" of 0 seconds have passed")


def test_a_limit_in_another_currency_says_what_to_write(asked: Asked) -> None:
    with agentops.limits("3 eur"):
        text = str(asked.until_stopped())
    assert "what gpt-4o-mini costs is counted in USD: write the limit in USD" in text
    assert 'agentops.prices.set(…, currency="EUR")' in text
    assert asked.count == 0


def test_a_price_that_is_set_while_the_program_runs_is_expected_of_the_next_call(asked: Asked) -> None:
    asked.chat()
    with agentops.limits(cost=1):
        asked.chat()
    agentops.prices.set("gpt-4o-mini", input=100, output=100, currency="EUR")  # a dated one of it answers
    try:
        with agentops.limits("0.3 eur"):
            error = asked.until_stopped()
    finally:
        agentops.prices.clear()
    assert (error.unit, error.unknown) == ("EUR", 0)
    assert error.spent == pytest.approx(0.4)
    assert asked.seen.all()[-2].attributes["agentops.cost.source"] == "user"


@pytest.mark.parametrize(("more", "calls", "times"), [(1, 3, 1), (0.4, 3, 3), (0.25, 2, 3), (1e-9, 2, 3)])
def test_who_raises_a_limit_by_too_little_is_asked_again(asked: Asked, more: float, calls: int, times: int) -> None:
    """Of two calls; ``times`` asked for the last one, at the most."""
    questions: list[str] = []

    def answer(error: agentops.LimitExceeded) -> float:
        questions.append(str(error))
        return more if len(questions) < 5 else 0

    with agentops.limits(model_calls=2, on_limit=answer):
        asked.chat()
        asked.chat()
        if calls > 2:
            asked.chat()
            assert len(questions) == times
            assert asked.seen.all()[-1].attributes["agentops.limit.action"] == "allowed"
        else:
            with pytest.raises(agentops.LimitExceeded, match="raised 3 times by too little"):
                asked.chat()
            assert len(questions) == times
            assert asked.seen.all()[-1].attributes["agentops.limit.action"] == "refused"
    assert asked.count == min(calls, 3)


@pytest.mark.guard_swallows
def test_what_a_function_of_the_program_raises_is_told_as_its_error(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    def ask_boss(error: agentops.LimitExceeded) -> bool:
        raise LookupError("no boss")

    def hide(value: Any) -> Any:
        return value["absent"]

    @agentops.tool(process_output=hide)
    def look_up() -> dict[str, int]:
        return {"a": 1}

    def tell(notice: agentops.Notice) -> None:
        raise RuntimeError

    def price(*_: Any) -> float:
        raise ZeroDivisionError

    agentops.prices.set_callback(price)
    alert = agentops.alert("cost > 0 usd", then=tell)
    with agentops.limits(model_calls=1, on_limit=ask_boss):
        look_up()
        asked.until_stopped()
    agentops.flush()
    alert.remove()
    agentops.prices.clear()
    told = {each.getMessage().split(" function of your program ")[0].split()[-1]: each.getMessage()
            for each in caplog.records if "function of your program" in each.getMessage()}  # fmt: skip
    assert told.keys() >= {"on_limit", "process_output", "price"}
    assert "ask_boss" in told["on_limit"]
    assert f"({__file__}:{ask_boss.__code__.co_firstlineno + 1})" in told["on_limit"]
    assert "raised LookupError" in told["on_limit"]
    assert not [each for each in caplog.records if "internal error" in each.getMessage()]


@pytest.mark.parametrize("limit", [{"cost": 3 * bodies.COST}, {"tokens": 6_000}])
def test_calls_outside_of_a_limit_tell_what_the_next_one_may_use(asked: Asked, limit: dict[str, Any]) -> None:
    """Three of ten calls at once fit: by an answer of the usual length, which nobody has seen, more would."""
    within = agentops.limits(**limit)
    with within:
        pass
    with agentops.limits(model_calls=9):
        asked.chat()
    agentops.flush()
    go, ended = threading.Event(), list[str]()

    def wait(_: Request) -> Reply:
        go.wait(30)
        return Reply(bodies.body({"content": "hi"}))

    asked.wire.replies[:] = [wait]

    def one() -> None:
        try:
            asked.chat()
            ended.append("made")
        except agentops.LimitExceeded:
            ended.append("refused")
        if len(ended) == 7:
            go.set()

    with within, ThreadPoolExecutor(10) as pool:
        for _ in range(10):
            pool.submit(one)
    assert sorted(ended) == ["made"] * 3 + ["refused"] * 7


@pytest.mark.parametrize("limit", [{"model_calls": 7}, {"cost": 7 * bodies.COST}, {"tokens": 14_000}])
def test_many_calls_at_once_do_not_pass_a_limit_together(asked: Asked, limit: dict[str, Any]) -> None:
    with agentops.limits(**limit):
        asked.chat()  # what a call of this model uses is known
    go = threading.Event()

    def late(request: Request) -> Reply:
        go.wait(20)
        return bodies.answer(request)

    asked.wire.replies[:] = [late]
    refused: list[agentops.LimitExceeded] = []
    done: list[Any] = []

    def one() -> None:
        try:
            done.append(asked.chat())
        except agentops.LimitExceeded as error:
            refused.append(error)
            if len(refused) == 23:
                go.set()

    agentops.flush()
    with agentops.limits(**limit), ThreadPoolExecutor(30) as pool:
        for _ in range(30):
            pool.submit(one)
    assert len(done) == 7
    assert asked.count == 8
    assert len(refused) == 23


def test_an_unknown_price_is_never_nothing(asked: Asked) -> None:
    with agentops.limits(cost=1) as _:
        error = asked.until_stopped(lambda: asked.chat("nobody-knows-it"))
        assert "price of nobody-knows-it is not known: set it with agentops.prices.set()" in str(error)
        asked.chat()
    assert asked.count == 1
    unknown = Reply(bodies.body({"content": "hi"}, model="nobody-knows-it"))
    asked.wire.replies[:] = [unknown]
    each = dear(
        bodies.USAGE["prompt_tokens"], bodies.USAGE["completion_tokens"]
    )  # what it told, and not what was expected
    with agentops.limits(cost=1.5 * each, unknown_price="estimate"):
        error = asked.until_stopped(lambda: asked.chat("nobody-knows-it"))
    assert error.unknown == asked.count - 1 == 2
    assert error.spent == pytest.approx(2 * each)
    with agentops.limits(cost=0.05, model_calls=5, unknown_price="allow"):
        assert asked.until_stopped(lambda: asked.chat("nobody-knows-it")).limit == "model_calls"
    agentops.prices.alias("house-deployment", "gpt-4o-mini")
    with agentops.limits(cost=0.05):
        asked.chat("house-deployment")


@pytest.mark.parametrize(("limit", "spent"), [({"cost": 0.0007}, bodies.COST), ({"tokens": 1990}, 2000)])
def test_work_in_the_background_counts_once_as_what_its_end_tells(limit: dict[str, Any], spent: float) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 1000, "total_tokens": 2000}
    body = {"object": "response", "model": "gpt-4o-mini", "output": [], "background": True, "status": "queued"}
    replies = [{"id": f"resp_{number}", **body} for number in (1, 2, 1)]
    end = {"id": "resp_1", **body, "status": "completed", "usage": usage}
    agentops.init(exporters=["memory"], integrations=["openai"])
    with (
        Wire(*map(Reply, [*replies, end])) as wire,
        openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client,
        agentops.limits(**limit),
    ):
        for _ in range(2):
            client.responses.create(model="gpt-4o-mini", input="x", background=True, max_output_tokens=3)
        for _ in range(3):  # waits, reads its end, and reads it again
            client.responses.retrieve("resp_1")
        with pytest.raises(agentops.LimitExceeded) as caught:
            client.responses.create(model="gpt-4o-mini", input="x")
    assert caught.value.spent == pytest.approx(spent, rel=0.01)  # and a little, as the second is expected to use
    assert (caught.value.unknown, caught.value.reserved) == (1, 0)


def test_a_call_that_failed_cost_nothing_and_was_a_call(asked: Asked) -> None:
    asked.wire.replies[:] = [Reply({"error": {"message": "no"}}, status=400)]
    with agentops.limits(cost=0.001, model_calls=3):
        for _ in range(3):
            with pytest.raises(openai.BadRequestError):
                asked.chat()
        error = asked.until_stopped()
    assert (error.limit, error.spent) == ("model_calls", 3)


def test_warn_and_mark_let_the_call_be_made(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    for action, lines in (("warn", 1), ("mark", 0)):
        caplog.clear()
        with agentops.limits(model_calls=1, on_limit=action):
            for _ in range(3):
                asked.chat()
        assert len([record for record in caplog.records if "limit of 1 model calls" in record.getMessage()]) == lines
        marks = [span.attributes.get("agentops.limit.action") for span in asked.seen.all()][-3:]
        assert marks == [None, f"{action}ed", f"{action}ed"]
    assert asked.count == 6


def test_who_is_asked_decides_and_it_is_recorded(asked: Asked) -> None:
    answers: list[Any] = [True, 2, False]
    errors: list[agentops.LimitExceeded] = []

    def answer(error: agentops.LimitExceeded) -> Any:
        errors.append(error)
        return answers.pop(0)

    limits = agentops.limits(model_calls=1, on_limit=answer)
    with agentops.testing.capture() as traces, agentops.span("run", kind="workflow"), limits:
        error = asked.until_stopped()
    assert asked.count == 3  # one, one that was allowed, and one more, the limit being 3 now
    assert [(each.spent, each.most) for each in errors] == [(1, 1), (2, 1), (3, 3)]
    assert error is errors[-1]
    decisions = traces.decisions
    assert [(each.kind, each.chosen, each.by) for each in decisions] == [
        ("limit", "allow", "code"), ("limit", "allow", "code"), ("limit", "refuse", "code"),
    ]  # fmt: skip
    assert decisions[-1].reason == str(error)


@pytest.mark.guard_swallows
def test_nobody_agrees_where_asking_fails_or_nobody_sits_there(asked: Asked) -> None:
    def fails(error: agentops.LimitExceeded) -> bool:
        raise ValueError("mine")

    for on_limit in (fails, "ask"):
        before = asked.count
        with agentops.limits(model_calls=1, on_limit=on_limit):
            asked.until_stopped()
        assert asked.count == before + 1


def test_whoever_is_asked_may_end_the_program(asked: Asked) -> None:
    def leaves(error: agentops.LimitExceeded) -> bool:
        raise KeyboardInterrupt  # Ctrl-C in place of an answer

    @agentops.tool
    def act() -> None: ...

    @agentops.agent
    def steps() -> Iterator[int]:
        yield 1

    def block() -> None:
        with agentops.span("other", kind="llm"):
            pass

    with agentops.span("notebook"), agentops.limits(model_calls=0, tool_calls=0, depth=0, on_limit=leaves):
        for call in (asked.chat, act, lambda: list(steps()), block):
            with pytest.raises(KeyboardInterrupt):
                call()
            with agentops.span("next"):
                pass
    calls = [span for span in asked.seen.all() if span.attributes.get("agentops.kind") in ("llm", "tool", "agent")]
    assert [span.attributes["agentops.outcome"] for span in calls] == ["interrupted"] * 4
    assert asked.seen.parent_of("notebook") is None
    assert {asked.seen.tree()["next"]} == {"notebook"}
    assert asked.count == 0


def test_limits_follow_threads_and_tasks(asked: Asked) -> None:
    with agentops.limits(model_calls=2), ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(asked.chat) for _ in range(4)]
        errors = [future.exception() for future in futures]
    assert sorted(type(error).__name__ for error in errors) == [
        "LimitExceeded",
        "LimitExceeded",
        "NoneType",
        "NoneType",
    ]
    assert asked.count == 2


@pytest.mark.parametrize("settings", [{"sample_ratio": 0.0}, {"capture_content": False}])
def test_what_is_not_exported_counts_all_the_same(asked: Asked, settings: dict[str, Any]) -> None:
    agentops.configure(**settings)
    with agentops.limits(cost=0.002):
        assert asked.until_stopped().spent == pytest.approx(3 * bodies.COST)
    assert asked.count == 3


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({}, "limits"), ({"cost": -1}, "cost"), ({"cost": "1"}, "cost"), ({"tokens": 1.5}, "tokens"),
     ({"model_calls": True}, "model_calls"), ({"per_tool": 3}, "per_tool"), ({"per_tool": {"a": -1}}, "per_tool['a']"),
     ({"cost": 1, "per": "galaxy"}, "per"), ({"cost": 1, "on_limit": "explode"}, "on_limit"),
     ({"repeats": 0}, "repeats"), ({"cost": float("nan")}, "cost"),
     ({"cost": 1, "unknown_price": "guess"}, "unknown_price")],
)  # fmt: skip
def test_what_cannot_work_is_told_where_it_is_written(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(agentops.ConfigError) as caught:
        agentops.limits(**arguments)
    assert caught.value.name == name


def test_the_error_travels(asked: Asked) -> None:
    with agentops.limits(model_calls=0):
        error = asked.until_stopped()
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), vars(copy)) == (str(error), vars(error))


@agentops.tool
def step(number: int) -> int:
    return number


def functions_passed(number: int) -> int:
    """How many of our functions one call of a tool passes on the caller's thread."""
    passed = 0

    def note(frame: Any, event: str, _: Any) -> None:
        nonlocal passed
        passed += event == "call" and "agentops_sdk" in frame.f_code.co_filename

    sys.setprofile(note)
    step(number)
    sys.setprofile(None)
    return passed


def test_a_tool_passes_few_functions_more() -> None:
    agentops.init(exporters=[MemoryExporter()], integrations=[])
    step(0)
    agentops.flush()  # or whether the consumer sleeps already is counted, and what the last one used is waited for
    unlimited = functions_passed(1)
    with agentops.limits(cost=1, tokens=10, model_calls=10, tool_calls=10, seconds=1_000):
        step(2)
        agentops.flush()
        assert 3 < functions_passed(3) - unlimited <= 10


@pytest.mark.guard_swallows
def test_a_bug_of_ours_lets_the_call_be_made(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    from agentops_sdk._limits import call_gate

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    with agentops.limits(model_calls=0):
        monkeypatch.setattr(call_gate, "_looked_up", broken)
        asked.chat()
    assert asked.count == 1


def test_models_that_are_tried_one_after_the_other_have_the_price_of_the_dearest() -> None:
    def of(models: str, providers: str) -> Expectation:
        names = {"gen_ai.request.model": f"fallback:{models}", "gen_ai.provider.name": f"fallback:{providers}"}
        return expected(names, {"max_tokens": 1_000})

    dear = expected({"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}, {"max_tokens": 1_000})
    assert of("gpt-4o-mini,gpt-4o", "openai,openai") == dear
    assert not of("gpt-4o-mini,nobody-knows", "openai,openai").priced

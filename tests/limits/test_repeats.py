"""What goes round is stopped while it runs; what only looks like it is not: twenty cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.limits import bodies
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._limits.repetition import Key, key_of_attributes
from agentops_sdk.exporters.memory import MemoryExporter

MOST = 3
TURNS = 9


@pytest.fixture(autouse=True)
def _started() -> None:
    agentops.init(exporters=[MemoryExporter()], integrations=["openai"])


def tool(name: str, results: Callable[[int], Any]) -> Callable[..., Any]:
    """A tool that gives ``results(number of the call)``."""
    numbers = itertools.count()

    @agentops.tool(name=name)
    def run(**arguments: Any) -> Any:
        result = results(next(numbers))
        if isinstance(result, Exception):
            raise result
        return result

    return run


def attempt(call: Callable[..., Any], **arguments: Any) -> None:
    try:
        call(**arguments)
    except OSError:
        pass


def same(_: int) -> str:
    return "the same"


def agent(name: str, answer: Callable[[int], Any] = lambda turn: None) -> Callable[[int], Any]:
    return agentops.agent(name=name)(lambda turn: answer(turn))


# --- what goes round: each is done again and again -------------------------------------------------


def same_call() -> Iterator[Any]:
    search = tool("search", same)
    for _ in range(TURNS):
        yield search(q="x", limit=3)


def arguments_in_another_order() -> Iterator[Any]:
    search = tool("search", same)
    for turn in range(TURNS):
        yield search(q="x", limit=3) if turn % 2 else search(limit=3, q="x")


def arguments_written_otherwise() -> Iterator[Any]:
    search = tool("search", same)
    for turn in range(TURNS):
        yield search(q="x y", limit=3.0, page=None) if turn % 2 else search(q=" x  y ", limit=3)


def two_tools_in_turn() -> Iterator[Any]:
    one, two = tool("one", same), tool("two", same)
    for turn in range(3 * TURNS):
        yield (two if turn % 2 else one)(q="x")


def nothing_comes_back() -> Iterator[Any]:
    press = tool("press", lambda _: None)
    for _ in range(TURNS):
        yield press(key="enter")


def fails_alike_for_good() -> Iterator[Any]:
    broken = tool("broken", lambda _: OSError("down"))
    for _ in range(TURNS):
        yield attempt(broken, q="x")


def agents_hand_to_each_other() -> Iterator[Any]:
    one, two = agent("one"), agent("two")
    for turn in range(3 * TURNS):
        yield (two if turn % 2 else one)(turn)


ROUND = [
    same_call, arguments_in_another_order, arguments_written_otherwise, two_tools_in_turn, nothing_comes_back,
    fails_alike_for_good, agents_hand_to_each_other,
]  # fmt: skip


# --- what only looks like it -----------------------------------------------------------------------


def pages() -> Iterator[Any]:
    search = tool("search", same)
    for turn in range(TURNS):
        yield search(q="x", page=turn)


def pages_by_a_cursor() -> Iterator[Any]:
    search = tool("search", lambda turn: {"next": f"cursor-{turn}", "rows": []})
    for turn in range(TURNS):
        yield search(q="x", cursor=f"cursor-{turn}")


def records_by_their_ids() -> Iterator[Any]:
    fetch = tool("fetch", same)
    for turn in range(TURNS):
        yield fetch(id=turn)


def polling_with_change() -> Iterator[Any]:
    status = tool("status", lambda turn: f"{turn * 10} %")
    for _ in range(TURNS):
        yield status(job="j")


def polling_that_stands_still_for_a_moment() -> Iterator[Any]:
    status = tool("status", lambda turn: f"{turn // 2} of 5")
    for _ in range(TURNS):
        yield status(job="j")


def retries_until_it_works() -> Iterator[Any]:
    flaky = tool("flaky", lambda turn: "fine" if turn == 4 else OSError("down"))
    for _ in range(5):
        yield attempt(flaky, q="x")


def retries_of_several_failures() -> Iterator[Any]:
    flaky = tool("flaky", lambda turn: (OSError if turn % 2 else ConnectionError)("down"))
    for _ in range(6):
        yield attempt(flaky, q="x")


def runs_between_edits() -> Iterator[Any]:
    run, edit = tool("run_tests", lambda _: "1 failed"), tool("edit", same)
    for turn in range(TURNS):
        edit(line=turn)
        yield run(path="tests")


def reading_after_writing() -> Iterator[Any]:
    read, write = tool("read", same), tool("write", lambda turn: f"version {turn}")
    for _ in range(TURNS):
        write(path="a", text="b")
        yield read(path="a")


def different_tools_with_the_same_arguments() -> Iterator[Any]:
    for turn in range(TURNS):
        yield tool(f"tool_{turn}", same)(q="x")


def agents_that_get_on() -> Iterator[Any]:
    one, two = agent("one", lambda turn: f"draft {turn}"), agent("two", lambda turn: f"criticism {turn}")
    for turn in range(3 * TURNS):
        yield (two if turn % 2 else one)(turn)


def agents_that_find_something_out() -> Iterator[Any]:
    search = tool("search", same)
    one, two = agent("one"), agent("two", lambda turn: search(page=turn) and None)
    for turn in range(3 * TURNS):
        yield (two if turn % 2 else one)(turn)


def hidden_results() -> Iterator[Any]:
    @agentops.tool(capture_output=False)
    def secret(q: str) -> str:
        return "whatever"

    for _ in range(TURNS):
        yield secret("x")


STRAIGHT = [
    pages, pages_by_a_cursor, records_by_their_ids, polling_with_change, polling_that_stands_still_for_a_moment,
    retries_until_it_works, retries_of_several_failures, runs_between_edits, reading_after_writing,
    different_tools_with_the_same_arguments, agents_that_get_on, agents_that_find_something_out, hidden_results,
]  # fmt: skip


# --- what is recorded in part only may have been anything ----------------------------------------------


def long_texts_that_differ_at_their_end() -> Iterator[Any]:
    write = tool("write", same)
    for turn in range(TURNS):
        yield write(text=f"{'x' * 100_000} {turn}")


def long_results_that_differ_at_their_end() -> Iterator[Any]:
    read = tool("read", lambda turn: f"{'x' * 100_000} {turn}")
    for _ in range(TURNS):
        yield read(path="a")


def recordings_of_one_length() -> Iterator[Any]:
    upload = tool("upload", same)
    for turn in range(TURNS):
        yield upload(data=bytes([turn]))


def rows_that_have_no_text() -> Iterator[Any]:
    after = tool("after", lambda turn: object())
    for _ in range(TURNS):
        yield after(cursor="c")


def indentation_of_code() -> Iterator[Any]:
    write = tool("write", same)
    for turn in range(TURNS):
        yield write(code=f"if x:\n{' ' * turn}y()")


def hidden_arguments() -> Iterator[Any]:
    secret = agentops.tool(name="secret", capture_input=False)(lambda q: "nothing")
    for turn in range(TURNS):
        yield secret(turn)


IN_PART = [
    hidden_arguments, long_texts_that_differ_at_their_end, long_results_that_differ_at_their_end,
    recordings_of_one_length, rows_that_have_no_text, indentation_of_code,
]  # fmt: skip


def test_there_are_twenty_cases() -> None:
    assert len(ROUND) + len(STRAIGHT) == 20


@pytest.mark.parametrize("case", ROUND)
def test_what_goes_round_is_stopped(case: Callable[[], Iterator[Any]]) -> None:
    with agentops.limits(repeats=MOST), agentops.span("run"), pytest.raises(agentops.LimitExceeded) as caught:
        for _ in case():
            pass
    assert (caught.value.limit, caught.value.spent) == ("repeats", MOST)


@pytest.mark.parametrize("case", STRAIGHT + IN_PART)
def test_what_gets_on_is_not(case: Callable[[], Iterator[Any]]) -> None:
    with agentops.limits(repeats=MOST), agentops.span("run"):
        assert len(list(case())) > MOST


def test_it_says_what_was_wasted() -> None:
    with agentops.limits(repeats=2), pytest.raises(agentops.LimitExceeded, match="same call of search") as caught:
        list(same_call())
    assert "1 calls and" in str(caught.value)


def test_the_same_question_again() -> None:
    openai = pytest.importorskip("openai", reason="openai is not installed")
    numbers = itertools.count()

    def other(request: Request) -> Reply:
        return Reply(bodies.body({"content": f"answer {next(numbers)}"}))

    with Wire(bodies.answer) as wire, openai.OpenAI(api_key="none", base_url=wire.url) as client:

        def ask(question: str) -> None:
            client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": question}])

        with agentops.limits(repeats=MOST), pytest.raises(agentops.LimitExceeded, match="same question") as caught:
            for _ in range(TURNS):
                ask("the same")
        assert (len(wire.requests), caught.value.spent) == (MOST, MOST)
        with agentops.limits(repeats=MOST):
            for turn in range(TURNS):
                ask(f"question {turn}")
        wire.replies[:] = [other]
        with agentops.limits(repeats=MOST):  # samples of one question are no loop while the answers differ
            for _ in range(TURNS):
                ask("the same")


def test_what_alerts_take_for_the_same_call() -> None:
    made = {"gen_ai.tool.name": "press", "agentops.outcome": "ok"}
    result, asked = {"gen_ai.tool.call.result": "no"}, {"gen_ai.tool.call.arguments": "{}"}
    same = key_of_attributes("tool", {**made, **result, **asked})
    assert same is not None
    assert key_of_attributes("tool", {**made, **result}) == same  # one that takes no arguments
    assert key_of_attributes("tool", {**made, **asked, "agentops.outcome": "error"}) == same
    hidden = {"agentops.withheld": ["gen_ai.tool.call.arguments"]}
    for attributes in ({**made, **result, **hidden}, {**made, **asked}, made):
        assert key_of_attributes("tool", attributes) is None


def test_what_an_alert_sees_redacted_may_have_been_anything() -> None:
    def key(about: str) -> Key | None:
        said = {"gen_ai.tool.name": "check", "gen_ai.tool.call.result": "no"}
        return key_of_attributes("tool", {**said, "gen_ai.tool.call.arguments": f'{{"about": "{about}"}}'})

    assert key("[redacted:email]") == ("tool", "check", 0)
    assert key("x") == key(" x ") != ("tool", "check", 0)

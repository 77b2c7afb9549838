"""A limit holds, and is fair, under forks, cut off calls, damaged files, odd answers and a clock set back."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import functools
import json
import os
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._host import guard
from agentops_sdk._limits.account import Account
from agentops_sdk._limits.window_file import WindowFile
from agentops_sdk._limits.window_line import Line
from agentops_sdk.limit_rules import from_text

CALL = functools.partial(
    agentops.span, "chat", kind="llm", **{"gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "openai"}
)


@agentops.tool
def step() -> None: ...


class Later:
    """Nobody waits for it."""

    def __await__(self) -> Iterator[None]:
        yield


def steps(limits: agentops.limits, most: int = 9) -> int:
    count = 0
    try:
        with limits:
            for _ in range(most):
                step()
                count += 1
    except agentops.LimitExceeded:
        pass
    return count


def in_child(work: Callable[[], Any]) -> Any:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_forked_workers_share_a_window_that_was_entered_before(started: Path) -> None:
    limits = agentops.limits("5 tool calls / day")
    assert steps(limits, 1) == 1
    agentops.flush(10)

    def work() -> int:
        count = steps(limits, 3)
        agentops.flush(10)
        return count

    assert [in_child(work) for _ in range(3)] == [3, 1, 0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_is_not_charged_for_what_its_parent_has_under_way(started: Path) -> None:
    with agentops.limits(tokens=10):
        contextvars.copy_context().run(CALL().__enter__)  # under way, and expected to use more than there is

        def work() -> bool:
            with CALL():
                return True

        with pytest.raises(agentops.LimitExceeded, match="under way"):
            work()
        assert in_child(work)


@pytest.mark.parametrize("amount", ["nan", "inf", "-50"])
def test_a_damaged_line_neither_lifts_a_limit_nor_closes_it(started: Path, amount: str) -> None:
    rule = from_text("3 tool calls / day")
    file = WindowFile(started / "limits", rule)
    path = file._path(int(time.time() // (rule.window or 1)))
    path.parent.mkdir()
    path.write_text(f"{time.time()} other - {amount}\n{amount} other - 1\n{time.time()} other - 1\n")
    assert steps(agentops.limits("3 tool calls / day")) == 2
    agentops.flush()
    file.read()
    file.go_on()
    path.write_text(f"{time.time()} new - 2\n")  # another file, shorter: somebody has removed the first
    assert [line.amount for line in file.read()] == [2]


@pytest.mark.parametrize(
    ("answer", "calls"),
    [(True, 4), (2, 4), (False, 1), (None, 1), (0, 1), (-1, 1), (float("nan"), 1), (Later(), 1), ("no", 1), (["y"], 1)],
)
def test_only_an_agreement_is_one(started: Path, answer: Any, calls: int) -> None:
    assert steps(agentops.limits(tool_calls=1, on_limit=lambda error: answer), 4) == calls


def test_a_coroutine_is_no_agreement_and_who_is_asked_is_not_asked_about_their_own_calls(
    started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(error: agentops.LimitExceeded) -> bool:
        return True

    assert steps(agentops.limits(tool_calls=1, on_limit=lambda error: later(error))) == 1
    asked: list[agentops.LimitExceeded] = []

    def judge(error: agentops.LimitExceeded) -> bool:
        asked.append(error)
        step()
        return True

    monkeypatch.setattr(guard, "reraise", False)  # what the judge raises is the judge's
    assert steps(agentops.limits(tool_calls=0, on_limit=judge)) == 0
    assert len(asked) == 1


def test_a_call_that_was_cut_off_counts_as_expected_and_does_not_end_the_program(started: Path) -> None:
    async def call() -> None:
        with CALL():
            await asyncio.sleep(60)

    async def main() -> None:
        with agentops.limits(cost=1):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call(), 0.01)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call(), 0.01)

    asyncio.run(main())


def test_a_clock_that_is_set_back_does_not_close_a_window_for_years() -> None:
    account = Account(60.0)
    account.add(3, time.time() + 10 * 365 * 86_400)
    account.roll()
    assert account.spent == 3
    account._slots[-1][0] -= 102
    account.roll()
    assert account.spent == 0


def test_what_others_tell_late_counts_no_longer_than_what_they_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    account, now = Account(86_400), time.time()
    account.add(1)
    account.add(5, now - 20 * 3_600)
    account.add(2, now - 10 * 3_600)
    for hours, spent in ((0, 8), (5, 3), (15, 1), (25, 0)):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + hours * 3_600)
        account.roll()
        assert account.spent == spent


def test_files_of_windows_that_are_over_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, begun = WindowFile(tmp_path, from_text("5 tool calls / minute")), time.time()
    for minute in range(5):
        monkeypatch.setattr(time, "time", lambda minute=minute: begun + 60 * minute)
        file.add([Line(time.time(), "me", minute + 1, "-", 1.0)])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("text", ["2.5 model calls", "0.5 tokens / day", "1.5 calls of search", "0 repeats"])
def test_calls_and_tokens_are_whole_in_texts_too(text: str) -> None:
    with pytest.raises(agentops.ConfigError):
        agentops.limits(text)


@pytest.mark.parametrize("value", ["no", 3, None, float, [1]])
def test_errors_reach_another_process(value: Any) -> None:
    error = agentops.ConfigError("on_limit", value, "one of these")
    once = pickle.loads(pickle.dumps(error))
    for other in (once, pickle.loads(pickle.dumps(once)), copy.copy(error)):
        assert (str(other), other.name, other.expected) == (str(error), "on_limit", "one of these")


def test_a_call_whose_answer_was_not_waited_for_counts_as_expected(started: Path) -> None:
    def late() -> None:
        with pytest.raises(TimeoutError), CALL():
            raise TimeoutError

    for most in ({"cost": 1e-9}, {"tokens": 1}):
        with agentops.limits(**most):  # type: ignore[arg-type] # one of them
            late()
            with pytest.raises(agentops.LimitExceeded) as caught, CALL():
                pass
        assert caught.value.unknown == 1
        assert caught.value.spent > 0


def test_a_limit_that_is_changed_goes_on_with_what_was_used(started: Path) -> None:
    agentops.configure(limits="3 tool calls / process; 9 tool calls / day")
    step()
    step()
    agentops.configure(on_limit="warn")
    agentops.configure(on_limit="raise")
    agentops.configure(limits="4 tool calls / process; 9 tool calls / day")
    step()
    step()
    with pytest.raises(agentops.LimitExceeded, match="4 of 4"):
        step()


def test_many_runs_displace_nothing_of_what_a_user_has_used(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_sdk._limits.limit_counts._MOST_ACCOUNTS", 3)
    limits = agentops.limits("1 tool call / user / day", "9 tool calls / run")
    with limits, agentops.context(user_id="ada"):
        step()
    for _ in range(9):
        with limits, agentops.context(user_id="ben"), agentops.span("run"), contextlib.suppress(agentops.LimitExceeded):
            step()
    with limits, agentops.context(user_id="ada"), pytest.raises(agentops.LimitExceeded):
        step()


def test_an_amount_does_not_tell_an_unknown_price_and_raises_nothing() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    asked: list[agentops.LimitExceeded] = []
    unknown = {"gen_ai.request.model": "of-nobody", "gen_ai.provider.name": "nobody"}
    with agentops.limits(cost=1, on_limit=lambda error: asked.append(error) or 2.0):
        for number in (1, 2):
            with (
                pytest.raises(agentops.LimitExceeded, match="True makes the call") as caught,
                agentops.span("m", kind="llm", attributes=unknown),
            ):
                pass
            assert (caught.value.most, len(asked)) == (1, number)

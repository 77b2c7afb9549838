"""How many of our functions one streamed chat passes is counted and held: what is added here, every call pays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="the walk is that of OpenAI's client")

ROOT = Path(__file__).parents[1]
MOST = {"caller": 89, "consumer": 218, "reader": 228}
"""Not much above what benchmarks/call_walk.py prints. Where a count goes down for good, its bound goes down with it."""


MOST_WITH_LIMITS = 10
"""Further calls, on both threads together, of a model call that limits on cost, tokens and calls count."""


def walked(*options: str) -> dict[str, dict[str, int]]:
    ran = subprocess.run(
        [sys.executable, "benchmarks/call_walk.py", "--json", *options],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, dict[str, int]] = json.loads(ran.stdout)
    return found


def test_the_walk_of_one_call_stays_short() -> None:
    plain, limited = walked(), walked("--limits")
    counts = {leg: found["calls"] for leg, found in plain.items()}
    assert set(counts) == set(MOST)
    assert {leg: calls for leg, calls in counts.items() if calls > MOST[leg]} == {}, "see benchmarks/call_walk.py"
    assert min(counts.values()) > 50  # it did measure
    own = [{leg: found["calls"] - found["queue"] for leg, found in each.items()} for each in (plain, limited)]
    growth = sum(own[1][leg] - own[0][leg] for leg in ("caller", "consumer"))
    assert 4 < growth <= MOST_WITH_LIMITS

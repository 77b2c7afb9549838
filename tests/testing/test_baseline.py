"""A test run judged against an earlier one, with and without workers of xdist."""

from __future__ import annotations

import pytest

from agentops_sdk.traces import load

TESTS = """
import os, pytest
import agentops_sdk as agentops

@pytest.mark.parametrize("number", range(12))
def test_it(number):
    with agentops.span("run", kind="workflow"):
        agentops.decide("route", os.environ["ROUTE"], options=["refund", "escalate"], by="code")
"""


def test_what_changed_since_the_baseline_fails_the_run(
    run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_agent=TESTS)
    monkeypatch.setenv("ROUTE", "refund")
    assert run("--agentops-keep=before", "test_agent.py").ret == 0
    assert len(load(pytester.path / "before")) == 12
    monkeypatch.setenv("ROUTE", "escalate")
    result = run("--agentops-baseline=before", "-n1", "test_agent.py")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*gate: fail, 12 runs against 12 of the baseline", "*fail: decisions.route*"])
    (pytester.path / "gate.toml").write_text("[scores.helpful]\nmin = 1\n")
    result = run("--agentops-baseline=before", "--agentops-rules=gate.toml", "test_agent.py", "-knone_of_this_name")
    assert result.ret == 4

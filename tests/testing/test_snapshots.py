"""Snapshots: the readable form, and both snapshot libraries in test runs of their own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk.testing import capture

ROOT = Path(__file__).parents[2]

TEST = """
import uuid
import pytest
import agentops_sdk as agentops
{imports}

@agentops.tool
def search(q, receipt):
    return [q, str(uuid.uuid4())]

@agentops.agent
def planner(q):
    with agentops.decision("route", options=["a", "b"]) as d:
        d.choose("a", reason="it is first")
    return search(q, "call_" + uuid.uuid4().hex)

def test_it(traces{fixture}):
    planner("{q}")
    assert traces == snapshot{call}
"""
FORM = """\
agent planner
  decision route: a of a, b (it is first)
  tool search(q="{q}", receipt="<call id>") -> ["{q}", "<uuid>"]"""


def needs(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed here")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def start(*options: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "agentops_sdk.pytest_plugin", *options)

    return start


@needs("syrupy")
def test_syrupy(run, pytester: pytest.Pytester) -> None:
    given = {"imports": "", "fixture": ", snapshot", "call": ""}
    pytester.makepyfile(test_s=TEST.format(q="sloths", **given))
    run("-p", "syrupy", "--snapshot-update").assert_outcomes(passed=1)
    (stored,) = pytester.path.glob("__snapshots__/*.ambr")
    for line in FORM.format(q="sloths").splitlines():
        assert line in stored.read_text()
    run("-p", "syrupy").assert_outcomes(passed=1)
    pytester.makepyfile(test_s=TEST.format(q="bears", **given))
    result = run("-p", "syrupy")
    result.assert_outcomes(failed=1)
    assert "sloths" in result.stdout.str()
    assert "bears" in result.stdout.str()


@needs("inline_snapshot")
def test_inline_snapshot(run, pytester: pytest.Pytester) -> None:
    given = {"imports": "from inline_snapshot import snapshot", "fixture": ""}
    path = pytester.makepyfile(test_i=TEST.format(q="sloths", call="()", **given))
    plugin = ("-p", "inline_snapshot.pytest_plugin")
    run(*plugin, "--inline-snapshot=create")
    written = path.read_text()
    for line in FORM.format(q="sloths").splitlines():
        assert line in written
    run(*plugin).assert_outcomes(passed=1)
    run(*plugin, "--inline-snapshot=disable").assert_outcomes(passed=1)
    path.write_text(written.replace('planner("sloths")', 'planner("bears")'))
    run(*plugin, "--inline-snapshot=disable").assert_outcomes(failed=1)


def test_the_form() -> None:
    @agentops.tool
    def fail(at: str) -> None:
        raise ValueError("no order 0af7651916cd43dd8448eb211c80319c at 127.0.0.1:4711")

    @agentops.agent
    def planner() -> None:
        with agentops.span("step\nwith a line break", kind="task"), pytest.raises(ValueError, match="no order"):
            fail("2026-08-01T10:00:00Z")

    with capture() as traces:
        planner()
        planner()
    one = (
        "agent planner\n"
        "  task step with a line break\n"
        '    tool fail(at="<time>") [error: ValueError: no order <id> at 127.0.0.1:<port>]'
    )
    assert traces == f"{one}\n\n{one}"
    assert traces[0] == one
    assert traces[0] != traces[1]
    assert traces[0].snapshot(content=False) == "agent planner\n  task step with a line break\n    tool fail [error]"
    assert traces != "something else"
    assert traces != 5


def test_tokens_are_told_if_asked_for() -> None:
    from tests.testing.test_messages import dear

    assert dear().snapshot(tokens=True).splitlines() == [
        "agent writer",
        '  llm gpt-4o-mini -> "Fine." 1.0k→50 tokens',
        '  llm gpt-4o-mini -> "Fine." 2.0k→50 tokens',
        '  llm gpt-4o-mini -> "Fine." 3.0k→50 tokens',
    ]

"""The demo: what it prints, and what it leaves on disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from examples.local_model import LocalModel

from agentops_sdk import semconv
from agentops_sdk.traces import load

ROOT = Path(__file__).parents[2]


def _run(directory: Path, **env: str) -> subprocess.CompletedProcess[str]:
    hidden = ("AGENTOPS_", "OTEL_", "OPENAI_")
    return subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "demo.py")],
        cwd=directory,
        env={**{k: v for k, v in os.environ.items() if not k.startswith(hidden)}, "COLUMNS": "80", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def done(directory: Path) -> subprocess.CompletedProcess[str]:
    done = _run(directory, AGENTOPS_FINDINGS="true")
    assert done.returncode == 0, done.stderr
    return done


def test_it_shows_the_tree_and_says_where_it_is(done: subprocess.CompletedProcess[str], directory: Path) -> None:
    assert done.stderr == ""
    (file,) = (directory / ".agentops" / "traces").glob("*.jsonl")
    assert str(file.relative_to(directory)) in done.stdout
    assert "show latest" in done.stdout
    for word in ("invoke_agent trip_planner", "chat gpt-4o-mini", "execute_tool get_weather", "ExchangeClosedError"):
        assert word in done.stdout
    assert max(len(line) for line in done.stdout.partition("recorded:")[2].splitlines()[:-2]) <= 80


def test_the_rules_of_security_findings_find_nothing_in_it(
    done: subprocess.CompletedProcess[str], directory: Path
) -> None:
    (trace,) = load(directory / ".agentops")
    assert len(trace.tool_calls) > 1
    assert not any(semconv.FINDINGS in span.attributes for span in trace.spans)


def test_what_it_recorded(done: subprocess.CompletedProcess[str], directory: Path) -> None:
    (file,) = (directory / ".agentops" / "traces").glob("*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (directory / ".agentops" / ".gitignore").read_text().strip() == "*"
    (trace,) = load(file)
    (agent,) = trace.agents
    assert agent.attributes[semconv.AGENT_NAME] == "trip_planner"
    assert trace.outcome == "ok"
    assert trace.session_id is not None

    calls = trace.llm_calls
    assert [call.name for call in calls] == ["chat gpt-4o-mini"] * 4
    assert {call.parent_id for call in calls} == {agent.span_id}
    assert [call.attributes.get(semconv.REQUEST_STREAM, False) for call in calls] == [False, False, False, True]
    for call in calls:
        assert call.outcome == "ok"
        assert call.attributes[semconv.USAGE_INPUT_TOKENS] > 0
        assert call.attributes[semconv.USAGE_OUTPUT_TOKENS] > 0
        assert call.attributes[semconv.COST_AMOUNT] > 0
        assert json.loads(call.attributes[semconv.INPUT_MESSAGES])[-1]
        assert json.loads(call.attributes[semconv.OUTPUT_MESSAGES])

    tools = [(tool.attributes[semconv.TOOL_NAME], tool.outcome) for tool in trace.tool_calls]
    assert tools == [("get_weather", "ok"), ("convert_currency", "error"), ("convert_currency", "ok")]
    assert [error.name for error in trace.errors] == ["execute_tool convert_currency"]
    assert trace.cost.amount is not None
    assert trace.cost.amount > 0


def test_it_talks_to_the_service_it_is_given(tmp_path: Path) -> None:
    with LocalModel() as server:
        done = _run(tmp_path, OPENAI_API_KEY="local", OPENAI_BASE_URL=server.base_url, OPENAI_MODEL="gpt-4o")
        assert done.returncode == 0, done.stderr
        assert [request["model"] for request in server.requests] == ["gpt-4o"] * 4
        assert "sunny" in done.stdout


def test_a_service_that_refuses_is_told_and_shown(tmp_path: Path) -> None:
    from examples.local_model import Reply

    with LocalModel(lambda _: Reply("No credit.", status=403, error_code="no_credit")) as server:
        done = _run(tmp_path, OPENAI_API_KEY="local", OPENAI_BASE_URL=server.base_url)
    assert done.returncode == 1
    assert "No credit." in done.stderr
    assert "PermissionDeniedError" in done.stdout

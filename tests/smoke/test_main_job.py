"""The main job on real files: init, track, nested spans, a JSONL line per span, and everything put back."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

import agentops_sdk as agentops


def records(directory: Path) -> dict[str, dict]:
    files = sorted((directory / "traces").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return {row["name"]: row for row in rows}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    agentops.init(directory=tmp_path / ".agentops", integrations=[])
    return tmp_path / ".agentops"


def test_nested_calls_become_nested_records(home: Path) -> None:
    @agentops.agent
    def answer(question: str) -> str:
        with agentops.span("think", kind="plan") as step:
            step.set("depth", 2)
        return asyncio.run(look_up(question, limit=1))

    @agentops.track(kind="tool", name="search")
    async def look_up(query: str, *, limit: int) -> str:
        """Find it."""
        return query.upper()

    assert answer("why?") == "WHY?"
    assert agentops.flush()
    rows = records(home)
    agent, plan, tool = rows["invoke_agent answer"], rows["plan think"], rows["execute_tool search"]
    assert agent["parent_id"] is None
    assert plan["parent_id"] == tool["parent_id"] == agent["span_id"]
    assert {agent["trace_id"], plan["trace_id"], tool["trace_id"]} == {agent["trace_id"]}
    assert (agent["kind"], plan["kind"], tool["kind"]) == ("agent", "plan", "tool")
    assert tool["attributes"]["gen_ai.operation.name"] == "execute_tool"
    assert json.loads(tool["attributes"]["gen_ai.tool.call.arguments"]) == {"query": "why?", "limit": 1}
    assert json.loads(tool["attributes"]["gen_ai.tool.call.result"]) == "WHY?"
    assert tool["attributes"]["gen_ai.tool.description"] == "Find it."
    assert tool["attributes"]["gen_ai.agent.name"] == "answer"
    assert plan["attributes"]["depth"] == 2
    assert {row["outcome"] for row in rows.values()} == {"ok"}


def test_the_same_exception_comes_out_and_is_recorded(home: Path) -> None:
    mine = ValueError("not this")

    @agentops.track
    def fail() -> None:
        raise mine

    with pytest.raises(ValueError, match="not this") as caught:
        fail()
    assert caught.value is mine
    agentops.flush()
    row = records(home)["fail"]
    assert (row["outcome"], row["status"], row["attributes"]["error.type"]) == ("error", "error", "ValueError")
    (event,) = row["events"]
    assert event["attributes"]["exception.message"] == "not this"
    assert "raise mine" in event["attributes"]["exception.stacktrace"]


def test_files_belong_to_the_owner_and_git_ignores_them(home: Path) -> None:
    with agentops.span("one"):
        pass
    agentops.flush()
    (file,) = (home / "traces").glob("*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert (home / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("variable", ["AGENTOPS_ENABLED=0", "OTEL_SDK_DISABLED=true"])
def test_switched_off_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    assert not agentops.init(directory=tmp_path / "d").enabled
    with agentops.span("nothing") as s:
        s.set("x", 1)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("again", [{}, {"restart": True}])
def test_init_twice_goes_on_elsewhere(tmp_path: Path, again: dict) -> None:
    agentops.init(directory=tmp_path / "one", integrations=[])
    with agentops.span("first"):
        pass
    status = agentops.init(directory=tmp_path / "two", integrations=[], **again)
    assert status.spans["started"] == (0 if again else 1)  # the figures of what began, whatever sinks it has
    with agentops.span("second"):
        pass
    agentops.shutdown()
    assert list(records(tmp_path / "one")) == ["first"]
    assert list(records(tmp_path / "two")) == ["second"]
    assert not agentops.status().enabled


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"exporters": ["nope"]}, "exporters='nope'"),
        ({"queue_size": -1}, "queue_size=-1: expected a whole number of at least 1"),
        ({"enabled": "perhaps"}, "enabled='perhaps'"),
        ({"colour": "red"}, "a known setting: enabled, exporters"),
        ({"integrations": ["nope"]}, "integrations='nope'"),
    ],
)
def test_a_bad_keyword_says_what_would_be_right(tmp_path: Path, bad: dict, named: str) -> None:
    with pytest.raises(agentops.ConfigError, match="expected") as caught:
        agentops.init(directory=tmp_path, **bad)
    assert named in str(caught.value)
    assert not agentops.status().enabled


def test_a_bad_variable_warns_once_and_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_QUEUE_SIZE", f"many-{os.getpid()}")
    with pytest.warns(UserWarning, match="AGENTOPS_QUEUE_SIZE"):
        status = agentops.init(directory=tmp_path, integrations=[])
    assert status.settings["queue_size"].value == 10_000
    agentops.init(directory=tmp_path, integrations=[])  # warnings are errors here: a second one would fail

"""``agentops agents``: who was seen, from files alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_cli import write
from tests.traces.samples import chat, span

from agentops_sdk.cli import main
from agentops_sdk.traces import SpanRecord, load
from agentops_sdk.traces.figures.agents_seen import agents_in


def _agent(parent: Any, name: str, at: int, *, scope: str = "agentops_sdk", error: bool = False, **told: Any) -> Any:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **told}
    status = "error" if error else "unset"
    return span(f"invoke_agent {name}", attributes, parent=parent, at=at, status=status, scope={"name": scope})


_CARD = {
    "agentops.a2a.agent.provider": "Acme",
    "agentops.a2a.agent.skills": ["refunds"],
    "agentops.a2a.agent.url": "https://agents.example/billing",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lead in one process asks a clerk in another, and hands over to billing, which another recorder has seen."""
    tools = json.dumps([{"type": "function", "name": "look_up"}, {"type": "function", "name": "refund"}])
    lead = _agent(None, "lead", 0, **{"agentops.framework": "crewai", "gen_ai.agent.version": "1.2"})
    handoff = {"name": "agentops.handoff", "time_ns": lead.start_ns, "attributes": {"agentops.handoff.to": "billing"}}
    lead = SpanRecord.model_validate({**lead.model_dump(), "events": [handoff]})
    clerk = _agent(lead, "clerk", 10, **{"agentops.framework": "agno", "gen_ai.tool.definitions": tools})
    about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}
    about |= {"agentops.mcp.server.name": "shop", "agentops.mcp.server.version": "2.0"}
    tool = span("execute_tool look_up", about, parent=clerk, at=20)
    billing = _agent(None, "billing", 40, scope="gcp.vertex.agent", error=True, **_CARD)
    write(tmp_path / "traces" / "a.jsonl", lead, chat(lead, at=5), billing)
    write(tmp_path / "traces" / "b.jsonl", clerk, tool, chat(clerk, at=30))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


def test_who_was_seen(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "--dir", "traces", "--json"]) == 0
    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {name: row["frameworks"] for name, row in rows.items()} == {
        "lead": ["crewai"], "clerk": ["agno"], "billing": ["google-adk"],
    }  # fmt: skip
    assert rows["lead"]["versions"] == ["1.2"]
    assert rows["clerk"]["servers"] == {"shop 2.0": 1}
    assert [rows["billing"][name] for name in ("providers", "skills", "urls")] == [
        ["Acme"], ["refunds"], ["https://agents.example/billing"],
    ]  # fmt: skip
    assert rows["lead"]["calls"] == {"clerk": 1, "billing": 1}
    assert rows["clerk"]["called_by"] == rows["billing"]["called_by"] == {"lead": 1}
    assert rows["clerk"]["tools"] == {"look_up": 1, "refund": 0}
    assert [row["runs"] for row in rows.values()] == [1, 1, 1]
    assert sum(rows["clerk"]["models"].values()) == sum(rows["lead"]["models"].values()) == 1
    assert rows["clerk"]["cost"]["amount"] > 0


def test_the_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "--dir", "traces"]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = ["agent", "version", "framework", "runs", "errors", "tools", "servers", "models", "calls", "cost"]
    assert lines[0].split() == titles
    assert any("look_up 1, refund" in line for line in lines)
    assert all(len(line) <= 140 for line in lines)


def test_who_hands_over_beside_itself_and_who_is_asked_elsewhere() -> None:
    """A handoff may be a span of its own, and an agent in another process has a span on both ends."""
    asks, offers = _agent(None, "desk", 0), span("handoff", {}, parent=None, at=1, kind="task")
    handed = {"name": "agentops.handoff", "time_ns": 1, "attributes": {"agentops.handoff.to": "clerk"}}
    offers = offers.model_copy(update={"parent_id": asks.span_id, "trace_id": asks.trace_id})
    offers = SpanRecord.model_validate({**offers.model_dump(), "events": [handed]})
    here = _agent(asks, "travel", 2).model_copy(update={"span_kind": "CLIENT"})
    there = _agent(here, "travel", 3).model_copy(update={"span_kind": "SERVER"})
    seen = {agent.name: dict(agent.calls) for agent in agents_in(load([asks, offers, here, there]))}
    assert seen == {"desk": {"clerk": 1, "travel": 1}, "clerk": {}, "travel": {}}

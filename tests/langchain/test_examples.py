"""The examples run as their readers would run them, and their traces tell what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # five processes, each of which imports all of LangChain

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, directory: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run an example in a directory of its own; the records of the traces that it added there."""
    known = set((directory / ".agentops" / "traces").glob("*.jsonl"))
    hidden = ("AGENTOPS_", "OTEL_", "OPENAI_", "LANGCHAIN_", "LANGSMITH_")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=directory,
        env={key: value for key, value in os.environ.items() if not key.startswith(hidden)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "contained an internal error" not in done.stderr
    files = set((directory / ".agentops" / "traces").glob("*.jsonl")) - known
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def parents(records: list[dict[str, Any]]) -> dict[str, str | None]:
    names = {record["span_id"]: record["name"] for record in records}
    return {record["name"]: names.get(record["parent_id"]) for record in records}


def test_agent(tmp_path: Path) -> None:
    records = run("langchain_agent.py", tmp_path)
    above = parents(records)
    assert above["forecast"] == "execute_tool get_weather"
    assert above["execute_tool get_weather"] == above["execute_tool convert_currency"] == "tools"
    assert above["model"] == above["tools"] == "invoke_agent trip_planner"
    assert above["invoke_agent trip_planner"] is None


def test_rag(tmp_path: Path) -> None:
    records = run("langchain_rag.py", tmp_path)
    (found,) = [record for record in records if record["kind"] == "retriever"]
    documents = json.loads(found["attributes"]["gen_ai.retrieval.documents"])
    assert [document["id"] for document in documents] == ["lisbon"]
    assert parents(records)["invoke_workflow guide"] is None


def test_map_reduce(tmp_path: Path) -> None:
    records = run("langgraph_map_reduce.py", tmp_path)
    named = {record["name"]: record["attributes"] for record in records}
    assert sum(record["name"] == "joke" for record in records) == 3
    assert named["judge"]["agentops.decision.chosen"] == "praise"
    assert named["judge"]["agentops.graph.next"] == ["praise"]
    changes = json.loads(named["praise"]["agentops.graph.changes"])
    assert changes["best"]["wrote"] == "Ha! " + changes["best"]["before"]


def test_approval_goes_on_in_a_second_process(tmp_path: Path) -> None:
    pytest.importorskip("langgraph.checkpoint.sqlite", reason="langgraph-checkpoint-sqlite is not installed")
    asked = run("langgraph_approval.py", tmp_path)
    first = {record["name"]: record for record in asked}["invoke_workflow payment"]
    assert first["outcome"] == "interrupted"
    assert first["status"] != "error"
    assert json.loads(first["attributes"]["agentops.interrupts"])[0]["value"]["question"].startswith("May I")

    answered = run("langgraph_approval.py", tmp_path, "yes")
    second = {record["name"]: record for record in answered}["invoke_workflow payment"]
    assert second["outcome"] == "ok"
    assert second["attributes"]["gen_ai.conversation.id"] == first["attributes"]["gen_ai.conversation.id"]
    assert (
        second["attributes"]["agentops.graph.resumed_from.checkpoint.id"]
        == first["attributes"]["agentops.graph.checkpoint.id"]
    )
    assert second["attributes"]["agentops.decision.by"] == "human"

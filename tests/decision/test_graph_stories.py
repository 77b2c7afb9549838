"""Stories of graphs and agents of LangGraph, as people write them: no line of ours in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.traces import load
from agentops_sdk.traces.decisions.narrative import story

pytest.importorskip("langgraph", reason="langgraph is not installed")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

from tests.langchain import programs_graphs as programs

_ID = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"(\d+m \d\ds|[\d.]+ m?s)\b")
pytestmark = [
    pytest.mark.filterwarnings("ignore::langgraph.warnings.LangGraphDeprecatedSinceV10"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.deprecation.LangChainDeprecationWarning"),
]
Run = Callable[[Callable[[Any], None]], list[Any]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a program and gives its traces, as they are on disk."""
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=["langchain", "openai"])
    with LocalModel(lambda request: Reply(f"You said: {request['messages'][-1]['content']}")) as server:

        def chat(script: Any = None, **options: Any) -> Any:
            from langchain_openai import ChatOpenAI

            server.script = script or server.script
            given = {"model": "gpt-4o-mini", "max_retries": 0, **options}
            return ChatOpenAI(base_url=server.base_url, api_key="local", **given)

        def started(program: Callable[[Any], None]) -> list[Any]:
            program(chat)
            assert agentops.flush()
            return sorted(load(tmp_path), key=lambda trace: trace.start_ns)

        yield started
    agentops.shutdown()


def told(trace: Any) -> list[str]:
    return [_ID.sub("ID", _TIME.sub("t", line)) for line in story(trace)]


def test_a_router(run: Run) -> None:
    assert [told(trace) for trace in run(programs.router)] == [
        ["After classify, route chose billing, not general. It worked (t)."]
    ]


def test_a_node_that_commands(run: Run) -> None:
    assert [told(trace) for trace in run(programs.commands)] == [
        ["The node triage went on to expert, not clerk. It worked (t)."]
    ]


def test_an_agent_and_its_edges(run: Run) -> None:
    assert [told(trace) for trace in run(programs.react_agent)] == [
        [
            "The model gpt-4o-mini called weather. It worked (t).",
            "The model answered without calling weather.",
        ]
    ]


def test_a_supervisor(run: Run) -> None:
    pytest.importorskip("langgraph_supervisor", reason="langgraph-supervisor is not installed")
    (trace,) = run(programs.supervisor)
    lines = told(trace)
    # The supervisor offers its two tools in any order.
    assert [line.partition(" without ")[0] for line in lines] == [
        "The model gpt-4o-mini called transfer_to_writer, not transfer_to_editor. Why: All done. It worked (t).",
        "The agent boss handed over to writer. It worked (t).",
        "The model called transfer_to_editor, not transfer_to_writer. Why: All done. It worked (t).",
        "The agent boss handed over to editor. It worked (t).",
        "The model answered",
    ]


def test_a_person_is_asked_and_answers(run: Run) -> None:
    asked, answered = run(programs.approval)
    assert told(asked) == ['The node ask stopped to ask a person: {"may I": "pay"}.']
    assert told(answered) == ["A person said yes after t. Asked in trace ID."]
    (made,) = answered.decisions
    assert made.by == "human"
    assert made.waited == made.span.attributes[semconv.DECISION_WAITED]
    # No shorter than from the end of the one run to the start of the other, no longer than both together.
    assert (answered.start_ns - asked.end_ns) / 1e9 <= made.waited <= (answered.end_ns - asked.start_ns) / 1e9


def test_a_breakpoint(run: Run) -> None:
    stopped, went_on = run(programs.breakpoint_before)
    assert told(stopped) == ["The graph mailer stopped to wait for a person."]
    assert told(went_on) == ["A person said continue after t. Asked in trace ID."]

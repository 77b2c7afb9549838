"""Feedback after the fact reaches a span, a trace or a session as the conventions' evaluation result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops


def result(span: Any) -> dict[str, Any]:
    (event,) = [event for event in span.events if event.name == "gen_ai.evaluation.result"]
    return dict(event.attributes)


def test_a_live_span_gets_the_event_itself(seen: Any) -> None:
    with agentops.span("answer"):
        agentops.feedback(name="helpful", value=True, comment="to the point")
    assert result(seen.one("answer")) == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "true",
        "gen_ai.evaluation.explanation": "to the point",
    }


def test_a_span_that_ended(seen: Any) -> None:
    with agentops.span("answer") as span:
        pass
    agentops.feedback(span, name="relevance", value=0.5)
    answer, given = seen.one("answer"), seen.one("evaluate relevance")
    assert given.parent.span_id == answer.context.span_id
    assert given.context.trace_id == answer.context.trace_id
    assert result(given) == {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5}
    assert given.attributes["agentops.feedback.target"] == "span"


def test_a_trace_and_a_session(seen: Any) -> None:
    with agentops.span("answer"):
        trace_id = agentops.current_trace_id()
    agentops.feedback(trace_id, name="whole", value="good")
    agentops.feedback("session-7", name="visit", value=3)
    whole, visit = seen.one("evaluate whole"), seen.one("evaluate visit")
    assert whole.attributes["agentops.feedback.target"] == "trace"
    assert whole.attributes["agentops.feedback.trace_id"] == trace_id
    assert result(whole)["gen_ai.evaluation.score.label"] == "good"
    assert visit.attributes["agentops.feedback.target"] == "session"
    assert visit.attributes["session.id"] == "session-7"
    assert result(visit)["gen_ai.evaluation.score.value"] == 3.0


def test_outside_of_spans_it_is_about_the_session_and_is_no_run(tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    with agentops.context(session_id="session-7"):
        with agentops.span("answer"):
            pass
        agentops.feedback(name="visit", value=3)
    agentops.feedback(name="lost", value=1)
    agentops.flush()
    traces = agentops.traces.load(tmp_path)
    assert [trace.name for trace in traces.runs] == ["answer"]
    assert [each.name for each in traces.latest.evaluations] == ["visit"]
    about = {trace.name: trace.root.attributes for trace in traces}
    assert about["evaluate visit"]["agentops.feedback.target"] == "session"
    assert "agentops.invalid" not in about["evaluate visit"]
    assert about["evaluate lost"]["agentops.feedback.target"] == "none"
    assert about["evaluate lost"]["agentops.invalid"] == ["target"]


@pytest.mark.parametrize(
    ("odd", "name", "verdict"),
    [({"name": "", "value": 1}, "unnamed", {"gen_ai.evaluation.score.value": 1.0}),
     ({"name": "x", "value": None}, "x", {"gen_ai.evaluation.score.label": "None"}),
     ({"name": "x", "value": float("nan")}, "x", {"gen_ai.evaluation.score.label": "nan"}),
     ({"name": 3, "value": 1}, "3", {"gen_ai.evaluation.score.value": 1.0})],
)  # fmt: skip
def test_what_cannot_be_is_kept_and_marked(odd: dict[str, Any], name: str, verdict: dict[str, Any], seen: Any) -> None:
    agentops.feedback("session-7", **odd)
    marked = "name" if odd["name"] in ("", 3) else "value"
    assert result(seen.one(f"evaluate {name}")) == {
        "gen_ai.evaluation.name": name, **verdict, "agentops.invalid": [marked]
    }  # fmt: skip


def test_without_init_it_does_nothing() -> None:
    agentops.feedback("s", name="x", value=1)
    agentops.update_current_span(name="y", input=1)
    assert agentops.current_trace_id() is None
    assert not agentops.current_span().recording

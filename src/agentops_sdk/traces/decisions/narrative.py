"""A run told by its decisions: sentences that a person can read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.decisions.approvals import answered_in, asked_in
from agentops_sdk.traces.decisions.wording import predicate, subject
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.figures.loops import canonical, loops

if TYPE_CHECKING:
    from collections.abc import Collection

    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_ENDS = {
    "ok": "worked",
    "error": "failed",
    "cancelled": "was cancelled",
    "abandoned": "was given up",
    "interrupted": "was interrupted",
    "running": "is still running",
    "unfinished": "never finished",
}


def story(trace: Trace, traces: Traces | None = None) -> list[str]:
    """One sentence or two per decision, in the order they were made, then a sentence per loop.

    Args:
        traces: where the trace is from. A run that stopped to ask a person then names the one that the answer set
            going; without it only the later of the two names the other, where both ran in one process.
    """
    several_models = len(trace.models) > 1
    several_agents = len({str(decision.span.attributes.get(semconv.AGENT_NAME)) for decision in trace.decisions}) > 1
    result: list[str] = []
    failed: dict[tuple[str, ...], str] = {}  # calls that a model made and that failed, with the span of the first
    named = False
    for decision in trace.decisions:
        # What a program or a person has set going before was not called by the model.
        calls = {span.span_id: _call(decision, span) for span in decision.followed_by if decision.kind == "tool"}
        again = {call[1] for span_id, call in calls.items() if failed.get(call, span_id) != span_id}
        model = several_models or not named
        result.append(
            sentence(decision, model=model, agent=several_agents, again=again) + _half(trace, decision, traces)
        )
        named = named or decision.kind == "tool"
        for span in decision.followed_by:
            if span.span_id in calls and span.kind == "tool" and span.outcome == "error":
                failed.setdefault(calls[span.span_id], span.span_id)
    return [*result, *(f"Going round: {line(str(loop))}." for loop in loops(trace))]


def sentence(decision: Decision, *, model: bool = True, agent: bool = False, again: Collection[str] = ()) -> str:
    """What was decided, by whom, among what, why, and what came of it."""
    decided = f"{subject(decision, model=model, agent=agent)} {predicate(decision, again)}."
    return " ".join(part for part in (decided, _reason(decision), _outcome(decision)) if part)


def _half(trace: Trace, decision: Decision, traces: Traces | None) -> str:
    """Where the other half of the run is, which a person's answer stands between."""
    for word, ids in (("Asked", asked_in(decision, traces)), ("Answered", answered_in(trace, decision, traces))):
        if ids:
            return f" {word} in trace {' and '.join(ids)}."
    return ""


def _call(decision: Decision, span: SpanRecord) -> tuple[str, ...]:
    """Who called what with which arguments."""
    get, agent = span.attributes.get, decision.span.attributes.get(semconv.AGENT_NAME)
    return str(agent), str(get(semconv.TOOL_NAME, span.name)), canonical(str(get(semconv.TOOL_CALL_ARGUMENTS)))


def _reason(decision: Decision) -> str:
    if not decision.reason:
        return ""
    text = line(decision.reason, 240)
    return f"Why: {text}" if text.endswith((".", "!", "?", "…")) else f"Why: {text}."


def _outcome(decision: Decision) -> str:
    spans = decision.followed_by
    if not spans:
        return ""
    if len(spans) == 1 and len(decision.choices) == 1:
        return f"It {_ended(spans[0])}."
    by_name: dict[tuple[str, str], list[SpanRecord]] = {}
    for span in spans:
        by_name.setdefault((line(span.name.partition(" ")[2] or span.name, 60), _ended(span, timed=False)), []).append(
            span
        )
    return "; ".join(_together(name, end, members) for (name, end), members in by_name.items()) + "."


def _together(name: str, end: str, spans: list[SpanRecord]) -> str:
    if len(spans) == 1:
        return f"{name} {_ended(spans[0])}"
    return f"{name} {end} {len(spans)} times ({number_format.duration(sum(span.duration for span in spans))} in all)"


def _ended(span: SpanRecord, *, timed: bool = True) -> str:
    ending = f"{_ENDS[span.outcome]} ({number_format.duration(span.duration)})" if timed else _ENDS[span.outcome]
    if span.outcome != "error" or not span.status_message:
        return ending
    return f"{ending}: {line(span.status_message, 100).removesuffix('.')}"  # what it stands in ends with one

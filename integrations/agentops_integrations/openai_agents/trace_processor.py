"""The trace processor: the SDK tells it when traces and spans start and end, it starts and ends their calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_integrations.openai_agents import tool_approvals
from agentops_integrations.openai_agents.span_types import OTHER, SPAN_TYPES
from agentops_sdk.integration import guard, semconv
from agentops_sdk.integration.frameworks import Run, Runs

_MAX_METADATA = 32
_MESSAGES = frozenset(
    (
        "Error running tool",
        "Error running tool (non-fatal)",
        "Error getting response",
        "Error streaming response",
        "Guardrail tripwire triggered",
        "Invalid JSON provided",
        "Max turns exceeded",
        "Tool not found",
    )
)
"""What the SDK says of failures, and may be an error's type; other messages may be the program's words."""
_CANCELLED = "Tool execution cancelled"


class TraceProcessor:
    """One for the whole program, by the shape of the SDK's ``TracingProcessor``.

    Traces and spans start and end in the task or thread of what they stand for, so what begins is current there.
    """

    def __init__(self) -> None:
        self.runs = Runs("openai_agents")
        self._alive = True

    def close(self) -> None:
        """Who still holds the processor is told nothing; what is open ends."""
        self._alive = False
        self.runs.end_all("interrupted")

    def on_trace_start(self, trace: Any) -> None:
        with guard("openai_agents.on_trace_start"):
            if self._alive:
                attributes = {
                    semconv.CONVERSATION_ID: getattr(trace, "group_id", None), semconv.FRAMEWORK: "openai_agents"
                }  # fmt: skip
                attributes.update(_metadata(getattr(trace, "metadata", None)))
                self._enter(self.runs.begin("workflow", trace.name, trace.trace_id, attributes=attributes))

    def on_trace_end(self, trace: Any) -> None:
        with guard("openai_agents.on_trace_end"):
            self._end(trace.trace_id)

    def on_span_start(self, span: Any) -> None:
        with guard("openai_agents.on_span_start"):
            if not self._alive:
                return
            data = span.span_data
            row = SPAN_TYPES.get(data.type, OTHER)
            parent = span.parent_id or span.trace_id
            answers = tool_approvals.answered(span.trace_id) if data.type in tool_approvals.RUNS else None
            kind, internal = row.kind, row.internal and not answers
            if data.type == "task" and self.runs.get(parent) is None:  # a run that goes on: its trace began before
                kind, internal = "workflow", False
            attributes = {semconv.INTERNAL: True if internal else None, **row.start(data)}
            run = self.runs.begin(
                kind, row.name(data), span.span_id, parent, call_name=row.call_name(data), attributes=attributes
            )
            run.notes["data"] = data
            if answers:
                tool_approvals.resumed(run, answers)
            if row.enters:
                self._enter(run)

    def on_span_end(self, span: Any) -> None:
        with guard("openai_agents.on_span_end"):
            run, data = self.runs.get(span.span_id), span.span_data
            if run is None:
                return
            error = run.raised()
            failure = span.error if error is None and not _goes_on(data) else None
            with guard("openai_agents.span_data"):
                SPAN_TYPES.get(data.type, OTHER).end(run, data, error is None and not failure)
            if failure:
                _failed(run, failure)
            cancelled = failure and failure.get("message") == _CANCELLED
            self._end(span.span_id, "cancelled" if cancelled else "error" if failure else "ok")

    def shutdown(self) -> None:
        """The process ends: what is open then is ended by the recorder."""

    def force_flush(self) -> None:
        """Nothing is held back here."""

    def _enter(self, run: Run) -> None:
        run.enter()

    def _end(self, key: str, outcome: str = "ok") -> None:
        run = self.runs.get(key)
        if run is None:
            return
        error = run.raised()
        if error is not None:
            self.runs.fail(key, error)
        else:
            self.runs.finish(key, tool_approvals.outcome(run) or outcome)


def _goes_on(data: Any) -> bool:
    """A handoff that has taken place: of several that a model asked for, the SDK says that it is an error."""
    return data.type == "handoff" and data.to_agent is not None


def _failed(run: Run, failure: Mapping[str, Any]) -> None:
    """A failure that the SDK tells of and that raised nothing, such as of a tool whose error the model is told.

    Its message is often one of the SDK's own; what happened stands in its data.
    """
    about = failure.get("data")
    text = about.get("error") if isinstance(about, Mapping) else None
    message = failure.get("message")
    if message in _MESSAGES:
        run.call.set(semconv.ERROR_TYPE, message)
    if isinstance(text, str) and text:
        run.call.event(semconv.EXCEPTION_EVENT, {semconv.EXCEPTION_MESSAGE: text})


def _metadata(metadata: Any) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        return {}
    return {
        semconv.METADATA_PREFIX + name: value
        for name, value in list(metadata.items())[:_MAX_METADATA]
        if isinstance(name, str) and type(value) in (str, int, float, bool)
    }

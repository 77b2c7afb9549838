"""What is left of an operation inside of ``private()``: that it took place, how it ended and what it used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk import semconv

__all__ = ["attributes_of", "event_name_of", "is_kept", "name_of"]

_KEPT: Final = frozenset((
    semconv.PRIVATE, semconv.KIND, semconv.OUTCOME, semconv.OPERATION_NAME, semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.AGENT_NAME, semconv.FRAMEWORK, semconv.INTERNAL,
    semconv.ERROR_TYPE, semconv.EXCEPTION_TYPE, semconv.RESPONSE_FINISH_REASONS, semconv.REQUEST_STREAM,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.STREAM_CHUNKS, semconv.CACHED, semconv.ATTEMPT, semconv.MODEL_CALLS,
    semconv.HTTP_RESPONSE_STATUS_CODE, semconv.SERVER_ADDRESS, semconv.SERVER_PORT, semconv.TOOL_TYPE,
    semconv.LINK_TYPE, semconv.LIMIT, semconv.LIMIT_ACTION, semconv.MISSING_SPANS, semconv.SAMPLED_ELSEWHERE,
))  # fmt: skip
_FIGURES: Final = ("gen_ai.usage.", "agentops.usage.", "agentops.cost.", "agentops.run.")
_EVENTS: Final = frozenset(
    (semconv.EXCEPTION_EVENT, semconv.DECISION_EVENT, semconv.HANDOFF_EVENT, semconv.LIMIT_EVENT)
)


def attributes_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Figures, and words of the conventions."""
    return {name: value for name, value in attributes.items() if type(name) is str and is_kept(name)}


def is_kept(name: str) -> bool:
    """Whether an attribute is left of what is private."""
    return name in _KEPT or name.startswith(_FIGURES)


def event_name_of(name: str) -> str:
    """The name of an event: one of ours, or of the conventions, says nothing of what happened."""
    return name if name in _EVENTS else "event"


def name_of(attributes: Mapping[str, Any]) -> str:
    """A span's name, of which the program says nothing but the agent and the model."""
    kind = str(attributes.get(semconv.KIND, "span"))
    row = semconv.SPAN_KINDS.get(kind, semconv.SPAN_KINDS["span"])
    named = attributes.get(row.named_by) if row.named_by in (semconv.AGENT_NAME, semconv.REQUEST_MODEL) else None
    first = attributes.get(semconv.OPERATION_NAME) or row.prefix or kind
    return " ".join(str(part) for part in (first, named) if part)

"""Decisions as people and tests read them: one list, whichever way they were recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice that was made, and the span it was made on.

    ``options`` and ``chosen`` are what was recorded (names, or any JSON value); ``confidence`` is 0 to 1;
    ``by`` says who or what decided (``model``, ``code``, ``human``, …). What was not recorded is None.
    """

    name: str
    options: tuple[Any, ...]
    chosen: Any
    reason: str | None
    confidence: float | None
    by: str | None
    span: SpanRecord


def decision_of(span: SpanRecord) -> Decision | None:
    """The decision a span is or carries, or None."""
    attributes = span.attributes
    if span.kind != "decision" and not any(key in attributes for key in _TELLING):
        return None
    name = attributes.get(semconv.DECISION_NAME)
    options = _unpacked(attributes.get(semconv.DECISION_OPTIONS))
    confidence = attributes.get(semconv.DECISION_CONFIDENCE)
    reason = attributes.get(semconv.DECISION_REASON)
    by = attributes.get(semconv.DECISION_BY)
    return Decision(
        name=str(name) if name is not None else span.name,
        options=tuple(options) if isinstance(options, list) else () if options is None else (options,),
        chosen=_unpacked(attributes.get(semconv.DECISION_CHOSEN)),
        reason=None if reason is None else str(reason),
        confidence=float(confidence) if isinstance(confidence, (int, float)) else None,
        by=None if by is None else str(by),
        span=span,
    )


_TELLING = (semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME)


def _unpacked(value: Any) -> Any:
    """Structures are JSON strings on the span; a string that is no structure is itself."""
    if isinstance(value, str) and value[:1] in '[{"':
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value

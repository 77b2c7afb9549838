"""What alerts look at in one ended span, whether it has just ended or stands in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from agentops_sdk import semconv

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Observation", "of_fields", "of_span"]

_BY_US = frozenset(("refused", "cut"))
_STOPS = ("LimitExceeded", "BreakerOpen", "Paused")
"""Errors that say what we did, also where they end all that was around the call."""


class Observation(NamedTuple):
    """One ended span.

    Attributes:
        at: when it ended, in seconds since the epoch.
        kind: its kind.
        seconds: how long it took.
        outermost: whether it is a whole run.
        failed: whether it ended in an error that is not the doing of a limit, a breaker or the kill switch.
        outcome: as recorded.
        attributes: all of them.
        decisions: name and choice of each decision on it.
        level: the highest level, in per cent, to which it took a limit; 100 where one stopped it.
        trace_id: in hexadecimal digits.
    """

    at: float
    kind: str
    seconds: float
    outermost: bool
    failed: bool
    outcome: str
    attributes: Mapping[str, Any]
    decisions: list[tuple[str, str]]
    level: int
    trace_id: str


def of_span(span: ReadableSpan) -> Observation:
    """Of a span that has ended in this process."""
    context = span.context
    events = [(event.name, event.attributes or {}) for event in span.events]
    return _observation(
        span.attributes or {}, events, span.start_time or 0, span.end_time or 0,
        outermost=span.parent is None or span.parent.is_remote,
        trace_id=f"{context.trace_id:032x}" if context is not None else "",
        service=span.resource.attributes.get(semconv.SERVICE_NAME),
    )  # fmt: skip


def of_fields(record: Mapping[str, Any]) -> Observation:
    """Of a record as its line in a file has it."""
    events = [(event.get("name", ""), event.get("attributes") or {}) for event in record.get("events") or ()]
    return _observation(
        {semconv.OUTCOME: record.get("outcome", "ok"), semconv.KIND: record.get("kind", "span"),
         **(record.get("attributes") or {})},
        events, record["start_ns"], record["end_ns"],
        outermost=record.get("parent_id") is None,
        trace_id=record["trace_id"],
        service=(record.get("resource") or {}).get(semconv.SERVICE_NAME),
    )  # fmt: skip


def _observation(
    attributes: Mapping[str, Any],
    events: Iterable[tuple[str, Mapping[str, Any]]],
    start_ns: int,
    end_ns: int,
    *,
    outermost: bool,
    trace_id: str,
    service: Any,
) -> Observation:
    outcome = str(attributes.get(semconv.OUTCOME, "ok"))
    by_us = attributes.get(semconv.LIMIT_ACTION) in _BY_US
    is_stopped = str(attributes.get(semconv.ERROR_TYPE, "")).endswith(_STOPS)
    decisions = [_decision(attributes)] if semconv.DECISION_CHOSEN in attributes else []
    level = 100 if by_us else 0
    for name, about in events:
        if name == semconv.DECISION_EVENT:
            decisions.append(_decision(about))
        elif name == semconv.LIMIT_EVENT:
            level = max(level, int(about.get(semconv.LIMIT_LEVEL, 0)))
    return Observation(
        end_ns / 1e9,
        str(attributes.get(semconv.KIND, "span")),
        max(0, end_ns - start_ns) / 1e9,
        outermost,
        outcome == "error" and not (by_us or is_stopped),
        outcome,
        attributes if service is None else {**attributes, semconv.SERVICE_NAME: service},
        decisions,
        level,
        trace_id,
    )


def _decision(attributes: Mapping[str, Any]) -> tuple[str, str]:
    return str(attributes.get(semconv.DECISION_NAME, "")), str(attributes.get(semconv.DECISION_CHOSEN, ""))

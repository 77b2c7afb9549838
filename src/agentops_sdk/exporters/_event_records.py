"""Events on their way out, and a batch of them as what OpenTelemetry's exporters take, or as a line of JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.traces.formats.otlp_forms import plain_value

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

__all__ = ["EventRecord", "SentEvent", "event_line", "log_record", "log_records", "readable_records"]

_SEVERITIES = {5: "DEBUG", 9: "INFO", 13: "WARN"}


class EventRecord(NamedTuple):
    """One event.

    Attributes:
        name: by the conventions.
        time_ns: nanoseconds since the epoch.
        severity: OpenTelemetry's number.
        attributes: they may be structures.
        trace_id: the trace that it belongs to; 0 for none.
        span_id: the span.
    """

    name: str
    time_ns: int
    severity: int
    attributes: dict[str, Any]
    trace_id: int
    span_id: int


class SentEvent(NamedTuple):
    """An event and who tells of it."""

    event: EventRecord
    resource: Resource
    scope: InstrumentationScope


def log_record(event: EventRecord) -> Any:
    """OpenTelemetry's ``LogRecord``."""
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    place = SpanContext(event.trace_id, event.span_id, False, TraceFlags(TraceFlags.SAMPLED))
    return LogRecord(
        timestamp=event.time_ns,
        observed_timestamp=time.time_ns(),
        context=set_span_in_context(NonRecordingSpan(place), Context()),
        severity_text=_SEVERITIES[event.severity],
        severity_number=SeverityNumber(event.severity),
        attributes=event.attributes,
        event_name=event.name,
    )


def readable_records(events: Sequence[SentEvent]) -> list[Any]:
    """What OpenTelemetry's log exporters take."""
    from opentelemetry.sdk._logs import ReadableLogRecord

    return [ReadableLogRecord(log_record(sent.event), sent.resource, sent.scope) for sent in events]


def event_line(sent: SentEvent) -> bytes:
    """An event as one line of OTLP's JSON, newline included.

    Raises:
        TypeError: an attribute cannot be written.
    """
    event = sent.event
    record = {
        "timeUnixNano": str(event.time_ns),
        "severityNumber": event.severity,
        "severityText": _SEVERITIES[event.severity],
        "eventName": event.name,
        "attributes": _pairs(event.attributes),
        "traceId": f"{event.trace_id:032x}",
        "spanId": f"{event.span_id:016x}",
        "flags": 1,
    }
    scope = {"name": sent.scope.name, "version": sent.scope.version or ""}
    resource = {"attributes": _pairs(sent.resource.attributes)}
    logs = {"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": [record]}]}
    return orjson.dumps({"resourceLogs": [logs]}, option=orjson.OPT_APPEND_NEWLINE)


def log_records(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The records in a line of :func:`event_line`."""
    holders: list[Any] = [document]
    for name in ("resourceLogs", "scopeLogs", "logRecords"):
        holders = [item for holder in holders for item in holder.get(name) or () if isinstance(item, dict)]
    return holders


def _pairs(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": plain_value(value)} for name, value in values.items()]

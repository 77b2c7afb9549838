"""Spans as rows: what tables, query results and home-made exporters hold, a name for each column.

Logfire's query interface, ClickHouse's ``otel_traces`` and a good many scripts write such rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.moments import nanoseconds
from agentops_sdk.traces.formats.otlp_forms import plain_attributes
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, flat, members, recognised, span
from agentops_sdk.traces.formats.vocabularies import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COLUMNS: Final = {
    "trace_id": ("trace_id", "traceId", "traceID", "TraceId", "TraceID"),
    "span_id": ("span_id", "spanId", "spanID", "SpanId", "SpanID"),
    "parent_id": ("parent_id", "parent_span_id", "parentSpanId", "parentSpanID", "ParentSpanId", "parentId"),
    "name": ("name", "span_name", "spanName", "SpanName", "operation_name", "operationName"),
    "start": ("start_time", "start_timestamp", "startTime", "startTimeUnixNano", "start_time_unix_nano", "Timestamp",
              "start_ns", "started_at", "start", "timestamp"),
    "end": ("end_time", "end_timestamp", "endTime", "endTimeUnixNano", "end_time_unix_nano", "end_ns", "ended_at",
            "end"),
    "attributes": ("attributes", "SpanAttributes", "span_attributes", "tags"),
    "resource": ("resource", "ResourceAttributes", "resource_attributes", "otel_resource_attributes"),
    "status": ("status", "status_code", "StatusCode", "statusCode", "otel_status_code"),
    "message": ("status_message", "StatusMessage", "otel_status_message", "exception_message"),
    "span_kind": ("span_kind", "SpanKind", "kind", "spanKind"),
    "scope": ("scope", "scope_name", "ScopeName", "otel_scope_name", "instrumentation_scope"),
    "events": ("events", "Events", "otel_events"),
    "duration": ("duration_ns", "durationNano", "Duration", "duration_nano"),
}  # fmt: skip
"""By what it is how a column is called."""
_NAMES: Final = frozenset(name for names in _COLUMNS.values() for name in names)
_ATTRIBUTE: Final = "attributes."
_NOT_ATTRIBUTES: Final = ("Events.", "Links.", "resource.")
_PENDING: Final = "pending_span"


_LISTS: Final = ("rows", "spans", "data")


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, *_LISTS)


def _is_one(document: Any) -> bool:
    if "v" in document:  # a line of ours that is damaged: it is counted
        return False
    ids = _get(document, "trace_id"), _get(document, "span_id")
    return (
        all(isinstance(one, str) and one for one in ids)
        and _get(document, "start") is not None
        and (_get(document, "name") is not None and "body" not in document)
    )


def _get(document: dict[str, Any], column: str) -> Any:
    return next((document[name] for name in _COLUMNS[column] if document.get(name) is not None), None)


def _rows(document: Any) -> Iterator[dict[str, Any]]:
    for row in members(document, *_LISTS):
        if not isinstance(row, dict) or row.get("kind") != _PENDING:
            yield row


def _object(value: Any) -> dict[str, Any]:
    value = parsed(value)
    if isinstance(value, list):  # pairs
        return plain_attributes([pair for pair in value if isinstance(pair, dict)])
    return value if isinstance(value, dict) else {}


def _own_columns(row: dict[str, Any]) -> dict[str, Any]:
    """Attributes that are columns of their own, as tables have them that were laid out flat."""
    return {
        name.removeprefix(_ATTRIBUTE): parsed(value)
        for name, value in row.items()
        if "." in name and value is not None and name not in _NAMES and not name.startswith(_NOT_ATTRIBUTES)
    }


def _events_in_columns(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Events as ClickHouse has them: a column for the names of all of them, one for the times, one for attributes."""
    columns = {name: parsed(row.get(f"Events.{name}")) for name in ("Name", "Timestamp", "Attributes")}
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    for number, name in enumerate(lists.get("Name", ())):
        others = {key: values[number] for key, values in lists.items() if number < len(values)}
        yield {"name": name, "timestamp": others.get("Timestamp"), "attributes": others.get("Attributes")}


def _read(row: dict[str, Any]) -> Fields:
    get = {column: _get(row, column) for column in _COLUMNS}
    status, message, scope = parsed(get["status"]), get["message"], parsed(get["scope"])
    if isinstance(status, dict):
        message = message or status.get("message") or status.get("description")
        status = status.get("status_code", status.get("code"))
    resource = _object(get["resource"])
    resource = _object(resource["attributes"]) if isinstance(resource.get("attributes"), dict | list) else resource
    service = row.get("service_name") or row.get("ServiceName")
    if service:
        resource = {"service.name": service, **resource}
    attributes = _own_columns(row) | flat(_object(get["attributes"]))
    end, duration = get["end"], count(get["duration"])
    if end is None and duration is not None and (start := nanoseconds(get["start"])) is not None:
        end = start + duration
    failed = row.get("is_exception") is True or str(row.get("level", "")).lower() in ("error", "fatal")
    return span(
        trace_id=get["trace_id"],
        span_id=get["span_id"],
        parent_id=get["parent_id"],
        name=get["name"],
        start=get["start"],
        end=end,
        attributes=attributes,
        status="error" if failed and status in (None, "") else status,
        message=message,
        span_kind=get["span_kind"],
        events=[
            event(_get(one, "name"), one.get("event_timestamp") or _get(one, "start"), _object(_get(one, "attributes")))
            for one in parsed(get["events"]) or _events_in_columns(row)
            if isinstance(one, dict)
        ],
        resource=resource,
        scope=scope.get("name") if isinstance(scope, dict) else scope,
        scope_version=scope.get("version") if isinstance(scope, dict) else None,
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((row for document in documents for row in _rows(document)), _read)


READER = Reader(
    "rows of spans",
    _is_any,
    _spans,
    written_by="Logfire's query interface, ClickHouse's otel_traces, scripts",
    general=True,
)

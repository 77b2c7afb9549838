"""Log records that hold the messages of a model call: they name the span that they belong to."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.identifiers import SPAN_BYTES, TRACE_BYTES, decoded
from agentops_sdk.traces.formats.json_values import shallow
from agentops_sdk.traces.formats.moments import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.record import SpanRecord

__all__ = ["collect", "with_messages"]

_MOMENTS: Final = ("timeUnixNano", "timestamp", "observedTimeUnixNano", "observed_timestamp")
"""When it happened; where nobody said, when it was noticed."""
_WITHOUT_MESSAGES: Final = (semconv.CLIENT_EXCEPTION_EVENT, semconv.EVALUATION_EVENT)


def collect(document: Any, messages: dict[tuple[str, str], list[dict[str, Any]]]) -> bool:
    """Add the messages in a document of log records to those of their spans; whether there is any.

    Args:
        document: OTLP/JSON logs, or a log record as OpenTelemetry's Python SDK prints it.
        messages: events by trace and span.
    """
    from agentops_sdk.traces.formats.message_events import is_message_event

    some = False
    for record in _records(document):
        name = record.get("eventName") or record.get("event_name") or record["attributes"].get("event.name")
        trace_id = decoded(record.get("traceId", record.get("trace_id")), TRACE_BYTES)
        span_id = decoded(record.get("spanId", record.get("span_id")), SPAN_BYTES)
        if name in _WITHOUT_MESSAGES:
            some = True  # it stands on its span as well
            continue
        if trace_id is None or span_id is None or not is_message_event(name):
            continue
        some = True
        body, attributes = record.get("body"), record["attributes"]
        tells = {**attributes, **(body if isinstance(body, dict) else {} if body is None else {"content": body})}
        moments = (nanoseconds(record.get(name)) for name in _MOMENTS)
        event = {"name": name, "time_ns": next(filter(None, moments), 0), "attributes": shallow(tells)}
        messages.setdefault((trace_id, span_id), []).append(event)
    return some


def with_messages(record: SpanRecord, events: list[dict[str, Any]]) -> SpanRecord:
    """The record with what log records hold of it, under the names that say nothing yet."""
    from agentops_sdk.traces.formats.message_events import attributes_of

    told = attributes_of(sorted(events, key=itemgetter("time_ns")))  # they may have come in several files
    added = {name: value for name, value in told.items() if name not in record.attributes}
    return record.model_copy(update={"attributes": {**record.attributes, **added}})


def _records(document: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict):
        return
    for group in _objects(document.get("resourceLogs", document.get("resource_logs"))):
        for scope_logs in _objects(group.get("scopeLogs", group.get("scope_logs"))):
            for record in _objects(scope_logs.get("logRecords", scope_logs.get("log_records"))):
                attributes = _plain({"kvlistValue": {"values": record.get("attributes", [])}})
                yield {**record, "attributes": attributes or {}, "body": _plain(record.get("body"))}
    if "body" in document and isinstance(document.get("attributes"), dict):
        yield document


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _plain(value: Any) -> Any:
    """A value of OTLP as JSON has it."""
    if not isinstance(value, dict) or not value:
        return None if isinstance(value, dict) else value
    kind, inner = next(iter(value.items()))
    kind = kind.replace("_", "").lower()
    if kind == "kvlistvalue":
        pairs = _objects(inner.get("values") if isinstance(inner, dict) else None)
        return {str(pair.get("key")): _plain(pair.get("value")) for pair in pairs}
    if kind == "arrayvalue":
        values = inner.get("values", []) if isinstance(inner, dict) else []
        return [_plain(item) for item in values] if isinstance(values, list) else []
    return int(inner) if kind == "intvalue" and isinstance(inner, str) and inner.lstrip("-").isdecimal() else inner

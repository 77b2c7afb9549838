"""Records to OTLP and back, as protobuf or as OTLP's own JSON, without loss."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk.traces.classify import kind_of, outcome_of
from agentops_sdk.traces.formats.json_values import INT_MAX, from_json, integer, to_json
from agentops_sdk.traces.formats.wire_values import utf8
from agentops_sdk.traces.record import EventRecord, LinkRecord, ScopeRecord, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

_STATUS = ("unset", "ok", "error")
_SPAN_KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_IDS = ("traceId", "spanId", "parentSpanId")


def to_otlp(records: Iterable[SpanRecord]) -> TracesData:
    """Records as one OTLP message, grouped by resource and scope in order of appearance.

    ``kind`` and ``outcome`` travel as attributes; one that the attributes do not already tell is added.
    Spans that have not ended are left out: OTLP has no word for them.
    """
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    data = TracesData()
    resources: dict[str, ResourceSpans] = {}
    scopes: dict[tuple[str, str], Any] = {}
    for record in records:
        if not record.ended:
            continue
        resource_key = repr((record.resource, record.resource_schema_url))
        group = resources.get(resource_key)
        if group is None:
            group = resources[resource_key] = data.resource_spans.add(schema_url=record.resource_schema_url or "")
            group.resource.attributes.extend(_pairs(record.resource))
        scope_key = (resource_key, repr(record.scope))
        scope = scopes.get(scope_key)
        if scope is None:
            scope = scopes[scope_key] = group.scope_spans.add(schema_url=record.scope.schema_url or "")
            scope.scope.name = record.scope.name
            scope.scope.version = record.scope.version or ""
            scope.scope.attributes.extend(_pairs(record.scope.attributes))
        _fill(scope.spans.add(), record)
    return data


def from_otlp(data: TracesData | Iterable[ResourceSpans]) -> Iterator[SpanRecord]:
    """The records in an OTLP message (``TracesData``, an export request, or its ``resource_spans``)."""
    groups: Iterable[ResourceSpans] = data.resource_spans if hasattr(data, "resource_spans") else data
    for group in groups:
        resource = _attributes(group.resource.attributes)
        for scope_spans in group.scope_spans:
            scope = ScopeRecord(
                name=scope_spans.scope.name,
                version=scope_spans.scope.version or None,
                schema_url=scope_spans.schema_url or None,
                attributes=_attributes(scope_spans.scope.attributes),
            )
            for span in scope_spans.spans:
                yield _record(span, resource, group.schema_url or None, scope)


def to_otlp_json(records: Iterable[SpanRecord]) -> dict[str, Any]:
    """Records as OTLP/JSON: ids in hex, 64-bit integers as strings, enumerations as integers."""
    from google.protobuf.json_format import MessageToDict

    return _with_ids(MessageToDict(to_otlp(records), use_integers_for_enums=True), lambda text: b64decode(text).hex())


def from_otlp_json(data: dict[str, Any]) -> Iterator[SpanRecord]:
    """The records in one OTLP/JSON object; fields it should not have are ignored."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    encoded = _with_ids(data, lambda text: b64encode(bytes.fromhex(text)).decode("ascii"))
    return from_otlp(ParseDict(encoded, TracesData(), ignore_unknown_fields=True))


def _with_ids(data: dict[str, Any], change: Any) -> dict[str, Any]:
    """A copy in which every span's and link's ids are rewritten; nothing else is looked into."""

    def changed(item: dict[str, Any]) -> dict[str, Any]:
        return {key: change(value) if key in _IDS and value else value for key, value in item.items()}

    groups = []
    for group in data.get("resourceSpans", ()):
        scopes = []
        for scope in group.get("scopeSpans", ()):
            spans = []
            for span in scope.get("spans", ()):
                copy = changed(span)
                if "links" in copy:
                    copy["links"] = [changed(link) for link in copy["links"]]
                spans.append(copy)
            scopes.append({**scope, "spans": spans})
        groups.append({**group, "scopeSpans": scopes})
    return {"resourceSpans": groups}


def _fill(span: Span, record: SpanRecord) -> None:
    span.trace_id = bytes.fromhex(record.trace_id)
    span.span_id = bytes.fromhex(record.span_id)
    span.parent_span_id = bytes.fromhex(record.parent_id or "")
    span.name = record.name
    span.kind = _SPAN_KINDS.index(record.span_kind, 1)  # type: ignore[assignment]  # an enum's number, to protobuf
    span.start_time_unix_nano = min(max(record.start_ns, 0), INT_MAX)  # what a foreign line may hold
    span.end_time_unix_nano = min(max(record.end_ns, 0), INT_MAX)
    span.trace_state = record.trace_state
    span.flags = record.flags
    span.status.code = _STATUS.index(record.status)  # type: ignore[assignment]  # an enum's number, to protobuf
    span.status.message = record.status_message or ""
    span.dropped_attributes_count = record.dropped.attributes
    span.dropped_events_count = record.dropped.events
    span.dropped_links_count = record.dropped.links
    span.attributes.extend(_pairs(record.attributes))
    if kind_of(record.attributes) != record.kind:
        span.attributes.extend(_pairs({semconv.KIND: record.kind}))
    if outcome_of(record.attributes, record.status) != record.outcome:
        span.attributes.extend(_pairs({semconv.OUTCOME: record.outcome}))
    for event in record.events:
        added = span.events.add(name=event.name, time_unix_nano=event.time_ns, dropped_attributes_count=event.dropped)
        added.attributes.extend(_pairs(event.attributes))
    for link in record.links:
        pointer = span.links.add(
            trace_id=bytes.fromhex(link.trace_id),
            span_id=bytes.fromhex(link.span_id),
            trace_state=link.trace_state,
            flags=link.flags,
            dropped_attributes_count=link.dropped,
        )
        pointer.attributes.extend(_pairs(link.attributes))


def _record(span: Span, resource: dict[str, Any], resource_schema_url: str | None, scope: ScopeRecord) -> SpanRecord:
    attributes = _attributes(span.attributes)
    status = _STATUS[span.status.code] if span.status.code < len(_STATUS) else "unset"
    fields: dict[str, Any] = {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_id": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": kind_of(attributes),
        "span_kind": _SPAN_KINDS[span.kind] if span.kind < len(_SPAN_KINDS) else "INTERNAL",
        "start_ns": span.start_time_unix_nano,
        "end_ns": span.end_time_unix_nano,
        "status": status,
        "status_message": span.status.message or None,
        "outcome": outcome_of(attributes, status),
        "attributes": attributes,
        "events": [
            EventRecord(
                name=event.name,
                time_ns=event.time_unix_nano,
                attributes=_attributes(event.attributes),
                dropped=event.dropped_attributes_count,
            )
            for event in span.events
        ],
        "links": [
            LinkRecord(
                trace_id=link.trace_id.hex(),
                span_id=link.span_id.hex(),
                trace_state=link.trace_state,
                attributes=_attributes(link.attributes),
                flags=link.flags,
                dropped=link.dropped_attributes_count,
            )
            for link in span.links
        ],
        "resource": resource,
        "resource_schema_url": resource_schema_url,
        "scope": scope,
        "trace_state": span.trace_state,
        "flags": span.flags,
        "dropped": {
            "attributes": span.dropped_attributes_count,
            "events": span.dropped_events_count,
            "links": span.dropped_links_count,
        },
    }
    return SpanRecord.model_validate(fields)


def _pairs(attributes: dict[str, Any]) -> Iterator[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    for key, value in attributes.items():
        yield KeyValue(key=key, value=_any(from_json(value)))


def _any(value: Any) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        fit = integer(value)
        return AnyValue(int_value=fit) if isinstance(fit, int) else AnyValue(string_value=fit)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_any(item) for item in value]))
    if isinstance(value, dict):
        pairs = [KeyValue(key=key, value=_any(item)) for key, item in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    return AnyValue(string_value=utf8(str(value)))


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: to_json(_python(pair.value)) for pair in pairs}


def _python(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_python(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _python(pair.value) for pair in value.kvlist_value.values}
    plain = getattr(value, which)
    return math.nan if isinstance(plain, float) and math.isnan(plain) else plain

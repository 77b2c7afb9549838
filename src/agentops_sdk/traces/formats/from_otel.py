"""A finished OpenTelemetry span as a record: what every file sink writes.

Runs once per span on the consumer thread, so: plain dictionaries, no pydantic, one pass. Of a span of ours, whose
values are known to fit, the line is put together of pieces, most of which are the same from span to span. Long because
the same line is made in three ways, the quicker the more is known of a span.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from agentops_sdk.traces.classify import RECORD_VERSION, iso, kind_of, outcome_of, second_text
from agentops_sdk.traces.formats.finished_span import FinishedSpan
from agentops_sdk.traces.formats.json_values import INT_MAX, INT_MIN, to_json
from agentops_sdk.traces.formats.wire_values import UNENCODABLE, encodable, utf8

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, Status

OPEN_SUFFIX: Final = ".jsonl.open"
"""Of the file in which a process tells what it has open."""

# A process has one resource and a handful of scopes: convert each once. Replaced as a whole, so threads are safe.
_resource: tuple[Resource | None, dict[str, Any]] = (None, {})
_resource_text: tuple[Resource | None, orjson.Fragment | None] = (None, None)


_title_texts: dict[tuple[str, str, str], str] = {}
_MOST_TITLES: Final = 4_096
_SHORT: Final = 64
"""Characters. Names of spans that are as short come again: with both kinds they are written once."""
_tails: tuple[Resource | None, InstrumentationScope | None, dict[int, bytes]] = (None, None, {})
"""What lines of one resource and scope end in, by the flags."""
_unset: Status | None = None
"""The last status that says nothing: ours are one object."""

_PLAIN = frozenset((str, bool))
_FIT = frozenset((str, bool, int))
"""Types of values that JSON holds as they are, where they are known to fit."""
_OWN = ("span_id", "parent_id", "name", "kind", "span_kind", "start_ns", "attributes", "flags")


def record_dict(span: ReadableSpan) -> dict[str, Any]:
    """A span as the plain dictionary of :class:`~agentops_sdk.traces.SpanRecord`, ready for orjson.

    Fields that hold nothing are left out (``events``, ``links``, ``dropped``, …): the model has their
    defaults. The ``resource`` dictionary may be shared between records: do not change it.
    """
    context = cast("SpanContext", span.get_span_context())
    parent = span.parent
    attributes = _attributes(span.attributes)
    status = span.status.status_code.name.lower()
    start = span.start_time or 0
    end = span.end_time or start
    if type(start) is not int or type(end) is not int or not 0 <= start <= INT_MAX or not 0 <= end <= INT_MAX:
        raise ValueError("a time outside the range of the clock")
    flags = int(context.trace_flags) | (0x300 if parent is not None and parent.is_remote else 0x100)
    record: dict[str, Any] = {
        "v": RECORD_VERSION,
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": f"{parent.span_id:016x}" if parent is not None else None,
        "name": span.name,
        "kind": kind_of(attributes),
        "span_kind": span.kind.name,
        "start_ns": start,
        "end_ns": end,
        "start": iso(start),
        "end": iso(end),
        "status": status,
        "outcome": outcome_of(attributes, status),
        "attributes": attributes,
        "resource": _resource_dict(span.resource),
        "scope": _scope_dict(span.instrumentation_scope),
        "flags": flags,
    }
    return record | _rest(span, context)


def _rest(span: ReadableSpan, context: SpanContext) -> dict[str, Any]:
    """The fields that most spans have nothing for."""
    rest: dict[str, Any] = {}
    if span.status.description:
        rest["status_message"] = span.status.description
    if span.events:
        rest["events"] = [_event(event) for event in span.events]
    if span.links:
        rest["links"] = [_link(link) for link in span.links]
    if context.trace_state:
        rest["trace_state"] = context.trace_state.to_header()
    if span.resource.schema_url:
        rest["resource_schema_url"] = span.resource.schema_url
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        rest["dropped"] = {
            "attributes": span.dropped_attributes,
            "events": span.dropped_events,
            "links": span.dropped_links,
        }
    return rest


def record_line(span: ReadableSpan) -> bytes:
    """A span as one line of a JSONL file, newline included; what JSON cannot hold is written otherwise and marked.

    Raises:
        ValueError, TypeError, AttributeError, …: see ``UNENCODABLE``; it cannot be written at all.
    """
    try:
        ours: Any = span if span.__class__ is FinishedSpan else None  # type: ignore[comparison-overlap]  # by its fields
        if ours is not None and ours.is_fit:
            return _fit_line(ours) if ours.form is None or ours.resource.schema_url else _form_line(ours)
        record = record_dict(span)
        record["resource"] = _resource_json(span.resource)
        return _line(record)
    except UNENCODABLE:
        return _line(record_dict(encodable(span)))


def _fit_line(span: FinishedSpan) -> bytes:
    """The same line of a span of ours, every value of which fits."""
    context, parent, attributes = span.context, span.parent, span.attributes
    assert context is not None
    status = _status_word(span.status)
    start, end = span.start_time, span.end_time or span.start_time
    start_s, start_ns = divmod(start, 1_000_000_000)
    end_s, end_ns = divmod(end, 1_000_000_000)
    title = span.name, kind_of(attributes), span.kind._name_
    # Contexts are asked by place: by name, each answer takes a call.
    head = (
        f'{{"v":{RECORD_VERSION},"trace_id":"{context[0]:032x}","span_id":"{context[1]:016x}",'
        f'"parent_id":{"null" if parent is None else _QUOTED_ID(parent[1])},{_title_texts.get(title) or _title(title)},'
        f'"start_ns":{start},"end_ns":{end},"start":"{second_text(start_s)}.{start_ns // 1000:06}Z",'
        f'"end":"{second_text(end_s)}.{end_ns // 1000:06}Z","status":"{status}",'
        f'"outcome":"{outcome_of(attributes, status)}","attributes":'
    )
    fit = attributes if _FIT.issuperset(map(type, attributes.values())) else _attributes(attributes)
    flags = context[3] | (0x300 if parent is not None and parent[2] else 0x100)
    tail = _tail(span, flags)
    if status != "unset" or span.events or span.links or context[4] or span.dropped_events or span.resource.schema_url:
        rest = _rest(span, context)  # type: ignore[arg-type]  # one by its fields
        tail = b"%b,%b\n" % (tail[:-2], orjson.dumps(rest)[1:]) if rest else tail
    return b"".join((head.encode(), orjson.dumps(fit), tail))


def _form_line(span: FinishedSpan) -> bytes:
    """The same line of a plain step: of a number's digits and of its form's pieces, with no question left to ask."""
    context: Any = span.context
    parent, form = span.parent, span.form
    title, word = form.line or _form_pieces(span)  # type: ignore[union-attr]  # it has one
    start, end = str(span.start_time), str(span.end_time)  # the last nine digits are below a second
    flags = context[3] | (0x300 if parent is not None and parent[2] else 0x100)
    head = (
        f'{{"v":{RECORD_VERSION},"trace_id":"{context[0].to_bytes(16, "big").hex()}",'
        f'"span_id":"{context[1].to_bytes(8, "big").hex()}",'
        f'"parent_id":{"null" if parent is None else _quoted_id(parent[1])},{title},'
        f'"start_ns":{start},"end_ns":{end},"start":"{_seconds.get(start[:-9]) or _second(start)}.{start[-9:-3]}Z",'
        f'"end":"{_seconds.get(end[:-9]) or _second(end)}.{end[-9:-3]}Z",{word}"attributes":'
    )
    return b"".join((head.encode(), orjson.dumps(span.attributes), _tail(span, flags)))


def _form_pieces(span: FinishedSpan) -> tuple[str, str]:
    attributes = span.attributes
    pieces = (
        _title((span.name, kind_of(attributes), span.kind._name_)),
        f'"status":"unset","outcome":"{outcome_of(attributes, "unset")}",',
    )
    span.form.line = pieces  # type: ignore[union-attr]  # it has one
    return pieces


_seconds: dict[str, str] = {}
"""By their digits, seconds as people read them."""


def _second(digits: str) -> str:
    if len(_seconds) >= _MOST_SECONDS:
        _seconds.clear()
    text = _seconds[digits[:-9]] = second_text(int(digits[:-9]))
    return text


def _quoted_id(span_id: int) -> str:
    return f'"{span_id.to_bytes(8, "big").hex()}"'


_MOST_SECONDS: Final = 64
_QUOTED_ID: Final = '"{:016x}"'.format


def _status_word(status: Status) -> str:
    global _unset
    if status is _unset:
        return "unset"
    word = status.status_code.name.lower()
    if word == "unset":
        _unset = status
    return word


def _title(title: tuple[str, str, str]) -> str:
    """A span's name and both of its kinds, as a line has them."""
    name, kind, span_kind = title
    if type(name) is not str:
        raise TypeError("a name that is not a string")
    text = orjson.dumps({"name": name, "kind": kind, "span_kind": span_kind})[1:-1].decode()
    if len(name) <= _SHORT:
        if len(_title_texts) >= _MOST_TITLES:
            _title_texts.clear()
        _title_texts[title] = text
    return text


def _tail(span: FinishedSpan, flags: int) -> bytes:
    """Who made it, and its flags: half of a short line, and the same in every one."""
    global _tails
    resource, scope, texts = _tails
    if resource is not span.resource or scope is not span.instrumentation_scope:
        texts = {}
        _tails = (span.resource, span.instrumentation_scope, texts)
    text = texts.get(flags)
    if text is None:
        who = {
            "resource": _resource_dict(span.resource),
            "scope": _scope_dict(span.instrumentation_scope),
            "flags": flags,
        }
        text = texts[flags] = b",%b\n" % orjson.dumps(who)[1:]
    return text


def open_line(spans: Sequence[ReadableSpan], process: Mapping[str, Any]) -> bytes:
    """Open spans of one trace as one line: the first as a record, the others in it without what they share."""
    first, *others = map(record_dict, spans)
    first |= {"outcome": "running", "process": process}
    if others:
        first["open_below"] = [{key: record[key] for key in _OWN} for record in others]
    return encode_line(first)


def encode_line(record: dict[str, Any]) -> bytes:
    """A record's dictionary as one line of JSON, newline included."""
    try:
        return _line(record)
    except UNENCODABLE:
        return _line(_valid_unicode(record))


def _line(record: dict[str, Any]) -> bytes:
    if type(record["name"]) is not str:
        raise TypeError("a name that is not a string")

    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _valid_unicode(value: Any) -> Any:
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, dict):
        return {_valid_unicode(key): _valid_unicode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_valid_unicode(item) for item in value]
    return value


def _attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    if not attributes:
        return {}
    # Most values need nothing; dict() copies OpenTelemetry's mapping faster than items() walks it.
    return {
        key: value
        if (kind := type(value)) in _PLAIN
        or (kind is int and INT_MIN <= value <= INT_MAX)
        or (kind is float and isfinite(value))
        else to_json(value)
        for key, value in dict(attributes).items()
    }


def _resource_dict(resource: Resource) -> dict[str, Any]:
    global _resource
    known, converted = _resource
    if known is not resource:
        converted = _attributes(resource.attributes)
        _resource = (resource, converted)
    return converted


def _resource_json(resource: Resource) -> orjson.Fragment:
    """The same as JSON: it is half of a short span's line, and the same in every one."""
    global _resource_text
    known, text = _resource_text
    if known is not resource or text is None:
        text = orjson.Fragment(orjson.dumps(_resource_dict(resource)))
        _resource_text = (resource, text)
    return text


def _scope_dict(scope: InstrumentationScope | None) -> dict[str, Any]:
    if scope is None:
        return {}
    result: dict[str, Any] = {"name": scope.name}
    if scope.version:
        result["version"] = scope.version
    if scope.schema_url:
        result["schema_url"] = scope.schema_url
    if scope.attributes:
        result["attributes"] = _attributes(scope.attributes)
    return result


def _event(event: Event) -> dict[str, Any]:
    if not 0 <= event.timestamp <= INT_MAX:
        raise ValueError("a time outside the range of the clock")
    result: dict[str, Any] = {"name": event.name, "time_ns": event.timestamp}
    if event.attributes:
        result["attributes"] = _attributes(event.attributes)
    if event.dropped_attributes:
        result["dropped"] = event.dropped_attributes
    return result


def _link(link: Link) -> dict[str, Any]:
    context = link.context
    result: dict[str, Any] = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    result["flags"] = int(context.trace_flags) | (0x300 if context.is_remote else 0x100)
    if context.trace_state:
        result["trace_state"] = context.trace_state.to_header()
    if link.attributes:
        result["attributes"] = _attributes(link.attributes)
    if link.dropped_attributes:
        result["dropped"] = link.dropped_attributes
    return result

"""From a line of OTLP/JSON to the fields of records, without a protobuf message for each span.

Collectors write lines of any number of spans. What stands in the usual form is read as it is; a span in which
anything is unusual (names in snake case, ``null``, an id in capitals) is left to the message classes, alone.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.classify import kind_of, outcome_of
from agentops_sdk.traces.formats.json_values import INT_MAX, INT_MIN, plain_map, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["attributes", "span_fields"]

_STATUS: Final = {0: "unset", 1: "ok", 2: "error"} | {
    "STATUS_CODE_UNSET": "unset", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error",
}  # fmt: skip
_KINDS: Final = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_SPAN_KIND: Final[dict[Any, str]] = dict(enumerate(_KINDS)) | {
    f"SPAN_KIND_{name}": name for name in (*_KINDS, "UNSPECIFIED")
} | {"SPAN_KIND_UNSPECIFIED": "INTERNAL"}  # fmt: skip
_TRACE_ID: Final = re.compile("[0-9a-f]{32}")
_SPAN_ID: Final = re.compile("[0-9a-f]{16}")
_NO_PARENT: Final = ("", "0" * 16)
_INTEGER: Final = re.compile("-?[0-9]{1,19}")
_DOUBLES: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_NONE: Final[list[Any]] = []
_EMPTY: Final[dict[str, Any]] = {}
_UINT32: Final = 2**32


class _UnusualError(ValueError):
    """Something is not in the usual form; it may be right nevertheless."""


def span_fields(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of each record, or of one that is in no usual form an OTLP/JSON object with that span alone."""
    for group in _objects(data.get("resourceSpans")):
        if type(group) is not dict:
            yield {"resourceSpans": [group]}
            continue
        resource, schema = _or_none(_described, group.get("resource")), group.get("schemaUrl") or None
        for scope_spans in _objects(group.get("scopeSpans")):
            if type(scope_spans) is not dict:
                yield {"resourceSpans": [{"scopeSpans": [scope_spans]}]}
                continue
            scope = _or_none(_scope, scope_spans)
            usual = resource is not None and scope is not None and (schema is None or type(schema) is str)
            shared = {"resource": resource, "scope": scope}
            if schema is not None:
                shared["resource_schema_url"] = schema
            for span in _objects(scope_spans.get("spans")):
                fields = _or_none(_span, span) if usual else None
                if fields is not None:
                    yield {**fields, **shared}
                else:
                    yield {"resourceSpans": [{**group, "scopeSpans": [{**scope_spans, "spans": [span]}]}]}


def _objects(value: Any) -> list[Any]:
    """The members of a list; what is none has no members."""
    return value if type(value) is list else _NONE


def _or_none(read: Callable[[Any], dict[str, Any]], value: Any) -> dict[str, Any] | None:
    try:
        return read(value)
    except (_UnusualError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _described(resource: Any) -> dict[str, Any]:
    return attributes(_usual(_EMPTY if resource is None else resource).get("attributes", _NONE))


def _scope(scope_spans: Any) -> dict[str, Any]:
    scope = _usual(_usual(scope_spans).get("scope", _EMPTY))
    return {
        "name": _text(scope, "name"),
        "version": _text(scope, "version") or None,
        "schema_url": _text(scope_spans, "schemaUrl") or None,
        "attributes": attributes(scope.get("attributes", _NONE)),
    }


def _span(span: Any) -> dict[str, Any]:
    get = _usual(span).get
    own = attributes(get("attributes", _NONE))
    span_status = _usual(get("status", _EMPTY))
    status = _STATUS["" if "statusCode" in span_status else span_status.get("code", 0)]
    fields: dict[str, Any] = {
        "v": 1,
        "trace_id": _id(span, "traceId", _TRACE_ID),
        "span_id": _id(span, "spanId", _SPAN_ID),
        "parent_id": None if get("parentSpanId", "") in _NO_PARENT else _id(span, "parentSpanId", _SPAN_ID),
        "name": _text(span, "name"),
        "kind": kind_of(own),
        "span_kind": _SPAN_KIND[get("kind", 0)],
        "start_ns": _integer(get("startTimeUnixNano", 0), 0),
        "end_ns": _integer(get("endTimeUnixNano", 0), 0),
        "status": status,
        "outcome": outcome_of(own, status),
        "attributes": own,
        "flags": _count(span, "flags"),
    }
    if message := _text(span_status, "message"):
        fields["status_message"] = message
    if state := _text(span, "traceState"):
        fields["trace_state"] = state
    if events := get("events"):
        fields["events"] = [_event(event) for event in events]
    if links := get("links"):
        fields["links"] = [_link(link) for link in links]
    dropped = {name: count for name in ("attributes", "events", "links") if (count := _dropped(span, name))}
    if dropped:
        fields["dropped"] = dropped
    return fields


def _event(event: Any) -> dict[str, Any]:
    return {
        "name": _text(_usual(event), "name"),
        "time_ns": _integer(event.get("timeUnixNano", 0), 0),
        "attributes": attributes(event.get("attributes", _NONE)),
        "dropped": _dropped(event, "attributes"),
    }


def _link(link: Any) -> dict[str, Any]:
    return {
        "trace_id": _id(_usual(link), "traceId", _TRACE_ID),
        "span_id": _id(link, "spanId", _SPAN_ID),
        "trace_state": _text(link, "traceState"),
        "attributes": attributes(link.get("attributes", _NONE)),
        "flags": _count(link, "flags"),
        "dropped": _dropped(link, "attributes"),
    }


def _usual(item: Any) -> dict[str, Any]:
    """An object without a name in snake case, which the message classes understand as well."""
    if type(item) is not dict or "_" in "".join(item):
        raise _UnusualError
    return item


def _text(item: dict[str, Any], name: str) -> str:
    text = item.get(name, "")
    if type(text) is not str:
        raise _UnusualError
    return text


def _id(item: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    text = item[name]
    if form.fullmatch(text) is None:
        raise _UnusualError
    return str(text)


def _dropped(item: dict[str, Any], name: str) -> int:
    return _count(item, f"dropped{name.title()}Count")


def _count(item: dict[str, Any], name: str) -> int:
    count = item.get(name, 0)
    if type(count) is not int or not 0 <= count < _UINT32:
        raise _UnusualError
    return count


def _integer(value: Any, least: int = INT_MIN) -> int:
    """A number, or, as 64 bits are written in JSON, a text of one."""
    if type(value) is str and _INTEGER.fullmatch(value):
        value = int(value)
    if type(value) is not int or not least <= value <= INT_MAX:
        raise _UnusualError
    return value


def attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as an object, from the list that OTLP has of them."""
    if type(pairs) is not list:
        raise _UnusualError
    return {_key(pair): _value(pair.get("value", _EMPTY)) for pair in map(_usual, pairs)}


def _key(pair: dict[str, Any]) -> str:
    key = pair["key"]
    if type(key) is not str:
        raise _UnusualError
    return key


def _value(value: Any) -> Any:
    if not value and type(value) is dict:
        return None
    ((kind, inner),) = value.items()
    if kind == "stringValue" and type(inner) is str:
        return inner
    return _VALUES[kind](inner)


def _bool(inner: Any) -> bool:
    if type(inner) is not bool:
        raise _UnusualError
    return inner


def _double(inner: Any) -> Any:
    if type(inner) is str:
        return to_json(_DOUBLES[inner])
    if type(inner) is not float and type(inner) is not int:
        raise _UnusualError
    return to_json(float(inner))


def _members(inner: Any) -> list[Any]:
    values = _usual(inner).get("values", _NONE)
    if type(values) is not list:
        raise _UnusualError
    return values


_VALUES: Final[dict[str, Callable[[Any], Any]]] = {
    "intValue": _integer,
    "boolValue": _bool,
    "doubleValue": _double,
    "bytesValue": lambda inner: to_json(b64decode(inner, validate=True)),
    "arrayValue": lambda inner: [_value(item) for item in _members(inner)],
    "kvlistValue": lambda inner: plain_map(attributes(_members(inner))),
}

"""OTLP/JSON in every form that people have, in the usual one.

The usual one has ``resourceSpans`` at the top, names in camel case, ids in hex. Tempo answers with ``batches`` or a
``trace``, Jaeger's newer interface with a ``result``; older writers have ``instrumentationLibrarySpans``; what went
through a protobuf library has ids in base64; Python's has names in snake case. Phoenix answers with spans alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk.traces.formats.identifiers import SPAN_BYTES, TRACE_BYTES, decoded, derived
from agentops_sdk.traces.formats.json_values import INT_MAX, INT_MIN, parsed
from agentops_sdk.traces.formats.moments import nanoseconds
from agentops_sdk.traces.formats.otlp_lines import attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["GROUPS", "OLDER_SCOPE_SPANS", "groups", "plain_attributes", "plain_value", "usual"]

GROUPS: Final = ("resourceSpans", "resource_spans", "batches")
"""Under which names groups of spans stand; a document that was put together may have several."""
_AROUND: Final = ("trace", "result", "results", "data", "request", "body", "traces", "tracesData", "payload",
                  "exportTraceServiceRequest", "ExportTraceServiceRequest")  # fmt: skip
"""Under which names other programs put such an object."""
_STARTS: Final = ("startTimeUnixNano", "start_time_unix_nano")
"""Of which a span has one, and nothing else of OTLP that has attributes in a list."""
_SNAKE: Final = lazy_pattern("_([a-z0-9])")
OLDER_SCOPE_SPANS: Final = ("instrumentationLibrarySpans", "ilSpans")
_SCOPE_SPANS: Final = ("scopeSpans", *OLDER_SCOPE_SPANS)
_SCOPES: Final = ("scope", "instrumentationLibrary")
_VALUES: Final = dict.fromkeys(
    ("stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue")
)
_LISTS: Final = ("arrayValue", "kvlistValue")
_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")
_WORDS: Final = {"true": True, "false": False}
_KEYS: Final = ("key", "Key", "name", "Name")
_TYPES: Final = ("vtype", "v_type", "valuetype", "value_type")
"""What stands beside a value, which Jaeger has under a name that says its type: ``vStr``, ``v_int64``."""
_TIMES: Final = ("startTimeUnixNano", "endTimeUnixNano")
_CODES: Final = ("code", "statusCode", "status_code")
_STATUSES: Final = {"unset": 0, "ok": 1, "error": 2}
_LEVELS: Final = 4


def groups(document: Any, levels: int = _LEVELS) -> list[Any] | None:
    """The groups of spans by resource in a document; ``None`` where it is no OTLP."""
    if isinstance(document, list):
        inside = (
            [group_list for item in document if (group_list := groups(item, levels - 1)) is not None] if levels else []
        )
        return [group for group_list in inside for group in group_list] if inside else None
    if not isinstance(document, dict):
        return None
    lists = [group_list for name in GROUPS if isinstance(group_list := document.get(name), list)]
    if lists:
        return lists[0] if len(lists) == 1 else [group for group_list in lists for group in group_list]
    if any(isinstance(document.get(name), list) for name in ("scopeSpans", "scope_spans", OLDER_SCOPE_SPANS[0])):
        return [document]
    if _is_span(document):
        return [{"scopeSpans": [{"spans": [document]}]}]
    if isinstance(spans := document.get("spans"), list) and any(map(_is_span, spans)):
        return [{"resource": document.get("resource"), "scopeSpans": [document]}]
    if levels:
        for name in _AROUND:
            if (group_list := groups(document.get(name), levels - 1)) is not None:
                return group_list
    return None


def _is_span(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and any(name in document for name in _STARTS)
        and isinstance(document.get("attributes"), list)
    )


def usual(group_list: list[Any]) -> dict[str, Any]:
    """The same groups in the usual form; what cannot be put into it stays as it is."""
    return {"resourceSpans": [_group(group) if isinstance(group, dict) else group for group in group_list]}


def _camel(item: dict[str, Any]) -> dict[str, Any]:
    """Names in camel case, without those that hold nothing."""
    return {
        _SNAKE.sub(lambda match: match[1].upper(), name) if "_" in name else name: value
        for name, value in item.items()
        if value is not None
    }


def _group(group: dict[str, Any]) -> dict[str, Any]:
    group = _camel(group)
    resource = group.pop("resource", None)
    if isinstance(resource, dict | list):
        group["resource"] = _described(resource if isinstance(resource, dict) else {"attributes": resource})
    lists = [group.pop(name) for name in _SCOPE_SPANS if isinstance(group.get(name), list)]
    if lists:
        group["scopeSpans"] = [_scope(each) if isinstance(each, dict) else each for some in lists for each in some]
    return group


def _scope(scope_spans: dict[str, Any]) -> dict[str, Any]:
    scope_spans = _camel(scope_spans)
    name = next((name for name in _SCOPES if isinstance(scope_spans.get(name), dict)), None)
    if name is not None:
        scope_spans["scope"] = _described(scope_spans.pop(name))
    if isinstance(spans := scope_spans.get("spans"), list):
        scope_spans["spans"] = [_span(span) if isinstance(span, dict) else span for span in spans]
    return scope_spans


def _described(item: dict[str, Any]) -> dict[str, Any]:
    item = _camel(item)
    if "attributes" in item:
        item["attributes"] = _pairs(item["attributes"])
    return item


def _span(span: dict[str, Any]) -> dict[str, Any]:
    span = _described(span)
    for name, size in (("traceId", TRACE_BYTES), ("spanId", SPAN_BYTES)):
        if name in span:
            span[name] = decoded(span[name], size) or span[name]
    parent = span.get("parentSpanId")
    if parent is not None:
        span["parentSpanId"] = (decoded(parent, SPAN_BYTES) or derived(parent, SPAN_BYTES)) if parent else ""
        if not span["parentSpanId"].strip("0"):
            del span["parentSpanId"]
    if "status" in span:
        span["status"] = _status(span["status"])
    if isinstance(kind := span.get("kind"), str):
        span["kind"] = int(kind) if kind.isdecimal() else f"SPAN_KIND_{kind.upper().removeprefix('SPAN_KIND_')}"
    for name in _TIMES:
        if (moment := _moment(span.get(name))) is not None:
            span[name] = str(moment)
    for name, read in (("events", _event), ("links", _link)):
        if name in span:
            span[name] = list(_each(span[name], read)) if isinstance(span[name], list) else []
    span["name"] = str(span.get("name", ""))
    return span


def _event(event: dict[str, Any]) -> dict[str, Any]:
    event = _described(event)
    moment = event.pop("timeUnixNano", event.pop("time", None))
    if not _is_plain(moment):
        moment = _moment(moment)
    return {**event, "name": str(event.get("name", "")), "timeUnixNano": str(moment or 0)}


def _status(status: Any) -> dict[str, Any]:
    """A status, also where that is its code alone, and the code is a word."""
    if not isinstance(status, dict):
        status = {"code": status}
    status = _camel(status)
    code = next((status[name] for name in _CODES if name in status), 0)
    if isinstance(code, str) and not code.isdecimal():
        code = _STATUSES.get(code.lower().removeprefix("status_code_"), 0)
    return {"code": code, **({"message": message} if (message := status.get("message")) else {})}


def _moment(value: Any) -> int | None:
    """A time that is no number of nanoseconds."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if _is_plain(value) else nanoseconds(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())


def _each(items: list[Any], read: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, dict) and (result := read(item)) is not None:
            yield result


def _link(link: dict[str, Any]) -> dict[str, Any] | None:
    link = _described(link)
    trace_id, span_id = decoded(link.get("traceId"), TRACE_BYTES), decoded(link.get("spanId"), SPAN_BYTES)
    return None if trace_id is None or span_id is None else {**link, "traceId": trace_id, "spanId": span_id}


def _pairs(pairs: Any) -> Any:
    """Attributes as a list of key and value, also where they were written as an object, or as its JSON text."""
    pairs = parsed(pairs)
    if isinstance(pairs, dict):
        return [{"key": str(name), "value": _value(value)} for name, value in pairs.items()]
    if not isinstance(pairs, list):
        return pairs
    return [_pair(pair) for pair in pairs if isinstance(pair, dict)]


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    key = next((pair[name] for name in _KEYS if name in pair), None)
    value = next((pair[name] for name in pair if name[:1].lower() == "v" and name.lower() not in _TYPES), None)
    return {"key": str(key), "value": _value(value)}


def plain_attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as an object, from a list of key and value in any form.

    Raises:
        ValueError: something in them is none.
    """
    return attributes(_pairs(pairs))


def _value(value: Any) -> Any:
    """A value under the one name that says its type, also where that is in snake case or a field of its own."""
    if not isinstance(value, dict):
        return {} if value is None else plain_value(value)
    written, value = value, {name[:1].lower() + name[1:]: inner for name, inner in _camel(value).items()}
    if value.keys() <= {"type", "value"} and "value" in value:
        return _value(value["value"])
    if value and value.keys().isdisjoint(_VALUES):
        return plain_value(written)  # a structure that says nothing of types
    name = next((name for name in _VALUES if name in value), None)
    return {} if name is None else _fit(name, value[name])


def _fit(name: str, inner: Any) -> dict[str, Any]:
    """A value of this type; as text where it is none that the type has room for."""
    if name in _LISTS:
        values = inner.get("values") if isinstance(inner, dict) else inner
        values = values if isinstance(values, list | dict) else []
        return {name: {"values": _pairs(values) if name == "kvlistValue" else [_value(item) for item in values]}}
    try:
        if name == "intValue" and INT_MIN <= (number := int(inner)) <= INT_MAX:
            return {name: str(number)}
        if name == "doubleValue":
            return {name: inner if inner in _NO_NUMBERS else float(inner)}
        if name == "boolValue":
            return {name: _WORDS[str(inner).lower()]}
    except (ValueError, TypeError, KeyError, OverflowError):
        pass
    return {name if name == "bytesValue" and isinstance(inner, str) else "stringValue": str(inner)}


def plain_value(value: Any) -> dict[str, Any]:
    """A plain JSON value as OTLP writes it."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return _fit("intValue", value)
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [plain_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}
    return {"stringValue": str(value)}

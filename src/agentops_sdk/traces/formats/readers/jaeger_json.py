"""Jaeger's JSON: an answer of its query service or a download of its page, traces, or single spans of a store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, link, members, recognised, scope_of, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_IN_OTHER_PLACES = (
    "otel.status_code",
    "otel.status_description",
    "span.kind",
    "internal.span.format",
    "w3c.tracestate",
)

_TYPED: Final = re.compile("^(?:v(?=[A-Z])|v_)(?!Type|type)")
_NUMBERS: Final[dict[str, Callable[[str], int | float]]] = {
    "int64": int, "long": int, "float64": float, "double": float,
}  # fmt: skip


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, "data")


def _is_one(document: Any) -> bool:
    if isinstance(document.get("spans"), list) and "traceID" in document:
        return True
    return "operationName" in document and "traceID" in document and "spanID" in document


def _tags(pairs: Any) -> dict[str, Any]:
    if isinstance(pairs, dict):  # of a store in which names have no dots
        return {name.replace("@", "."): value for name, value in pairs.items()}
    return {pair["key"]: _value(pair) for pair in pairs or () if isinstance(pair, dict) and "key" in pair}


def _value(pair: dict[str, Any]) -> Any:
    typed = next((name for name in pair if _TYPED.match(name)), None)
    if typed is not None:  # as its own interface writes them: under a name that says the type
        pair = {"type": _TYPED.sub("", typed), "value": pair[typed]}
    kind, value = str(pair.get("type", "")).lower().removeprefix("_"), pair.get("value")
    if kind in _NUMBERS and isinstance(value, str):
        try:
            return _NUMBERS[kind](value)
        except ValueError:  # it costs no span
            return value
    return value == "true" if kind == "bool" and isinstance(value, str) else value


def _parts(document: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each span with the processes of its trace."""
    for item in members(document, "data"):
        if isinstance(item, dict) and isinstance(item.get("spans"), list):
            processes = item.get("processes") or {}
            yield from ((one, processes) for one in item["spans"])
        else:
            yield item, {}


def _read(part: tuple[dict[str, Any], dict[str, Any]]) -> Fields:
    document, processes = part
    tags = _tags(document.get("tags")) | _tags(document.get("tag"))
    process = document.get("process") or processes.get(str(document.get("processID"))) or {}
    references = document.get("references") or []
    parents = [one for one in references if str(one.get("refType", "CHILD_OF")).upper() == "CHILD_OF"]
    here = [one for one in references if one.get("traceID") == document["traceID"]]
    # Like Jaeger itself: what a span follows is its parent where it is nobody's child.
    own = [one for one in parents if one in here] or parents or here
    parent = own[0]["spanID"] if own else document.get("parentSpanID")
    start = int(document["startTime"])
    stated = str(tags.get("otel.status_code", "")).lower()
    failed = stated == "error" or (not stated and str(tags.get("error", "")).lower() in ("true", "1"))
    scope = scope_of(tags)
    message = tags.get("otel.status_description")
    kind = tags.get("span.kind")
    if failed:
        tags.pop("error", None)
    service = {"service.name": process.get("serviceName")}
    return span(
        trace_id=document["traceID"],
        span_id=str(document["spanID"]).zfill(16),
        parent_id=None if not parent else str(parent).zfill(16),
        name=document.get("operationName"),
        start=start * 1_000,
        end=(start + int(document.get("duration") or 0)) * 1_000,
        attributes={name: value for name, value in tags.items() if name not in _IN_OTHER_PLACES},
        span_kind=kind,
        status="error" if failed else stated or "unset",
        message=message,
        events=[_event(one) for one in document.get("logs") or ()],
        links=[link(one["traceID"], str(one["spanID"]).zfill(16)) for one in references if one not in own[:1]],
        resource=service | _tags(process.get("tags")),
        **scope,
    )


def _event(log: dict[str, Any]) -> Fields:
    fields = _tags(log.get("fields"))
    name = fields.pop("event", None) or fields.pop("message", None)
    return event(name or "log", int(log.get("timestamp") or 0) * 1_000, fields)


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((part for document in documents for part in _parts(document)), _read)


READER = Reader("Jaeger JSON", _is_any, _spans, written_by="Jaeger's page and query service, Elasticsearch storage")

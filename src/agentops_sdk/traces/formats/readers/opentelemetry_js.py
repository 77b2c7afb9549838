"""What OpenTelemetry's JavaScript SDK has of a span: as its console exporter gives it, and as the object itself is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, link, members, recognised, scope_of, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES: Final = ("unset", "ok", "error")
_LISTS: Final = ("spans",)


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, *_LISTS)


def _is_one(document: Any) -> bool:
    if isinstance(document.get("_spanContext"), dict):
        return "startTime" in document
    printed = isinstance(document.get("traceId"), str) and isinstance(document.get("id"), str)
    return printed and "timestamp" in document and isinstance(document.get("attributes"), dict)


def _context(document: Any) -> dict[str, Any]:
    context = document.get("context", document) if isinstance(document, dict) else {}
    return context if isinstance(context, dict) else {}


def _read(document: dict[str, Any]) -> Fields:
    context = document.get("_spanContext") or {"traceId": document.get("traceId"), "spanId": document.get("id")}
    parent = _context(document.get("parentSpanContext")).get("spanId")
    parent = parent or document.get("parentSpanId") or document.get("parentId")
    start, end = document.get("startTime"), document.get("endTime")
    if start is None:  # printed: microseconds
        start, duration = int(document["timestamp"]) * 1_000, document.get("duration")
        end = start + int(float(duration) * 1_000) if duration is not None else None
    status = document.get("status") or {}
    code, kind = status.get("code"), document.get("kind")
    resource = document.get("resource") or {}
    attributes = dict(document.get("attributes") or {})
    of_tags = scope_of(attributes)
    scope = document.get("instrumentationScope") or document.get("instrumentationLibrary") or {}
    return span(
        trace_id=context["traceId"],
        span_id=context["spanId"],
        parent_id=parent,
        name=document.get("name"),
        start=start,
        end=None if document.get("ended") is False or document.get("_ended") is False else end,
        attributes=attributes,
        span_kind=_KINDS[kind] if type(kind) is int and 0 <= kind < len(_KINDS) else kind,
        status=_STATUSES[code] if type(code) is int and 0 <= code < len(_STATUSES) else code,
        message=status.get("message"),
        events=[
            event(one.get("name"), one.get("time"), one.get("attributes"))
            for one in document.get("events") or ()
            if isinstance(one, dict)
        ],
        links=[
            link(_context(one)["traceId"], _context(one)["spanId"], one.get("attributes"))
            for one in document.get("links") or ()
            if isinstance(one, dict)
        ],
        resource=parsed(resource.get("attributes", resource.get("_attributes"))) if isinstance(resource, dict) else {},
        scope=scope.get("name") or of_tags["scope"],
        scope_version=scope.get("version") or of_tags["scope_version"],
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((one for document in documents for one in members(document, *_LISTS)), _read)


READER = Reader(
    "OpenTelemetry SDK for JavaScript", _is_any, _spans, written_by="ConsoleSpanExporter of the JavaScript SDK"
)

"""What OpenTelemetry's Go SDK prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, link, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def _is_one(document: Any) -> bool:
    return "TraceID" in document["SpanContext"] and "StartTime" in document


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair["Key"]: pair["Value"].get("Value") for pair in pairs or ()}


def _read(document: dict[str, Any]) -> Fields:
    context, status = document["SpanContext"], document.get("Status") or {}
    scope = document.get("InstrumentationScope") or document.get("InstrumentationLibrary") or {}
    return span(
        trace_id=context["TraceID"],
        span_id=context["SpanID"],
        parent_id=(document.get("Parent") or {}).get("SpanID"),
        name=document.get("Name"),
        start=document["StartTime"],
        end=document.get("EndTime"),
        attributes=_attributes(document.get("Attributes")),
        span_kind=document.get("SpanKind"),
        status=status.get("Code"),
        message=status.get("Description"),
        events=[
            event(one.get("Name"), one.get("Time"), _attributes(one.get("Attributes")))
            for one in document.get("Events") or ()
        ],
        links=[
            link(one["SpanContext"]["TraceID"], one["SpanContext"]["SpanID"], _attributes(one.get("Attributes")))
            for one in document.get("Links") or ()
        ],
        resource=_attributes(document.get("Resource")) if isinstance(document.get("Resource"), list) else {},
        scope=scope.get("Name"),
        scope_version=scope.get("Version"),
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each(documents, _read)


READER = Reader(
    "OpenTelemetry SDK for Go, stdouttrace", _is_one, _spans, written_by="the stdout exporter of the Go SDK"
)

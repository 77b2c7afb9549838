"""What OpenTelemetry's Python SDK prints: ``span.to_json()``, on one line or on many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, link, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def _is_one(document: Any) -> bool:
    context = document["context"]
    ours = "0x" in str(context["span_id"]) or str(document.get("kind")).startswith("SpanKind.")
    return ours and "trace_id" in context and "start_time" in document


def _read(document: dict[str, Any]) -> Fields:
    context, status = document["context"], document.get("status") or {}
    resource = document.get("resource") or {}
    return span(
        trace_id=context["trace_id"],
        span_id=context["span_id"],
        parent_id=document.get("parent_id"),
        name=document.get("name"),
        start=document["start_time"],
        end=document.get("end_time"),
        attributes=document.get("attributes"),
        span_kind=document.get("kind"),
        status=status.get("status_code", "unset"),
        message=status.get("description"),
        events=[
            event(one.get("name"), one.get("timestamp"), one.get("attributes")) for one in document.get("events") or ()
        ],
        links=[
            link(one["context"]["trace_id"], one["context"]["span_id"], one.get("attributes"))
            for one in document.get("links") or ()
        ],
        resource=resource.get("attributes", resource),
        scope=(document.get("instrumentation_scope") or document.get("instrumentation_info") or {}).get("name"),
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each(documents, _read)


READER = Reader("OpenTelemetry SDK, to_json", _is_one, _spans, written_by="ConsoleSpanExporter of the Python SDK")

"""Zipkin's JSON, version 2: spans, lists of them, lists of traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, members, recognised, scope_of, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNS = ("localEndpoint", "remoteEndpoint", "duration", "tags", "annotations", "debug", "shared")


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one)


def _is_one(document: Any) -> bool:
    return (
        isinstance(document.get("traceId"), str)
        and isinstance(document.get("id"), str)
        and type(document.get("timestamp")) is int
        and any(sign in document for sign in _SIGNS)
        and "type" not in document
    )


def _read(document: dict[str, Any]) -> Fields:
    tags = dict(document.get("tags") or {})
    scope = scope_of(tags)
    stated = str(tags.pop("otel.status_code", "")).lower()
    error = tags.pop("error", None)
    failed = stated == "error" or (not stated and error is not None and str(error).lower() != "false")
    start, duration = int(document["timestamp"]), document.get("duration")
    endpoint = document.get("localEndpoint") or {}
    resource = {"service.name": endpoint.get("serviceName")}
    return span(
        trace_id=document["traceId"],
        span_id=document["id"],
        parent_id=document.get("parentId"),
        name=document.get("name"),
        start=start * 1_000,
        end=(start + int(duration)) * 1_000 if duration is not None else None,  # a tracer leaves out what never ended
        attributes=tags,
        span_kind=document.get("kind"),
        status="error" if failed else stated or "unset",
        message=error if error not in (None, "", "true", True) else tags.get("otel.status_description"),
        events=[
            event(one.get("value"), int(one.get("timestamp") or 0) * 1_000) for one in document.get("annotations") or ()
        ],
        resource=resource,
        **scope,
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((one for document in documents for one in members(document)), _read)


READER = Reader("Zipkin JSON", _is_any, _spans, written_by="Zipkin's query service, exporters to Zipkin")

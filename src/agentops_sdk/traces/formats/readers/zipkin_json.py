"""Zipkin's JSON, version 2 and the older 1: spans, lists of them, lists of traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, members, recognised, scope_of, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNS = ("localEndpoint", "remoteEndpoint", "duration", "tags", "annotations", "binaryAnnotations", "debug", "shared")
_KINDS = {"cs": "CLIENT", "cr": "CLIENT", "sr": "SERVER", "ss": "SERVER", "ms": "PRODUCER", "mr": "CONSUMER"}
"""In version 1, by annotation."""


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one)


def _is_one(document: Any) -> bool:
    return (
        isinstance(document.get("traceId"), str)
        and isinstance(document.get("id"), str)
        and str(document.get("timestamp")).isdecimal()
        and any(sign in document for sign in _SIGNS)
        and "type" not in document
        and "attributes" not in document
    )


def _read(document: dict[str, Any]) -> Fields:
    annotations = [one for one in document.get("annotations") or () if isinstance(one, dict)]
    older = [one for one in document.get("binaryAnnotations") or () if isinstance(one, dict)]
    tags = {str(one["key"]): one.get("value") for one in older if "key" in one} | dict(document.get("tags") or {})
    kind = document.get("kind") or next(
        (_KINDS[one["value"]] for one in annotations if one.get("value") in _KINDS), None
    )
    endpoints = (one.get("endpoint") for one in (*older, *annotations))
    scope = scope_of(tags)
    stated = str(tags.pop("otel.status_code", "")).lower()
    error = tags.pop("error", None)
    failed = stated == "error" or (not stated and error is not None and str(error).lower() != "false")
    start, duration = int(document["timestamp"]), document.get("duration")
    endpoint: dict[str, Any] = document.get("localEndpoint") or next(filter(None, endpoints), {})
    resource = {"service.name": endpoint.get("serviceName")}
    return span(
        trace_id=document["traceId"],
        span_id=document["id"],
        parent_id=document.get("parentId"),
        name=document.get("name"),
        start=start * 1_000,
        end=(start + int(duration)) * 1_000 if duration is not None else None,  # a tracer leaves out what never ended
        attributes=tags,
        span_kind=kind,
        status="error" if failed else stated or "unset",
        message=error if error not in (None, "", "true", True) else tags.get("otel.status_description"),
        events=[event(one.get("value"), int(one.get("timestamp") or 0) * 1_000) for one in annotations],
        resource=resource,
        **scope,
    )


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((one for document in documents for one in members(document)), _read)


READER = Reader("Zipkin JSON", _is_any, _spans, written_by="Zipkin's query service, exporters to Zipkin")

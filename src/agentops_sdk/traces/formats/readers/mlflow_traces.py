"""MLflow: traces as ``Trace.to_json()``, its artifacts and its interface give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.identifiers import SPAN_BYTES, TRACE_BYTES, decoded
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, members, recognised, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SESSION = {"mlflow.trace.session": "session.id", "mlflow.trace.user": "user.id"}


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, "traces")


def _is_one(document: Any) -> bool:
    if isinstance(document.get("trace"), str):  # a row of a search
        document = parsed(document["trace"])
    data = parsed(document.get("data"))
    if isinstance(data, dict) and isinstance(data.get("spans"), list):
        return True
    spans = document.get("spans")
    return isinstance(spans, list) and recognised(
        spans, lambda one: isinstance(one, dict) and ("start_time_unix_nano" in one or "context" in one)
    )


def _parts(document: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    if not isinstance(document, dict):
        yield document, {}
        return
    document = parsed(document["trace"]) if isinstance(document.get("trace"), str) else document
    info = parsed(document.get("info") or document.get("trace_info")) or {}
    data = parsed(document.get("data")) or document
    shared: dict[str, Any] = {}
    for holder in ("request_metadata", "trace_metadata"):
        metadata = info.get(holder) or {}
        shared.update({ours: metadata[theirs] for theirs, ours in _SESSION.items() if theirs in metadata})
    for one in data.get("spans") or [None]:
        yield one, shared


def _read(part: tuple[dict[str, Any], dict[str, Any]]) -> Fields:
    document, shared = part
    context, status = document.get("context") or {}, document.get("status") or {}
    trace_id = document.get("trace_id", context.get("trace_id"))
    span_id, parent = document.get("span_id", context.get("span_id")), document.get("parent_span_id")
    parent = document.get("parent_id") if parent is None else parent
    attributes = {name: _unquoted(value) for name, value in (document.get("attributes") or {}).items()}
    return span(
        trace_id=decoded(trace_id, TRACE_BYTES) or trace_id,
        span_id=decoded(span_id, SPAN_BYTES) or span_id,
        parent_id=decoded(parent, SPAN_BYTES) or parent,
        name=document.get("name"),
        start=document.get("start_time_unix_nano", document.get("start_time")),
        end=document.get("end_time_unix_nano", document.get("end_time")),
        attributes={**attributes, **shared},
        status=status.get("code") or document.get("status_code"),
        message=status.get("message") or document.get("status_message"),
        events=[
            event(one.get("name"), one.get("time_unix_nano", one.get("timestamp")), one.get("attributes"))
            for one in document.get("events") or ()
        ],
        scope="mlflow",
    )


def _unquoted(value: Any) -> Any:
    """Every value is JSON text; text itself is so in quotes."""
    plain = parsed(value)
    return plain if isinstance(plain, str | int | float | bool) else value


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    traces = (trace for document in documents for trace in members(document, "traces"))
    return each((part for trace in traces for part in _parts(trace)), _read)


READER = Reader("MLflow", _is_any, _spans, written_by="MLflow: Trace.to_json(), traces.json among a run's artifacts")

"""Phoenix: spans as its client, its interface and ``DataFrame.to_json`` give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, flat, members, recognised, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COLUMN = "attributes."


_ID = "context.span_id"


def _is_any(document: Any) -> bool:
    return recognised(_listed(document), _is_one, "data")


def _listed(document: Any) -> Any:
    """A table by rows, as ``orient="index"`` and ``orient="split"`` write one, as a list of them; all else as it is."""
    if not isinstance(document, dict):
        return document
    columns, rows = document.get("columns"), document.get("data")
    if isinstance(columns, list) and _ID in columns and isinstance(rows, list):
        return [dict(zip(columns, row, strict=False)) for row in rows if isinstance(row, list)]
    first = next(iter(document.values()), None)
    return list(document.values()) if isinstance(first, dict) and type(first.get(_ID)) is str else document


def _is_one(document: Any) -> bool:
    if _ID in document:
        return True
    context = document["context"]
    return "span_id" in context and ("span_kind" in document or "status_code" in document) and "spans" not in document


def _rows(document: Any) -> Iterator[dict[str, Any]]:
    for item in members(_listed(document), "data"):
        ids = item.get(_ID) if isinstance(item, dict) else None
        if isinstance(ids, dict):  # a table by columns
            for row in ids:
                yield {name: column.get(row) for name, column in item.items() if isinstance(column, dict)}
        else:
            yield item


def _attributes(document: dict[str, Any]) -> dict[str, Any]:
    columns = {
        name[len(_COLUMN) :]: value
        for name, value in document.items()
        if name.startswith(_COLUMN) and value is not None
    }
    nested = parsed(document.get("attributes"))
    attributes = flat(columns) | flat(nested if isinstance(nested, dict) else {})
    attributes.setdefault("openinference.span.kind", document.get("span_kind"))
    return attributes


def _read(document: dict[str, Any]) -> Fields:
    context = document.get("context") or {}
    events = parsed(document.get("events"))
    return span(
        trace_id=document.get("context.trace_id", context.get("trace_id")),
        span_id=document.get(_ID, context.get("span_id")),
        parent_id=document.get("parent_id"),
        name=document.get("name"),
        start=document["start_time"],
        end=document.get("end_time"),
        attributes=_attributes(document),
        status=document.get("status_code"),
        message=document.get("status_message"),
        events=[_event(one) for one in events or () if isinstance(one, dict)],
        scope="openinference",
    )


def _event(one: dict[str, Any]) -> Fields:
    return event(one.get("name"), one.get("timestamp"), one.get("attributes"))


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each((row for document in documents for row in _rows(document)), _read)


READER = Reader(
    "Phoenix", _is_any, _spans, written_by="Arize Phoenix: /v1/projects/…/spans, get_spans_dataframe().to_json()"
)

"""What a tracked memory was asked and what it gave, as the conventions have it. Consumer thread only.

A search has a query and finds records; what writes has records, and their ids where it is given or returns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.chat_messages import documents

__all__ = ["records_of", "told_by_memory"]

_SEARCH: Final = "search_memory"
_QUERIES: Final = ("query", "text", "question", "prompt", "search_query")
_IDS: Final = ("id", "record_id", "memory_id", "key")
_RECORDS: Final = ("records", "memories", "record", "memory", "content", "text", "value", "data", "fact", "messages")
_LARGEST: Final = 256


def told_by_memory(asked: Any, result: Any, operation: Any) -> dict[str, Any]:
    """Query, records, their number and the one record's id, from a function's arguments and result."""
    arguments = asked if isinstance(asked, dict) else {}
    told: dict[str, Any] = {semconv.MEMORY_RECORD_ID: _identity(arguments)}
    if operation == _SEARCH:
        query = _first(arguments, _QUERIES)
        if query is None and len(arguments) == 1:
            (query,) = arguments.values()
        told[semconv.MEMORY_QUERY] = query if isinstance(query, str) else None
        if result is not None:
            told[semconv.MEMORY_RECORDS] = records_of(result)
            told[semconv.MEMORY_RECORD_COUNT] = len(told[semconv.MEMORY_RECORDS])
        return told
    if str(operation).endswith("_store"):
        return {}
    if told[semconv.MEMORY_RECORD_ID] is None:
        told[semconv.MEMORY_RECORD_ID] = _identity(result) if isinstance(result, dict) else _short(result)
    if not str(operation).startswith("delete"):
        written = _first(arguments, _RECORDS)
        if written is None and len(arguments) == 1:
            (written,) = arguments.values()
        if written is not None:
            told[semconv.MEMORY_RECORDS] = records_of(written)
            told[semconv.MEMORY_RECORD_COUNT] = len(told[semconv.MEMORY_RECORDS])
    return told


def records_of(values: Any) -> list[dict[str, Any]]:
    """Records by the conventions' schema: each has its content, and an id, a score and metadata where they are told."""
    if isinstance(values, Mapping):
        inner = _first(values, ("results", "records", "memories"))
        values = inner if isinstance(inner, list) else [values]
    if not isinstance(values, list):
        values = [values]
    return [_record(each) for each in values]


def _record(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"content": value}
    (document,) = documents([value]) or [{}]
    content = _first(value, ("content", "memory", "text", "value", "data"))
    record: dict[str, Any] = {"content": dict(value) if content is None else content}
    identity, score, metadata = document.get("id", value.get("key")), value.get("score"), value.get("metadata")
    if identity is not None:
        record["id"] = str(identity)
    if isinstance(score, int | float) and not isinstance(score, bool):
        record["score"] = score
    if isinstance(metadata, Mapping) and metadata:
        record["metadata"] = dict(metadata)
    return record


def _identity(values: Mapping[str, Any]) -> str | None:
    return _short(_first(values, _IDS))


def _short(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value) if len(str(value)) <= _LARGEST else None


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)

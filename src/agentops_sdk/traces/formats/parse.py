"""From one line's JSON to one record: strict about what identifies a span, lenient about what is new."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import ValidationError

from agentops_sdk.traces.classify import kind_of, outcome_of
from agentops_sdk.traces.formats.json_values import shallow
from agentops_sdk.traces.process_identity import is_alive
from agentops_sdk.traces.record import Kind, Outcome, SpanKind, SpanRecord, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VOCABULARY: Final = {
    "kind": frozenset(get_args(Kind)),
    "outcome": frozenset(get_args(Outcome)),
    "span_kind": frozenset(get_args(SpanKind)),
    "status": frozenset(get_args(Status)),
}
_SHARED: Final = ("v", "trace_id", "end_ns", "status", "resource", "resource_schema_url", "scope", "process")
"""What the open spans of one line have in common."""
_FOR_PEOPLE: Final = ("start", "end")  # the integers are authoritative


def looks_like_record(raw: object) -> bool:
    """Whether a parsed line holds what identifies a span: cheap, for every line of every file."""
    if type(raw) is not dict:
        return False
    trace_id, span_id = raw.get("trace_id"), raw.get("span_id")
    return (
        type(trace_id) is str
        and len(trace_id) == 32
        and type(span_id) is str
        and len(span_id) == 16
        and type(raw.get("start_ns")) is int
        and type(raw.get("name")) is str
    )


def as_record(raw: dict[str, Any]) -> SpanRecord:
    """The record in a parsed line.

    What a newer writer may add does no harm: unknown fields are kept, a word outside the vocabulary of
    ``kind``, ``outcome``, … is understood from the attributes and kept under the field's name with
    ``_stated`` behind it. A span without an end ends when it started.

    Raises:
        ValueError: it is no span record (pydantic's ``ValidationError`` says why).
    """
    raw = shallow(raw)
    try:
        return SpanRecord.model_validate(raw)
    except ValidationError:
        mended = _mended(raw)
        if mended is None:
            raise
    try:
        return SpanRecord.model_validate(mended)
    except ValidationError:
        return SpanRecord.model_validate({key: value for key, value in mended.items() if key not in _FOR_PEOPLE})


def as_records(raw: dict[str, Any], file: Path | None = None) -> Iterator[SpanRecord]:
    """The records in a parsed line: one, or, where spans are open, each of them, as things stand now.

    Args:
        raw: the line.
        file: that it stands in.

    Raises:
        ValueError: as :func:`as_record` does.
    """
    if raw.get("outcome") != "running":
        yield as_record(raw)
        return
    process, seen, below = raw.get("process"), raw.get("end_ns"), raw.get("open_below")
    first = {key: value for key, value in raw.items() if key not in ("end", "open_below")}
    state: dict[str, Any] = {"outcome": "unfinished"}
    if is_alive(process if isinstance(process, dict) else {}, file, seen if type(seen) is int else 0):
        state = {"outcome": "running", "end_ns": time.time_ns()}
    yield as_record({**first, **state})
    shared: dict[str, Any] = {key: first[key] for key in _SHARED if key in first}
    for item in below if isinstance(below, list) else ():
        if isinstance(item, dict):
            yield as_record({**shared, **item, **state})


def _mended(raw: dict[str, Any]) -> dict[str, Any] | None:
    mended = dict(raw)
    for field, words in _VOCABULARY.items():
        if field in mended and not (isinstance(mended[field], str) and mended[field] in words):
            mended[f"{field}_stated"] = mended.pop(field)
    if mended.get("end_ns") is None:
        mended["end_ns"] = mended.get("start_ns")
    if not isinstance(mended.get("attributes", {}), dict) or (
        mended == raw and not any(field in raw for field in _FOR_PEOPLE)
    ):
        return None
    attributes = mended.get("attributes", {})
    mended.setdefault("kind", kind_of(attributes))
    mended.setdefault("outcome", outcome_of(attributes, mended.get("status", "unset")))
    return mended

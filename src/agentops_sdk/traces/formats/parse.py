"""From one line's JSON to one record: strict about what identifies a span, lenient about what is new."""

from __future__ import annotations

import time
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OUTCOMES, SPAN_KINDS, STATUSES, from_ns, kind_of, outcome_of
from agentops_sdk.traces.formats.json_values import shallow
from agentops_sdk.traces.process_identity import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentops_sdk.traces.record import ScopeRecord, SpanRecord

_VOCABULARY: Final = {
    "kind": frozenset(semconv.KINDS),
    "outcome": frozenset(OUTCOMES),
    "span_kind": frozenset(SPAN_KINDS),
    "status": frozenset(STATUSES),
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
    from pydantic import ValidationError

    from agentops_sdk.traces.record import SpanRecord

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


def checked_record(raw: dict[str, Any]) -> SpanRecord:
    """The record in a parsed line of which every field is known to have the right type, as :class:`Columns` found.

    Nothing is validated a second time: that takes longer than reading the line. A line with anything unusual in it
    goes the long way.

    Raises:
        ValueError: it is no span record.
    """
    start, end = raw.get("start"), raw.get("end")
    if not raw.keys() <= _CONSTRUCTED or not _is_ours(start) or not _is_ours(end):
        return as_record(raw)
    models, fields = _models(), _FIELDS | raw
    fields["start"] = datetime.fromisoformat(start) if start else from_ns(raw["start_ns"])
    fields["end"] = datetime.fromisoformat(end) if end else from_ns(raw["end_ns"])
    fields["attributes"] = fields["attributes"] or {}
    fields["resource"] = fields["resource"] or {}
    fields["scope"] = _scope(fields["scope"])
    events, links = fields["events"], fields["links"]
    fields["events"] = [models.EventRecord.model_validate(event) for event in events] if events else []
    fields["links"] = [models.LinkRecord.model_validate(link) for link in links] if links else []
    fields["dropped"] = _no_dropped()
    fields["open_below"] = []
    record: SpanRecord = models.SpanRecord.__new__(models.SpanRecord)
    _set(record, "__dict__", fields)
    _set(record, "__pydantic_fields_set__", set(raw))
    _set(record, "__pydantic_extra__", {})
    _set(record, "__pydantic_private__", None)
    return record


_FIELDS: Final[dict[str, Any]] = {
    "v": 1, "trace_id": "", "span_id": "", "parent_id": None, "name": "", "kind": "span", "span_kind": "INTERNAL",
    "start_ns": 0, "end_ns": 0, "start": None, "end": None, "status": "unset", "status_message": None, "outcome": "ok",
    "attributes": None, "events": None, "links": None, "resource": None, "resource_schema_url": None, "scope": None,
    "trace_state": "", "flags": 1, "dropped": None, "process": None, "open_below": None,
}  # fmt: skip
"""A record's fields in their order, each with its default."""
_CONSTRUCTED: Final = _FIELDS.keys() - {"dropped", "process", "open_below"}
_MOST_SCOPES: Final = 1_000
_scopes: dict[tuple[Any, Any, int], ScopeRecord] = {}
_set: Final = object.__setattr__  # the model is frozen


def _is_ours(text: Any) -> bool:
    """Whether a time for people is absent, or written as we write it."""
    return text is None or (type(text) is str and len(text) == 27 and text[-1] == "Z" and text[10] == "T")


def _scope(raw: dict[str, Any] | None) -> ScopeRecord:
    """The record of a scope; spans share theirs, of which there are few."""
    raw = raw or {}
    key = raw.get("name"), raw.get("version"), len(raw)
    scope = _scopes.get(key)
    if scope is not None:
        return scope
    scope = cast("ScopeRecord", _models().ScopeRecord.model_validate(raw))
    if raw.keys() <= {"name", "version"} and len(_scopes) < _MOST_SCOPES:
        _scopes[key] = scope
    return scope


@cache
def _models() -> Any:
    """The records' classes, which cost too much to import where nobody looks at a record."""
    from agentops_sdk.traces import record

    return record


@cache
def _no_dropped() -> Any:
    return _models().DroppedCounts()


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

"""From one line's JSON to one record: strict about what identifies a span, lenient about what is new."""

from __future__ import annotations

from typing import Any, Final, get_args

from pydantic import ValidationError

from agentops_sdk.traces.derive import kind_of, outcome_of
from agentops_sdk.traces.record import Kind, Outcome, SpanKind, SpanRecord, Status

_VOCABULARY: Final = {
    "kind": frozenset(get_args(Kind)),
    "outcome": frozenset(get_args(Outcome)),
    "span_kind": frozenset(get_args(SpanKind)),
    "status": frozenset(get_args(Status)),
}


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
    try:
        return SpanRecord.model_validate(raw)
    except ValidationError:
        mended = _mended(raw)
        if mended is None:
            raise
        return SpanRecord.model_validate(mended)


def _mended(raw: dict[str, Any]) -> dict[str, Any] | None:
    made = dict(raw)
    for field, words in _VOCABULARY.items():
        if field in made and made[field] not in words:
            made[f"{field}_stated"] = made.pop(field)
    if made.get("end_ns") is None:
        made["end_ns"] = made.get("start_ns")
    if made == raw or not isinstance(made.get("attributes", {}), dict):
        return None
    attributes = made.get("attributes", {})
    made.setdefault("kind", kind_of(attributes))
    made.setdefault("outcome", outcome_of(attributes, made.get("status", "unset")))
    return made

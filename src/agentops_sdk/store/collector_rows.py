"""From a row of the Collector's table ``otel_traces`` to a span record, as the same span's line would have it.

A map's values are texts there, whatever they were: what this package knows to be a number, a yes or no, or a list,
becomes one again. Whatever people name themselves stays a text: nobody knows whether "1.10" was a number. What the
table does not hold (the span's flags, what was dropped, the scope's attributes) has its default.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OWN_SCOPE, kind_of, outcome_of

__all__ = ["SELECTED", "is_known", "line_of"]

SELECTED: Final = {
    "trace_id": "TraceId",
    "span_id": "SpanId",
    "parent_id": "ParentSpanId",
    "trace_state": "TraceState",
    "name": "toString(SpanName)",
    "span_kind": "toString(SpanKind)",
    "start_ns": "toUnixTimestamp64Nano(Timestamp)",
    "duration": "Duration",
    "status": "toString(StatusCode)",
    "status_message": "StatusMessage",
    "scope": "ScopeName",
    "scope_version": "ScopeVersion",
    "attributes": "toJSONString(SpanAttributes)",
    "resource": "toJSONString(ResourceAttributes)",
    "event_names": "arrayMap(each -> toString(each), Events.Name)",
    "event_times": "arrayMap(each -> toUnixTimestamp64Nano(each), Events.Timestamp)",
    "event_attributes": "arrayMap(each -> toJSONString(each), Events.Attributes)",
    "link_traces": "Links.TraceId",
    "link_spans": "Links.SpanId",
    "link_states": "Links.TraceState",
    "link_attributes": "arrayMap(each -> toJSONString(each), Links.Attributes)",
}
"""What is read of a row, by the name that :func:`line_of` knows it under. JSON keeps the types of a JSON column."""

_FLOATS: Final = frozenset(
    (semconv.COST_AMOUNT, semconv.OPERATION_COST, semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.DECISION_CONFIDENCE,
     semconv.DECISION_WAITED, semconv.EVALUATION_SCORE_VALUE, semconv.REQUEST_TEMPERATURE, semconv.REQUEST_TOP_P,
     semconv.REQUEST_FREQUENCY_PENALTY, semconv.REQUEST_PRESENCE_PENALTY, semconv.USAGE_AUDIO_SECONDS,
     semconv.MCP_PROGRESS, semconv.MCP_PROGRESS_TOTAL)
)  # fmt: skip
_INTEGERS: Final = frozenset(
    (semconv.MISSING_SPANS, semconv.ATTEMPT, semconv.STREAM_CHUNKS, semconv.REQUEST_MAX_TOKENS,
     semconv.REQUEST_CHOICE_COUNT, semconv.REQUEST_SEED, semconv.REQUEST_TOP_K, semconv.EMBEDDINGS_DIMENSION_COUNT,
     semconv.HTTP_RESPONSE_STATUS_CODE, semconv.SERVER_PORT, semconv.PROCESS_PID, semconv.GRAPH_STEP,
     semconv.MODEL_CALLS, semconv.LIMIT_UNKNOWN, semconv.USAGE_TRAINED, semconv.RETRIEVAL_TOP_K,
     semconv.DB_OPERATION_BATCH_SIZE, semconv.USAGE_WEB_SEARCHES, semconv.USAGE_SEARCH_UNITS,
     semconv.USAGE_FILE_SEARCHES, semconv.USAGE_PAGES, semconv.USAGE_ANNOTATED_PAGES, semconv.USAGE_CHARACTERS)
)  # fmt: skip
_BOOLEANS: Final = frozenset(
    (semconv.CACHED, semconv.INTERNAL, semconv.INTERNAL_BEFORE, semconv.SAMPLED_ELSEWHERE, semconv.COST_ESTIMATED,
     semconv.COST_TOTAL, semconv.REQUEST_STREAM, semconv.DECISION_FORCED, semconv.DECISION_UNLISTED)
)  # fmt: skip
_LISTS: Final = frozenset(
    (semconv.TAGS, semconv.RESPONSE_FINISH_REASONS, semconv.REQUEST_STOP_SEQUENCES, semconv.REQUEST_ENCODING_FORMATS,
     semconv.TRUNCATED, semconv.ALTERED, semconv.INVALID, semconv.GRAPH_TRIGGERS, semconv.GRAPH_PATH,
     semconv.GRAPH_NEXT, semconv.DECISION_CHOSEN, semconv.DECISION_SCORES)
)  # fmt: skip
_KINDS: Final = frozenset(("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))


def line_of(row: dict[str, Any], *, typed: bool) -> dict[str, Any]:
    """The record of a row, with the columns of :data:`SELECTED`.

    Args:
        row: the row.
        typed: whether its attributes come from JSON columns, which keep types, and make levels of dots in a name.
    """
    attributes = _attributes(row["attributes"], typed)
    status = row["status"].lower().removeprefix("status_code_")
    start = int(row["start_ns"])
    kind = row["span_kind"].upper().removeprefix("SPAN_KIND_")
    events = zip(row["event_names"], row["event_times"], row["event_attributes"], strict=True)
    links = zip(row["link_traces"], row["link_spans"], row["link_states"], row["link_attributes"], strict=True)
    fields: dict[str, Any] = {
        "v": 1,
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "parent_id": row["parent_id"] or None,
        "name": row["name"],
        "kind": kind_of(attributes),
        "span_kind": kind if kind in _KINDS else "INTERNAL",
        "start_ns": start,
        "end_ns": start + int(row["duration"]),
        "status": status if status in ("ok", "error") else "unset",
        "outcome": outcome_of(attributes, status),
        "attributes": attributes,
        "resource": _attributes(row["resource"], typed),
        "scope": {"name": row["scope"] or OWN_SCOPE, "version": row["scope_version"] or None},
        "flags": 1,
    }
    if row["status_message"]:
        fields["status_message"] = row["status_message"]
    if row["trace_state"]:
        fields["trace_state"] = row["trace_state"]
    if some := [
        {"name": name, "time_ns": int(at), "attributes": _attributes(text, typed)} for name, at, text in events
    ]:
        fields["events"] = some
    if other := [
        {"trace_id": trace_id, "span_id": span_id, "trace_state": state, "attributes": _attributes(text, typed)}
        for trace_id, span_id, state, text in links
    ]:
        fields["links"] = other
    return fields


def _attributes(text: str, typed: bool) -> dict[str, Any]:
    if typed:
        return dict(_flat(_Pairs.of(text), ""))
    fields: dict[str, str] = orjson.loads(text)
    return {name: _value(name, value) for name, value in fields.items()}


def is_known(name: str) -> bool:
    """Whether the attribute's values become again what they were."""
    return name in _FLOATS or name in _INTEGERS or name in _BOOLEANS or name in _LISTS or _is_tokens(name)


def _is_tokens(name: str) -> bool:
    return ".usage." in name and name.endswith("tokens")


def _value(name: str, text: str) -> Any:
    """What a text of the map was, as far as the name tells."""
    if name in _BOOLEANS:
        return {"true": True, "false": False}.get(text, text)
    if name in _FLOATS:
        return _number(text, float)
    if name in _INTEGERS or _is_tokens(name):
        return _number(text, int)
    if name in _LISTS and text[:1] == "[":
        return _list(text)
    return text


def _number(text: str, kind: type[int | float]) -> Any:
    try:
        return kind(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _list(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, list) else text


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs: one of a JSON column may hold a name twice, as a value and as a level."""

    @classmethod
    def of(cls, text: str) -> Any:
        import json

        return json.loads(text, object_pairs_hook=cls)


def _flat(pairs: Any, prefix: str) -> Any:
    for name, value in pairs:
        if isinstance(value, _Pairs):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value

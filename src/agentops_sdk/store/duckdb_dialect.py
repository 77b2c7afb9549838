"""The views in DuckDB's SQL: over lines of ours, in text files and in Parquet alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.store.span_columns import SPAN_COLUMNS
from agentops_sdk.store.views import Words, definitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_sdk.store.span_columns import SpanColumn

__all__ = ["STORED_COLUMNS", "any_named", "columns_of_lines", "lines_of", "named", "quoted", "views"]

_TYPES: Final = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "json": "VARCHAR"}
_LONGEST_LINE: Final = 64 * 1_048_576
_HEAD: Final = ("trace_id", "span_id", "parent_id", "name", "kind", "span_kind", "status", "status_message", "outcome")
KEYS: Final = ("attribute_names", "resource_names", "event_names", "arguments_key", "question_key")
"""What tells which spans may hold something, without the line itself being read: names, each with blanks around it, and
numbers that are the same wherever arguments of a tool, or the last of the messages to a model, are."""
STORED_COLUMNS: Final = (
    *_HEAD, "start_ns", "end_ns", "service", "scope", "flags", "has_events", *(column.name for column in SPAN_COLUMNS),
    *KEYS,
)  # fmt: skip
"""What a Parquet file of ours holds beside each line: all that the views ask of every span."""


def quoted(text: str) -> str:
    """Text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def named(column: str, attribute: str) -> str:
    """Whether a name is among those that a column of :data:`KEYS` holds."""
    return f"contains({column}, {quoted(f' {attribute} ')})"


def any_named(column: str, *attributes: str) -> str:
    """Whether one of these names is."""
    return "(" + " OR ".join(named(column, each) for each in attributes) + ")"


def lines_of(paths: list[str]) -> str:
    """A query for the lines of text files, packed or not, in order and byte for byte."""
    listed = ", ".join(map(quoted, paths))
    # No character of a JSON line is a delimiter, a quote or an escape here: each line is one value.
    return (
        f"SELECT record FROM read_csv([{listed}], columns={{'record': 'VARCHAR'}}, header=false, delim='\x01',"
        # Without a size of its own a buffer is that of sixteen such lines, for each thread, however small the file.
        f" quote='', escape='', auto_detect=false, max_line_size={_LONGEST_LINE}, buffer_size={_LONGEST_LINE})"
    )


def columns_of_lines(lines: str) -> str:
    """A query for :data:`STORED_COLUMNS` and the line itself; null in all columns where a line is no JSON."""
    parts = ["r.trace_id AS trace_id", *(f"r.{name} AS {name}" for name in _HEAD[1:])]
    parts += ["r.start_ns AS start_ns", "r.end_ns AS end_ns", f'r.resource."{semconv.SERVICE_NAME}" AS service']
    parts += ["r.scope.name AS scope", "r.flags AS flags"]
    parts.append("coalesce(json_array_length(r.events) > 0, false) AS has_events")
    parts += [f"{_value(column)} AS {column.name}" for column in SPAN_COLUMNS]
    parts += [
        _NAMES.format("json_keys(record, '$.attributes')") + " AS attribute_names",
        _NAMES.format("json_keys(record, '$.resource')") + " AS resource_names",
        _NAMES.format("json_extract_string(r.events, '$[*].name')") + " AS event_names",
        _ARGUMENTS_KEY.format(f'r.attributes."{semconv.TOOL_CALL_ARGUMENTS}"') + " AS arguments_key",
        _QUESTION_KEY.format(f'r.attributes."{semconv.INPUT_MESSAGES}"') + " AS question_key",
    ]
    return (
        f"SELECT record, {', '.join(parts)} FROM (SELECT record, TRY(json_transform(record,"
        f" {quoted(_structure(SPAN_COLUMNS))})) AS r FROM ({lines}))"
    )


# Words are what counts: the order of members, blanks, and the ways to write a character or a number make no difference.
_ARGUMENTS_KEY: Final = (
    "md5_number_lower(array_to_string(list_sort(regexp_extract_all(lower(regexp_replace({},"
    r" '\\u[0-9a-fA-F]{{4}}|\\.|[^ -~]|[-+0-9.]+([eE][-+]?[0-9]+)?', ' ', 'g')), '[a-z]+')), ' '))"
)
# Inside of a text the quotes are escaped: what this splits at is where a message begins.
_MESSAGE: Final = "'{{\"role\":'"
_QUESTION_KEY: Final = (
    f"md5_number_lower(CASE WHEN contains({{0}}, {_MESSAGE}) THEN string_split({{0}}, {_MESSAGE})[-1]"
    " ELSE right({0}, 24) END)"
)
_NAMES: Final = "TRY(' ' || array_to_string(list_sort(list_distinct({})), ' ') || ' ')"


def _value(column: SpanColumn) -> str:
    where = "resource" if column.resource else "attributes"
    parts = [f'r.{where}."{name}"' for name in column.attributes]
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def _structure(columns: Sequence[SpanColumn]) -> str:
    import json

    attributes = {semconv.TOOL_CALL_ARGUMENTS: "VARCHAR", semconv.INPUT_MESSAGES: "VARCHAR"}
    resource = {semconv.SERVICE_NAME: "VARCHAR"}
    for column in columns:
        for name in column.attributes:
            (resource if column.resource else attributes)[name] = _TYPES[column.type]
    return json.dumps(
        {
            **dict.fromkeys(_HEAD, "VARCHAR"),
            "start_ns": "BIGINT",
            "end_ns": "BIGINT",
            "flags": "BIGINT",
            "events": "JSON",
            "scope": {"name": "VARCHAR"},
            "attributes": attributes,
            "resource": resource,
        }
    )


_SPANS: Final = """
SELECT trace_id, span_id, parent_id, name, coalesce(kind, 'span') AS kind, coalesce(span_kind, 'INTERNAL') AS span_kind,
       coalesce(status, 'unset') AS status, status_message, coalesce(outcome, 'ok') AS outcome, start_ns,
       CASE WHEN outcome IN ('running', 'unfinished') THEN NULL ELSE end_ns END AS end_ns,
       make_timestamp(start_ns // 1000) AS start_time,
       CASE WHEN outcome IN ('running', 'unfinished') THEN NULL ELSE make_timestamp(end_ns // 1000) END AS end_time,
       CASE WHEN outcome IN ('running', 'unfinished') THEN NULL ELSE greatest(end_ns - start_ns, 0) / 1e9 END
       AS duration_s, service, scope, coalesce(nullif(response_model, ''), nullif(request_model, '')) AS model,
       {columns}, coalesce(json_extract(record, '$.attributes'), '{{}}')::VARCHAR AS attributes,
       coalesce(json_extract(record, '$.resource'), '{{}}')::VARCHAR AS resource,
       coalesce(json_extract(record, '$.events'), '[]')::VARCHAR AS events,
       coalesce(json_extract(record, '$.links'), '[]')::VARCHAR AS links
FROM stored WHERE trace_id IS NOT NULL
"""

_EVENTS: Final = """
SELECT trace_id, span_id, name, kind, agent, session_id, user_id, feedback_trace_id, feedback_span_id, feedback_target,
       json_extract_string(one, '$.name') AS event, CAST(json_extract_string(one, '$.time_ns') AS BIGINT) AS event_ns,
       {attributes}
FROM (SELECT *, unnest(from_json(json_extract(record, '$.events'), '["JSON"]')) AS one FROM stored
      WHERE has_events AND trace_id IS NOT NULL)
"""
EVENT_COLUMNS: Final = {
    "evaluation": (semconv.EVALUATION_NAME, "VARCHAR"),
    "score": (semconv.EVALUATION_SCORE_VALUE, "DOUBLE"),
    "label": (semconv.EVALUATION_SCORE_LABEL, "VARCHAR"),
    "comment": (semconv.EVALUATION_EXPLANATION, "VARCHAR"),
    "event_decision": (semconv.DECISION_NAME, "VARCHAR"),
    "event_chosen": (semconv.DECISION_CHOSEN, "VARCHAR"),
    "event_options": (semconv.DECISION_OPTIONS, "VARCHAR"),
    "event_reason": (semconv.DECISION_REASON, "VARCHAR"),
    "event_confidence": (semconv.DECISION_CONFIDENCE, "DOUBLE"),
    "event_decided_by": (semconv.DECISION_BY, "VARCHAR"),
}
"""Of an event's attributes those that the views show: name of the column, the attribute, DuckDB's type."""

_WORDS: Final = Words(
    first="arg_min({value}, {order})",
    names="array_to_string(list_sort(list(DISTINCT {value}) FILTER (WHERE {value} IS NOT NULL)), ', ')",
    nullable="{value}",
    attribute=lambda name: f"json_extract_string(attributes, '$.\"{name}\"')",
)


def views() -> dict[str, str]:
    """Each view's query by its name; they need a relation ``stored`` with :data:`STORED_COLUMNS` and ``record``."""
    attributes = ", ".join(
        f"TRY_CAST(json_extract_string(one, '$.attributes.\"{attribute}\"') AS {kind}) AS {name}"
        for name, (attribute, kind) in EVENT_COLUMNS.items()
    )
    return {
        "spans": _SPANS.format(columns=", ".join(column.name for column in SPAN_COLUMNS)),
        "span_events": _EVENTS.format(attributes=attributes),
        **definitions(_WORDS),
    }

"""The views in ClickHouse's SQL: over the table ``otel_traces`` as the OpenTelemetry Collector's exporter makes it.

Attributes are a map of texts there, or, with the exporter's option ``json``, a JSON column. Long because the schema
with typed columns is made from the same table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.store.duckdb_dialect import EVENT_COLUMNS
from agentops_sdk.store.span_columns import SPAN_COLUMNS
from agentops_sdk.store.views import Words, definitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_sdk.store.span_columns import SpanColumn

__all__ = ["identifier", "literal", "schema", "text_of", "views", "with_views"]

_CASTS: Final = {
    "text": "{}",
    "json": "{}",
    "integer": "toInt64OrNull({})",
    "number": "toFloat64OrNull({})",
    "boolean": "multiIf({0} = 'true', true, {0} = 'false', false, NULL)",
}
_NUMBERS: Final = {"DOUBLE": "toFloat64OrNull({})", "VARCHAR": "{}"}


def literal(text: str) -> str:
    """Text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A name, of a table or of a path, whatever is in it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text_of(column: str, attribute: str, *, is_json: bool) -> str:
    """An attribute's text, null where it is not there."""
    if not is_json:
        return f"nullIf({column}[{literal(attribute)}], '')"
    path = ".".join(map(identifier, attribute.split(".")))
    # What is a list there is shown as JSON, as the map has it.
    value = f"{column}.{path}"
    as_text = f"multiIf(startsWith(dynamicType({value}), 'Array'), toJSONString({value}), toString({value}))"
    return f"nullIf({as_text}, '')"


def _column(column: SpanColumn, *, is_json: bool) -> str:
    source = "ResourceAttributes" if column.resource else "SpanAttributes"
    texts = [text_of(source, name, is_json=is_json) for name in column.attributes]
    text = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    return _CASTS[column.type].format(text)


def _words(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(literal, values))


def _kind(text: Callable[[str], str]) -> str:
    operation = text(semconv.OPERATION_NAME)
    by_operation = ", ".join(f"{operation} = {literal(word)}, {literal(kind)}" for word, kind in _OPERATIONS)
    stated = text(semconv.KIND)
    return f"multiIf({stated} IN ({_words(semconv.KINDS)}), assumeNotNull({stated}), {by_operation}, 'span')"


_OPERATIONS: Final = [(word, kind) for word, kind in semconv.KIND_OF_OPERATION.items() if word]


def views(table: str, *, is_json: bool) -> dict[str, str]:
    """Each view's query by its name.

    Args:
        table: the exporter's, quoted where that is needed.
        is_json: whether its attributes are JSON columns instead of maps.
    """

    def text(attribute: str) -> str:
        return text_of("SpanAttributes", attribute, is_json=is_json)

    outcome = text(semconv.OUTCOME)
    columns = ", ".join(f"{_column(column, is_json=is_json)} AS {column.name}" for column in SPAN_COLUMNS)
    status = "replaceOne(lower(StatusCode), 'status_code_', '')"
    head = f"""
SELECT TraceId AS trace_id, SpanId AS span_id, nullIf(ParentSpanId, '') AS parent_id, toString(SpanName) AS name,
       {_kind(text)} AS kind, replaceOne(upper(SpanKind), 'SPAN_KIND_', '') AS span_kind, {status} AS status,
       nullIf(StatusMessage, '') AS status_message,
       multiIf({outcome} IN ({_words(semconv.OUTCOMES)}), assumeNotNull({outcome}), {status} = 'error', 'error', 'ok')
       AS outcome, toUnixTimestamp64Nano(Timestamp) AS start_ns,
       toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS end_ns,
       fromUnixTimestamp64Nano(toUnixTimestamp64Nano(Timestamp), 'UTC') AS start_time,
       fromUnixTimestamp64Nano(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration), 'UTC') AS end_time,
       Duration / 1e9 AS duration_s, nullIf(toString(ServiceName), '') AS service, ScopeName AS scope,
       coalesce({text(semconv.RESPONSE_MODEL)}, {text(semconv.REQUEST_MODEL)}) AS model, {columns}"""

    def event_text(attribute: str) -> str:
        return text_of("event_attributes", attribute, is_json=is_json)

    events = ", ".join(
        f"{_NUMBERS[kind].format(event_text(attribute))} AS {name}" for name, (attribute, kind) in EVENT_COLUMNS.items()
    )
    shared = ("agent", "session_id", "user_id", "feedback_trace_id", "feedback_span_id", "feedback_target")
    rows = {column.name: column for column in SPAN_COLUMNS}
    about = ", ".join(f"{_column(rows[name], is_json=is_json)} AS {name}" for name in shared)
    return {
        "spans": f"""{head}, SpanAttributes AS attributes, ResourceAttributes AS resource
FROM {table}""",
        "span_events": f"""
SELECT TraceId AS trace_id, SpanId AS span_id, toString(SpanName) AS name, {_kind(text)} AS kind, {about},
       toString(event_name) AS event, toUnixTimestamp64Nano(event_time) AS event_ns, {events}
FROM {table}
ARRAY JOIN Events.Name AS event_name, Events.Timestamp AS event_time, Events.Attributes AS event_attributes""",
        **definitions(_dialect(is_json=is_json)),
    }


def _dialect(*, is_json: bool) -> Words:
    return Words(
        first="argMin({value}, {order})",
        names="arrayStringConcat(arraySort(groupUniqArray({value})), ', ')",
        nullable="toNullable({value})",
        attribute=lambda name: text_of("attributes", name, is_json=is_json),
    )


def with_views(query: str, queries: dict[str, str]) -> str:
    """A query in which the views can be named, without a view being made on the server."""
    needed = _needed(query, queries)
    listed = ",\n".join(f"{name} AS ({queries[name]})" for name in queries if name in needed)
    if not listed:
        return query
    stripped = query.lstrip()
    if stripped[:4].lower() == "with" and stripped[4:5].isspace():
        return f"WITH {listed},\n{stripped[4:].lstrip()}"
    return f"WITH {listed}\n{stripped}"


def _needed(query: str, queries: dict[str, str]) -> set[str]:
    import re

    needed: set[str] = set()
    texts = [query]
    while texts:
        words = set(re.findall(r"\w+", texts.pop()))
        more = [name for name in queries if name in words and name not in needed]
        needed.update(more)
        texts += [queries[name] for name in more]
    return needed


_STORED_TYPES: Final = {
    "text": "LowCardinality(Nullable(String))",
    "integer": "Nullable(Int64)",
    "number": "Nullable(Float64)",
    "boolean": "Nullable(Bool)",
    "json": "Nullable(String)",
}
_MANY: Final = frozenset(("session_id", "conversation_id", "user_id"))
"""Columns with so many values that a dictionary of them would only cost."""


MOST_DAYS: Final = 20_000
"""ClickHouse's DateTime ends in 2106 and begins anew: a limit of age that reaches beyond has passed already."""


def schema(table: str = "otel_traces", *, days: int = 30, is_json: bool = False) -> str:
    """Statements that give the exporter's table typed columns, an index on each, and a limit of age.

    The exporter's own columns stay as they are: it goes on writing, and knows nothing of the new ones.

    Args:
        table: the exporter's.
        days: after which spans are deleted, at most :data:`MOST_DAYS`; 0 leaves the limit as it is.
        is_json: whether its attributes are JSON columns instead of maps.
    """
    name = ".".join(map(identifier, table.split(".")))
    lines = []
    for column in SPAN_COLUMNS:
        if not column.indexed:
            continue
        kind = "Nullable(String)" if column.name in _MANY else _STORED_TYPES[column.type]
        index = "minmax" if column.type in ("integer", "number") else "bloom_filter(0.01)"
        lines.append(
            f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS agentops_{column.name} {kind}"
            f" MATERIALIZED {_column(column, is_json=is_json)} CODEC(ZSTD(1));"
        )
        lines.append(
            f"ALTER TABLE {name} ADD INDEX IF NOT EXISTS idx_agentops_{column.name} agentops_{column.name}"
            f" TYPE {index} GRANULARITY 1;"
        )
    if days:
        lines.append(f"ALTER TABLE {name} MODIFY TTL toDateTime(Timestamp) + toIntervalDay({days});")
    return "\n".join(lines) + "\n"

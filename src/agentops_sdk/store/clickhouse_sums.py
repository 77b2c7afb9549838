"""``stats`` over a fleet: ClickHouse adds up the plain runs, the readers those that take more than addition.

Which runs are plain is what :mod:`agentops_sdk.store.run_rules` says; nothing is made on the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.store.clickhouse_dialect import literal
from agentops_sdk.store.duckdb_sums import (
    COSTS,
    COUNTS,
    KEYS,
    REFUSED,
    TOKENS,
    add_costs,
    add_counts,
    add_usage,
    in_order,
    row_of,
)
from agentops_sdk.store.run_rules import BEHIND, MODEL, ODD, USED
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.files import Traces

if TYPE_CHECKING:
    from agentops_sdk.store.clickhouse_store import ClickHouseStore
    from agentops_sdk.traces.figures.table_rows import Row, Stats

__all__ = ["sums"]

_MOST: Final = 2_000
"""Runs that are not plain, and calls in them, up to which they are named in a question."""
_KEYS: Final = {
    **KEYS,
    "day": "formatDateTime(start_time, '%Y-%m-%d')",
    "hour": "formatDateTime(start_time, '%Y-%m-%d %H:00')",
}
assert set(_KEYS) == set(KEYS)
_UNUSUAL: Final = f"""
SELECT trace_id FROM (
  SELECT trace_id, max(coalesce({ODD}, false)) AS odd, countIf(parent_id IS NULL) AS roots, count() AS many,
         uniqExact(span_id) AS ids
  FROM spans GROUP BY trace_id
) WHERE odd OR roots = 0 OR many <> ids
UNION DISTINCT
SELECT trace_id FROM spans WHERE {MODEL} AND span_id IN (SELECT parent_id FROM spans WHERE parent_id IS NOT NULL)
UNION DISTINCT
SELECT trace_id FROM spans
WHERE response_id IN (SELECT response_id FROM spans WHERE {BEHIND} AND response_id IS NOT NULL)
LIMIT {_MOST + 1}
"""
_CALLS: Final = f"""
(SELECT {{key}} AS key, *, {USED} AS used, outcome <> 'error' OR {USED} AS answered, {REFUSED} AS refused
 FROM spans
 WHERE {MODEL} AND trace_id NOT IN ({{unusual}}))
"""
_EXACT: Final = "toDecimal128OrNull(toString(cost), 18)"
_RANKED: Final = """
SELECT {key}, ranked[intDiv(length(ranked) + 1, 2)], ranked[intDiv(length(ranked) * 95 + 99, 100)],
       firsts[intDiv(length(firsts) + 1, 2)], length(firsts)
FROM (SELECT {key}, arraySort(groupArray(duration)) AS ranked, arraySort(groupArray(first)) AS firsts
      FROM (SELECT key, if(refused, NULL, toFloat64(greatest(end_ns - start_ns, 0) / 1e9)) AS duration,
                   if(refused, NULL, first_chunk_s) AS first
            FROM {calls} {more}) {group})
"""


def sums(store: ClickHouseStore, by: str) -> Stats | None:
    """The table, or ``None`` where it has to be made from the runs themselves.

    Args:
        store: what is added up.
        by: what a row is for.
    """
    if by not in _KEYS:
        return None

    def rows_of(query: str) -> list[tuple[Any, ...]]:
        return list(store.query(query).rows)

    unusual = [str(trace_id) for (trace_id,) in rows_of(_UNUSUAL)]
    if len(unusual) > _MOST:
        return None
    if len(rows_of(f"SELECT DISTINCT coalesce(currency, 'USD') FROM spans WHERE {MODEL} AND cost IS NOT NULL")) > 1:
        return None  # which of them is counted goes by the order of the runs
    odd = Traces()
    for line in store.lines(unusual):
        odd.add_line(line)
    part = stats(odd, by)
    rows, total = {row.key: row for row in part.rows}, part.total
    if sum(len(row.durations) + len(row.first_chunks) for row in rows.values()) > _MOST:
        return None
    named = ", ".join(map(literal, unusual)) or "''"
    calls = _CALLS.format(key=_KEYS[by], unusual=named)
    ((plain_runs,),) = rows_of(f"SELECT uniqExact(trace_id) FROM spans WHERE trace_id NOT IN ({named})")
    total.traces += plain_runs
    add_counts(rows, total, rows_of(COUNTS.format(calls=calls)))
    add_usage(rows, total, rows_of(TOKENS.format(calls=calls)))
    add_costs(rows, total, rows_of(COSTS.format(calls=calls, exact=_EXACT)))
    more = _of_unusual(rows)
    for key, *told in rows_of(_RANKED.format(key="key", calls=calls, more=more, group="GROUP BY key")):
        _rank(row_of(rows, key), *told)
    for _, *told in rows_of(_RANKED.format(key="'' AS all", calls=calls, more=more, group="")):
        _rank(total, *told)
    return in_order(by, rows, part)


def _of_unusual(rows: dict[str, Row]) -> str:
    """How long the calls of the unusual runs took, laid beside the others."""
    parts = []
    for row in rows.values():
        for values, columns in ((row.durations, "took, NULL"), (row.first_chunks, "NULL, took")):
            if values:
                listed = ", ".join(map(repr, values))
                parts.append(
                    f" UNION ALL SELECT {literal(row.key)}, {columns} FROM (SELECT arrayJoin([{listed}]) AS took)"
                )
    return "".join(parts)


def _rank(row: Row, half: float, most: float, first: float, firsts: int) -> None:
    row.durations, row.quantiles = [], {50: float(half), 95: float(most)} if row.calls else {}
    row.first_chunks = [float(first)] if firsts else []

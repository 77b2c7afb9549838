"""``stats`` over many spans: DuckDB adds up the plain runs, the readers those that take more than addition.

Of runs that are not plain (see :mod:`agentops_sdk.store.run_rules`) the lines are fetched. The sums are the same to the
last digit: amounts are added as decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.store.run_rules import MODEL, TOKEN_COLUMNS, USED
from agentops_sdk.store.run_sorting import sort_runs
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.table_rows import Row, Stats
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.store.duckdb_store import DuckDBStore

__all__ = [
    "COSTS", "COUNTS", "KEYS", "REFUSED", "TOKENS", "add_costs", "add_counts", "add_usage", "in_order", "row_of",
    "sums",
]  # fmt: skip

KEYS: Final = {
    "model": "coalesce(nullif(response_model, ''), nullif(request_model, ''), '(no model)')",
    "service": "coalesce(nullif(service, ''), '(no service)')",
    "day": "strftime(make_timestamp(start_ns // 1000), '%Y-%m-%d')",
    "hour": "strftime(make_timestamp(start_ns // 1000), '%Y-%m-%d %H:00')",
}
"""By what can be added up here, and a call's row key."""
REFUSED: Final = f"coalesce(outcome = 'error' AND decision IN ({', '.join(map(repr, semconv.STOPS))}), false)"
"""Stopped before it was made."""


def sums(store: DuckDBStore, by: str) -> Stats | None:
    """The table, or ``None`` where it has to be made from the runs themselves.

    Args:
        store: what is added up.
        by: what a row is for; only those of :data:`KEYS` can be told without the tree of a run.
    """
    if by not in KEYS:
        return None

    def rows_of(query: str, *values: Any) -> list[tuple[Any, ...]]:
        return store.own(query, values)

    runs = sort_runs(store)
    # A copy of the calls would take gigabytes where reading their columns again takes seconds.
    calls = (
        f"(SELECT {KEYS[by]} AS key, *, {USED} AS used, outcome <> 'error' OR {USED} AS answered, {REFUSED} AS refused"
        f" FROM stored ANTI JOIN unusual USING (trace_id) WHERE {MODEL} AND trace_id IS NOT NULL)"
    )
    currencies = rows_of(f"SELECT DISTINCT coalesce(currency, 'USD') FROM stored WHERE {MODEL} AND cost IS NOT NULL")
    if len(currencies) > 1:
        return None  # which of them is counted goes by the order of the runs
    odd = Traces()
    for line in store.lines([trace_id for (trace_id,) in rows_of("SELECT DISTINCT trace_id FROM unusual")]):
        odd.add_line(line)
    part = stats(odd, by)
    rows = {row.key: row for row in part.rows}
    total = part.total
    total.traces += runs.plain
    add_counts(rows, total, rows_of(COUNTS.format(calls=calls)))
    add_usage(rows, total, rows_of(TOKENS.format(calls=calls)))
    exact = "CAST(CAST(cost AS VARCHAR) AS DECIMAL(38, 18))"
    add_costs(rows, total, rows_of(COSTS.format(calls=calls, exact=exact)))
    _add_durations(rows_of, calls, rows, total)
    return in_order(by, rows, part)


def in_order(by: str, rows: dict[str, Row], part: Stats) -> Stats:
    """The table of rows that have been added up on top of a part, the dearest first."""
    ordered = sorted(rows.values(), key=lambda row: (-row.cost.amount, -row.usage.total, -row.calls, row.key))
    return Stats(by, ordered, part.total, part.partial)


def _row(rows: dict[str, Row], key: str) -> Row:
    return rows.setdefault(key, Row(key))


COUNTS: Final = (
    "SELECT key, count(*) FILTER (WHERE NOT refused), count(*) FILTER (WHERE outcome = 'error' AND NOT refused),"
    " count(DISTINCT trace_id), count(*) FILTER (WHERE answered AND NOT used), count(*) FILTER (WHERE refused)"
    " FROM {calls} GROUP BY key"
)
TOKENS: Final = (
    f"SELECT key, CASE WHEN usage_source IN ({', '.join(map(repr, semconv.USAGE_SOURCES))}) THEN usage_source"
    f" ELSE 'reported' END AS source, {', '.join(f'sum({column})' for column in TOKEN_COLUMNS.values())}"
    " FROM {calls} WHERE used GROUP BY key, source"
)
COSTS: Final = (
    "SELECT key, coalesce(currency, 'USD') AS money,"
    " coalesce(cost_estimated, false) OR coalesce(usage_source IN ('counted', 'estimated'), false) AS guessed,"
    " outcome IN ('ok', 'running') AS useful, CASE WHEN cost IS NOT NULL THEN NULL ELSE"
    " coalesce(nullif(cost_unknown_reason, ''), CASE WHEN answered THEN 'no price recorded' END) END AS reason,"
    " count(cost), sum({exact}), count(*) - count(cost) FROM {calls} GROUP BY key, money, guessed, useful, reason"
)
"""Questions over the model calls of plain runs, in both engines' words."""


def row_of(rows: dict[str, Row], key: str) -> Row:
    """The row of a key, a new one where there is none."""
    return rows.setdefault(key, Row(key))


def add_counts(rows: dict[str, Row], total: Row, told: Iterable[tuple[Any, ...]]) -> None:
    """Add the answer to :data:`COUNTS`."""
    for key, calls, errors, runs, unsized, refused in told:
        row = row_of(rows, key)
        row.traces += runs
        for each in (row, total):
            each.calls += calls
            each.errors += errors
            each.refused += refused
            each.usage.unknown += unsized


def add_usage(rows: dict[str, Row], total: Row, told: Iterable[tuple[Any, ...]]) -> None:
    """Add the answer to :data:`TOKENS`."""
    for key, source, *counts in told:
        usage = Usage({source: {name: int(n) for name, n in zip(TOKEN_COLUMNS, counts, strict=True) if n is not None}})
        row_of(rows, key).usage.add(usage)
        total.usage.add(usage)


def add_costs(rows: dict[str, Row], total: Row, told: Iterable[tuple[Any, ...]]) -> None:
    """Add the answer to :data:`COSTS`."""
    for key, currency, guessed, useful, reason, known, amount, misses in told:
        cost = Cost.nothing()
        if known:
            exact = Decimal(amount).normalize()
            cost.add(Cost(exact, currency, estimated=exact if guessed else 0, known=known))
        elif reason is not None:
            cost.miss(reason, misses)
        row = row_of(rows, key)
        row.cost.add(cost)
        total.cost.add(cost)
        if not useful:
            row.wasted.add(cost)
            total.wasted.add(cost)


def _add_durations(rows_of: Any, calls: str, rows: dict[str, Row], total: Row) -> None:
    """The nearest rank over all calls, those of the unusual runs too."""
    rows_of("CREATE OR REPLACE TEMP TABLE took (key VARCHAR, duration DOUBLE, first DOUBLE)")
    for row in rows.values():
        if row.durations:
            rows_of("INSERT INTO took SELECT ?, unnest(?), NULL", row.key, row.durations)
        if row.first_chunks:
            rows_of("INSERT INTO took SELECT ?, NULL, unnest(?)", row.key, row.first_chunks)
    every = (
        "(SELECT key, CASE WHEN NOT refused THEN greatest(end_ns - start_ns, 0) / 1e9 END AS duration,"
        f" CASE WHEN NOT refused THEN first_chunk_s END AS first FROM {calls}"
        " UNION ALL SELECT * FROM took)"
    )
    asked = "quantile_disc(duration, 0.5), quantile_disc(duration, 0.95), quantile_disc(first, 0.5)"
    told = rows_of(f"SELECT key, {asked} FROM {every} GROUP BY GROUPING SETS ((key), ()) ")
    for key, half, most, first in told:
        row = total if key is None else rows[key]
        row.durations, row.quantiles = [], {} if half is None else {50: half, 95: most}
        row.first_chunks = [] if first is None else [first]

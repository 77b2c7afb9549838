"""``compare`` over many runs: DuckDB adds up the plain ones, the readers look at those that take more than that.

What comes out is what the readers tell of the same runs, to the last digit. Which runs are plain says
:mod:`agentops_sdk.store.run_rules`. Long because each step is a question in SQL.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk.errors import TraceError
from agentops_sdk.store.duckdb_dialect import named
from agentops_sdk.store.run_rules import MODEL, STATED
from agentops_sdk.store.run_sorting import sort_runs
from agentops_sdk.traces.decisions.span_decisions import choices_of
from agentops_sdk.traces.figures.comparison import FIGURES, Comparison, Ranked, Side, comparison_of, told_apart_by
from agentops_sdk.traces.figures.significance import rank_sum_of
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.formats.json_values import from_json
from agentops_sdk.traces.search.attribute_condition import value_test
from agentops_sdk.traces.search.filter_values import moment
from agentops_sdk.traces.search.selection import RANGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_sdk.store.duckdb_store import DuckDBStore

    Rows = Callable[..., list[tuple[Any, ...]]]

__all__ = ["comparison"]

_FEW: Final = 1_000
"""Runs on the larger side up to which the readers look at all: they also lay the steps of two beside each other."""
_MOST_UNUSUAL: Final = 20_000
"""Runs beyond which a reader that goes through them one by one takes less memory."""
_MOST_VALUES: Final = 10_000
_STORED: Final = {"service.version": "service_version"}
"""Attributes of the resource that have a column of their own."""


_FIGURES: Final = """
CREATE OR REPLACE TEMP TABLE figures AS
SELECT side, CASE WHEN priced > 0 AND unpriced = 0 THEN CAST(CAST(amount AS VARCHAR) AS DOUBLE) END AS f0,
       took_ns / 1e9 AS f1, CASE WHEN used > 0 AND unsized = 0 THEN coalesce(input, 0)::BIGINT END AS f2,
       CASE WHEN used > 0 AND unsized = 0 THEN coalesce(output, 0)::BIGINT END AS f3, calls AS f4, tools AS f5
FROM sides JOIN plain_runs USING (trace_id)
"""


def comparison(store: DuckDBStore, one: str, two: str) -> Comparison | None:
    """The comparison, or ``None`` where it has to be made from the runs themselves.

    Args:
        store: where the runs are.
        one: a range of days, or a condition on an attribute.
        two: what to compare it with.

    Raises:
        TraceError: one of them names no run.
    """

    def rows_of(query: str, *values: Any) -> list[tuple[Any, ...]]:
        return store.own(query, values)

    ((spans, known),) = rows_of("SELECT count(*), count(attribute_names) FROM stored WHERE trace_id IS NOT NULL")
    if spans != known:
        return None  # packed by an earlier version
    rows_of("CREATE OR REPLACE TEMP TABLE sides (side TINYINT, trace_id VARCHAR)")
    told: set[tuple[str, ...]] = set()
    counts = []
    for side, text in enumerate((one, two)):
        if not _choose(rows_of, side, text, told):
            return None
        ((runs,),) = rows_of("SELECT count(*) FROM sides WHERE side = ?", side)
        if not runs:
            raise TraceError(f"no trace matches {text}")
        counts.append(runs)
    if max(counts) <= _FEW:
        return None
    if len(rows_of(f"SELECT DISTINCT coalesce(currency, 'USD') FROM stored WHERE {MODEL} AND cost IS NOT NULL")) > 1:
        return None  # which of them is counted goes by the order of the runs
    sorted_runs = sort_runs(store, infers=True)
    rows_of(
        "CREATE OR REPLACE TEMP TABLE odd AS SELECT DISTINCT trace_id FROM unusual SEMI JOIN sides USING (trace_id)"
    )
    ((unusual,),) = rows_of("SELECT count(*) FROM odd")
    if unusual > _MOST_UNUSUAL:
        return None
    both = _unusual_sides(store, rows_of)
    rows_of(f"CREATE OR REPLACE TEMP TABLE plain_runs AS {sorted_runs.figures}")
    _count(rows_of, both)
    _count_choices(rows_of, both)
    rows_of(_FIGURES)
    for side, each in enumerate(both):
        for number, name in enumerate(FIGURES):
            if values := each.figures[name]:
                rows_of(f"INSERT INTO figures (side, f{number}) SELECT ?, unnest(?)", side, values)
    ranked = [_ranked(rows_of, f"f{number}") for number in range(len(FIGURES))]
    ((shared,),) = rows_of(
        "SELECT count(*) FROM sides AS a JOIN sides AS b USING (trace_id) WHERE a.side = 0 AND b.side = 1"
    )
    return comparison_of(*both, ranked, shared, told_apart_by(one, two))


def _choose(rows_of: Rows, side: int, text: str, told: set[tuple[str, ...]]) -> bool:
    """Put the runs that a word names on a side; false where SQL cannot tell which they are.

    ``told`` holds the attributes whose values were looked up last.
    """
    if text != ".." and (match := RANGE.fullmatch(text)):
        first, last = match.groups()
        kept = [f"min(start_ns) >= {moment('since', first)}"] if first else []
        kept += [f"min(start_ns) < {moment('until', last, end=True)}"] if last else []
        rows_of(
            f"INSERT INTO sides SELECT {side}, trace_id FROM stored WHERE trace_id IS NOT NULL GROUP BY trace_id"
            f" HAVING {' AND '.join(kept)}"
        )
        return True
    test = value_test(text)
    if test is None:
        return False
    if test[0] not in told:
        value = _value(rows_of, test[0])
        if value is None:
            return False
        rows_of(
            f"CREATE OR REPLACE TEMP TABLE told AS SELECT DISTINCT trace_id, {value} AS value FROM stored"
            " WHERE trace_id IS NOT NULL AND value IS NOT NULL"
        )
        told.clear()
        told.add(test[0])
    values = rows_of("SELECT DISTINCT value FROM told LIMIT ?", _MOST_VALUES + 1)
    if len(values) > _MOST_VALUES:
        return False
    matching = [each for (each,) in values if test[1](from_json(orjson.loads(each)))]
    rows_of(
        f"INSERT INTO sides SELECT DISTINCT {side}::TINYINT, trace_id FROM told WHERE value IN (SELECT unnest(?))",
        matching,
    )
    return True


def _value(rows_of: Rows, names: tuple[str, ...]) -> str | None:
    """What is the JSON text of the first of these attributes that a span or its resource has.

    A line is read where a span has one of them, and no other.
    """
    if any(mark in name for name in names for mark in "'\"\\"):
        return None
    parts = []
    for name in names:
        ((on_spans, on_resources),) = rows_of(
            f"SELECT coalesce(bool_or({named('attribute_names', name)}), false),"
            f" coalesce(bool_or({named('resource_names', name)}), false) FROM stored"
        )
        if on_spans:
            found = f"json_extract(record, '$.attributes.\"{name}\"')::VARCHAR"
            parts.append(f"CASE WHEN {named('attribute_names', name)} THEN {found} END")
        if on_resources and name in _STORED:
            parts.append(f"CAST(to_json({_STORED[name]}) AS VARCHAR)")
        elif on_resources:
            found = f"json_extract(record, '$.resource.\"{name}\"')::VARCHAR"
            parts.append(f"CASE WHEN {named('resource_names', name)} THEN {found} END")
    return f"coalesce({', '.join(parts)})" if parts else "NULL::VARCHAR"


def _unusual_sides(store: DuckDBStore, rows_of: Rows) -> tuple[Side, Side]:
    """The runs that are not plain, collected as the readers do."""
    traces = Traces()
    for (record,) in rows_of("SELECT record FROM stored SEMI JOIN odd USING (trace_id)"):
        traces.add_line(record.encode())
    both = Side(), Side()
    for side, each in enumerate(both):
        chosen = {trace_id for (trace_id,) in rows_of("SELECT trace_id FROM sides WHERE side = ?", side)}
        for trace_id in traces.ids:
            if trace_id in chosen:
                each.add(traces[trace_id])
    return both


def _count(rows_of: Rows, both: tuple[Side, Side]) -> None:
    for side, runs, errors in rows_of(
        "SELECT side, count(*), count(*) FILTER (WHERE outcome = 'error') FROM sides JOIN plain_runs USING (trace_id)"
        " GROUP BY side"
    ):
        both[side].runs += runs
        both[side].errors += errors
    for side, each in enumerate(both):  # it may have some, of the runs that were looked at: all or none are told
        only = rows_of("SELECT trace_id FROM sides WHERE side = ?", side) if each.runs == 1 else []
        each.trace_ids = {trace_id for (trace_id,) in only}
    for (currency,) in rows_of("SELECT coalesce(currency, 'USD') FROM stored WHERE cost IS NOT NULL LIMIT 1"):
        for each in both:
            each.currency = currency


def _count_choices(rows_of: Rows, both: tuple[Side, Side]) -> None:
    """Of each decision how often what was chosen; each different text is read once."""
    for side, name, chosen, by, count in rows_of(
        f"SELECT side, coalesce(nullif(decision, ''), name), chosen, decided_by, count(*) FROM stored"
        f" JOIN sides USING (trace_id) ANTI JOIN unusual USING (trace_id) WHERE {STATED}"
        " GROUP BY ALL"
    ):
        choice = ", ".join(choices_of(chosen, by)) or "(undecided)"
        both[side].choices.setdefault(name, Counter())[choice] += count


def _ranked(rows_of: Rows, column: str) -> Ranked:
    """A figure on both sides, ranked where it lies."""
    ((n, m, ranks, ties),) = rows_of(f"""
WITH groups AS (SELECT {column} AS value, count(*) FILTER (WHERE side = 0) AS a, count(*) AS size FROM figures
                WHERE {column} IS NOT NULL GROUP BY value),
     placed AS (SELECT *, sum(size) OVER (ORDER BY value ROWS UNBOUNDED PRECEDING) AS upto FROM groups)
SELECT coalesce(sum(a), 0)::BIGINT, coalesce(sum(size - a), 0)::BIGINT,
       coalesce(sum(a::HUGEINT * (2 * upto - size + 1)), 0)::HUGEINT,
       coalesce(sum(size::HUGEINT * size * size - size), 0)::HUGEINT FROM placed""")
    middles = []
    for side, count in enumerate((n, m)):
        few, first = 2 - count % 2, (count - 1) // 2
        values = rows_of(
            f"SELECT {column} FROM figures WHERE side = {side} AND {column} IS NOT NULL ORDER BY 1"
            f" LIMIT {few} OFFSET {max(0, first)}"
        )
        middles.append([value for (value,) in values])
    return Ranked(n, m, middles[0], middles[1], rank_sum_of(n, m, ranks / 2, ties))

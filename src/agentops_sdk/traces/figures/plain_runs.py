"""Runs whose model calls each count for themselves, added up a column at a time and not as trees.

A run is plain where no model call lies below another, every step has ended, nothing but model calls tells tokens or
money, nothing was read again in the background, and all of it is here, once. The sums are those of
:func:`~agentops_sdk.traces.figures.tables.stats`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OUTCOMES
from agentops_sdk.traces.figures.accounts import MODEL_KINDS
from agentops_sdk.traces.figures.span_facts import ENDED, KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT, Fact
from agentops_sdk.traces.figures.table_rows import Row
from agentops_sdk.traces.figures.tables import DAY_NS, HOUR_NS, day, hour

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from agentops_sdk.traces.figures.columns import Columns

__all__ = ["KEYS", "add_plain", "unusual"]

_MODELS: Final = frozenset(map(KINDS.index, MODEL_KINDS))
_ODD: Final = Fact.CACHED | Fact.MISSING | Fact.ELSEWHERE | Fact.TRAINED
_FIGURES: Final = Fact.USAGE | Fact.COST | Fact.PRICED
_ERROR: Final = OUTCOMES.index("error")
_USEFUL: Final = (OUTCOMES.index("ok"), OUTCOMES.index("running"))

KEYS: Final[dict[str, Callable[[Columns, int], str]]] = {
    "model": lambda columns, row: columns.model(row) or "(no model)",
    "service": lambda columns, row: columns.service(row) or "(no service)",
    "day": lambda columns, row: day(columns.starts[row] // DAY_NS),
    "hour": lambda columns, row: hour(columns.starts[row] // HOUR_NS),
}
"""By what can be added up here, and a call's row key."""


def _is_odd(fact: int) -> bool:
    is_model = fact & KIND_BITS in _MODELS
    return bool(fact & _ODD or not ENDED[_outcome(fact)] or (not is_model and fact & _FIGURES))


def _outcome(fact: int) -> int:
    return (fact & OUTCOME_BITS) >> OUTCOME_SHIFT


def unusual(columns: Columns, run_of: Sequence[int], runs: int, background: Collection[int]) -> set[int]:
    """The runs that are not plain, by number.

    Args:
        columns: all spans.
        run_of: by row the number of its run.
        runs: how many there are.
        background: ids of spans that do not count for themselves.
    """
    facts, ids = columns.facts, columns.ids
    different = set(facts)
    odd = {fact for fact in different if _is_odd(fact)}
    found = {run_of[row] for row, fact in enumerate(facts) if fact in odd} if odd else set()
    found.update(map(run_of.__getitem__, columns.rows_with_odd_figures()))
    parents = set(columns.parents)
    models = {fact for fact in different if fact & KIND_BITS in _MODELS}
    found.update(run_of[row] for row, fact in enumerate(facts) if fact in models and ids[row] in parents)
    if background:
        found.update(run_of[row] for row, ident in enumerate(ids) if ident in background)
    if len(set(ids)) < len(ids):
        times = Counter(ids)
        found.update(run_of[row] for row, ident in enumerate(ids) if times[ident] > 1)
    whole = {run_of[row] for row, fact in enumerate(facts) if not fact & Fact.PARENT}
    return found | (set(range(runs)) - whole)


def add_plain(
    columns: Columns, run_of: Sequence[int], left_out: Collection[int], by: str, rows: dict[str, Row]
) -> None:
    """Add every call of the runs that are not left out to the row of its key.

    Args:
        columns: all spans.
        run_of: by row the number of its run.
        left_out: numbers of runs.
        by: one of :data:`KEYS`.
        rows: by key.
    """
    facts, starts, ends, key_of = columns.facts, columns.starts, columns.ends, KEYS[by]
    models = {fact for fact in set(facts) if fact & KIND_BITS in _MODELS}
    groups: dict[str, dict[int, array[int]]] = {}
    for number, fact in enumerate(facts):
        if fact in models and run_of[number] not in left_out:
            same = groups.setdefault(key_of(columns, number), {})
            if fact in same:
                same[fact].append(number)
            else:
                same[fact] = array("I", [number])
    for key, by_fact in groups.items():
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row(key)
        row.traces += len({run_of[number] for numbers in by_fact.values() for number in numbers})
        for fact, numbers in by_fact.items():
            _add_figures(row, columns, fact, numbers)
            if fact & Fact.STOPPED and _outcome(fact) == _ERROR:
                row.refused += len(numbers)
                continue
            row.calls += len(numbers)
            row.errors += len(numbers) if _outcome(fact) == _ERROR else 0
            row.durations += [max(0, ends[number] - starts[number]) / 1e9 for number in numbers]
            if fact & Fact.FIRST_CHUNK:
                firsts = (columns.figure(number, semconv.RESPONSE_TIME_TO_FIRST_CHUNK) for number in numbers)
                row.first_chunks += [float(first) for first in firsts if isinstance(first, (int, float))]


def _add_figures(row: Row, columns: Columns, fact: int, numbers: array[int]) -> None:
    outcome = _outcome(fact)
    answered = outcome != _ERROR or fact & Fact.USAGE
    columns.add_all_figures(numbers, row.usage if fact & Fact.USAGE else None, row.cost if fact & Fact.COST else None)
    if answered and not fact & Fact.USAGE:
        row.usage.unknown += len(numbers)
    costs = [row.cost] if outcome in _USEFUL else [row.cost, row.wasted]
    if fact & Fact.COST:
        for cost in costs[1:]:
            columns.add_all_figures(numbers, None, cost)
    elif answered:
        for cost in costs:
            cost.miss("no price recorded", len(numbers))

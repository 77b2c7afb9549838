"""Tables over many traces: what each model, tool, agent, session, day or tag did, took and cost.

Long because every way to group shares one row and the one pass over the columns.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.classify import from_ns
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.accounts import MODEL_KINDS, Counted
from agentops_sdk.traces.figures.columns import (
    KIND_BITS,
    KINDS,
    OUTCOME_BITS,
    OUTCOME_SHIFT,
    OUTCOMES,
    Fact,
    session_in,
)
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentops_sdk.traces.figures.outline import Outline
    from agentops_sdk.traces.record import Outcome
    from agentops_sdk.traces.trace import Trace

    Keys = tuple[str, ...]

BY: Final = ("model", "tool", "agent", "session", "day", "tag", "decision")
_OWN_KIND: Final = {"tool": "tool", "agent": "agent"}
_USEFUL: Final = (OUTCOMES.index("ok"), OUTCOMES.index("running"))


@dataclass(slots=True)
class Row:
    """One line of the table.

    A *call* is a tool execution by tool, an agent invocation by agent, else a model call. Durations and
    times to first chunk are seconds. ``wasted`` is what calls cost that failed or were given up. Of the calls
    ``running`` have not ended yet and ``unfinished`` never did, their process being gone; of the total, the runs.
    """

    key: str
    calls: int = 0
    errors: int = 0
    durations: list[float] = field(default_factory=list)
    first_chunks: list[float] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost.nothing)
    wasted: Cost = field(default_factory=Cost.nothing)
    traces: int = 0
    running: int = 0
    unfinished: int = 0

    def add_trace(self, trace: Trace) -> None:
        """Count one run; this row is the total."""
        self.traces += 1
        self.running += trace.outcome == "running"
        self.unfinished += trace.outcome == "unfinished"
        if trace.unrecorded.usage is not None:
            self.usage.add(trace.unrecorded.usage)
        if trace.unrecorded.cost is not None:
            self.cost.add(trace.unrecorded.cost)

    def merge(self, other: Row) -> None:
        """Add the calls of another row to this one, which is the total."""
        self.calls += other.calls
        self.errors += other.errors
        self.durations += other.durations
        self.first_chunks += other.first_chunks
        self.usage.add(other.usage)
        self.cost.add(other.cost)
        self.wasted.add(other.wasted)

    def percentile(self, percent: float) -> float | None:
        """The duration that this percentage of the calls stayed within (nearest rank), in seconds."""
        return percentile(self.durations, percent)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "key": self.key,
            "traces": self.traces,
            "calls": self.calls,
            "errors": self.errors,
            "running": self.running,
            "unfinished": self.unfinished,
            "p50_s": self.percentile(50),
            "p95_s": self.percentile(95),
            "first_chunk_p50_s": percentile(self.first_chunks, 50),
            "usage": self.usage.as_dict(),
            "cache_hit_share": self.usage.cache_hit_share,
            "cost": self.cost.as_dict(),
            "wasted": self.wasted.as_dict(),
        }


@dataclass(slots=True)
class Stats:
    """Rows, costliest first, and the total. Only by ``tag`` can a call stand in several rows.

    ``partial`` counts very large traces of which decisions were looked for in the beginning alone.
    """

    by: str
    rows: list[Row]
    total: Row
    partial: int = 0

    def share(self, row: Row) -> float:
        """The row's part of the cost, or of the tokens where no cost is known; 0 to 1."""
        if self.total.cost.amount:
            return float(row.cost.amount / self.total.cost.amount)
        whole = self.total.usage.total
        return row.usage.total / whole if whole else 0.0


def stats(traces: Iterable[Trace], by: str = "model") -> Stats:
    """Add up traces, one at a time, by ``model``, ``tool``, ``agent``, ``session``, ``day``, ``tag`` or ``decision``.

    Tools and agents get what happened below them up to the next tool or agent; sessions and tags hold for
    everything below the span that carries them. What belongs to no row key is under ``(no tool)`` and the like.
    By decision there is a row per choice, see :func:`~agentops_sdk.traces.decisions.decision_table.decision_stats`.

    Raises:
        ConfigError: another word than these.
    """
    if by not in BY:
        raise ConfigError("by", by, f"one of {', '.join(BY)}")
    if by == "decision":
        from agentops_sdk.traces.decisions.decision_table import decision_stats

        return decision_stats(traces)
    rows: dict[str, Row] = {}
    total, keyless = Row("total"), Row("")
    for trace in traces:
        total.add_trace(trace)
        outline = trace.outline
        seen: set[str] = set()
        for keys, numbers in _by_keys(_keyed(outline, by)).items():
            for key in keys:
                row = rows.setdefault(key, Row(key))
                _add(row, outline, numbers, by)
                row.traces += key not in seen
                seen.add(key)
            if by == "tag":
                _add(total, outline, numbers, by, whole=True)
            elif not keys:
                _add(keyless, outline, numbers, by)
    for row in rows.values():
        row.durations.sort()
    if by != "tag":  # every call stands in one row
        for row in (*rows.values(), keyless):
            total.merge(row)
    total.durations.sort()
    ordered = sorted(rows.values(), key=lambda row: (-row.cost.amount, -row.usage.total, -row.calls, row.key))
    return Stats(by, ordered, total)


def _by_keys(keyed: Iterable[tuple[int, Keys]]) -> dict[Keys, array[int]]:
    """The spans that have the same row keys."""
    spans: dict[Keys, array[int]] = {}
    for number, keys in keyed:
        numbers = spans.get(keys)
        if numbers is None:
            numbers = spans[keys] = array("I")
        numbers.append(number)
    return spans


def _add(row: Row, outline: Outline, numbers: Sequence[int], by: str, *, whole: bool = False) -> None:
    """Add spans to a row."""
    shares, rows, facts, own_kind = outline.shares, outline.rows, outline.columns.facts, _OWN_KIND.get(by)
    kind = KINDS.index(own_kind) if own_kind else -1
    for number in numbers:
        fact = facts[rows[number]]
        if (fact & KIND_BITS == kind) if own_kind else (shares[number] & Counted.CALL):
            row.calls += 1
            _end(row, outline, number, OUTCOMES[(fact & OUTCOME_BITS) >> OUTCOME_SHIFT], whole=whole)
        if fact & Fact.FIRST_CHUNK and shares[number] & Counted.CALL:
            first = outline.columns.figure(rows[number], semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
            if isinstance(first, (int, float)):
                row.first_chunks.append(float(first))
    outline.add_all(numbers, row.usage, row.cost)
    wasted = (n for n in numbers if shares[n] & Counted.ANY_COST and outline.outcome_number(n) not in _USEFUL)
    outline.add_all(wasted, None, row.wasted)


def _end(row: Row, outline: Outline, number: int, outcome: Outcome, *, whole: bool) -> None:
    """Add how long a call took and how it ended."""
    row.errors += outcome == "error"
    if outcome not in semconv.NOT_ENDED:
        row.durations.append(outline.duration(number))
    elif not whole:
        row.running += outcome == "running"
        row.unfinished += outcome == "unfinished"


def _keyed(outline: Outline, by: str) -> Iterable[tuple[int, Keys]]:
    """Every span that has something to add, with its row keys: its own, or those of the nearest span above with any."""
    shares, own_kind = outline.shares, _OWN_KIND.get(by)
    adds = Counted.ANY if own_kind else Counted.ANY | Counted.CALL
    adding = (
        number
        for number in range(outline.count)
        if shares[number] & adds or (own_kind is not None and outline.kind(number) == own_kind)
    )
    own = _OWN_KEYS[by]
    if by == "model":
        return _by_model(outline, adding)
    if by == "day":
        return ((number, own(outline, number)) for number in adding)
    table: dict[Keys, int] = {(f"(no {by})",): 0}
    inherited = array("I", bytes(4 * outline.count))
    parents = outline.parents
    for number in outline.preorder:
        keys = own(outline, number)
        if keys:
            inherited[number] = table.setdefault(keys, len(table))
        elif (above := parents[number]) >= 0:
            inherited[number] = inherited[above]
    by_number = list(table)
    return ((number, by_number[inherited[number]]) for number in adding)


def _by_model(outline: Outline, numbers: Iterable[int]) -> Iterable[tuple[int, Keys]]:
    models, texts, rows = outline.columns.models, outline.columns.texts, outline.rows
    keys = [(text,) for text in texts]
    for number in numbers:
        text = models[rows[number]]
        yield number, keys[text] if text else _model_key(outline, number)


def _model_key(outline: Outline, number: int) -> Keys:
    name = outline.model(number)
    if name is None and not outline.ended(number) and outline.kind(number) not in MODEL_KINDS:
        return ()  # what it may still use stands in the total
    return (name or "(no model)",)


def _day_key(outline: Outline, number: int) -> Keys:
    return (_day(outline.start(number) // _DAY_NS),)


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return str(from_ns(number * _DAY_NS).date())


def _session_key(outline: Outline, number: int) -> Keys:
    if not outline.fact(number, Fact.SESSION):
        return ()
    session = session_in(outline.told(number))
    return (session,) if session else ()


def _tag_keys(outline: Outline, number: int) -> Keys:
    tags = outline.told(number).get(semconv.TAGS)
    if isinstance(tags, str):
        return (tags,)
    return tuple(dict.fromkeys(str(tag) for tag in tags)) if isinstance(tags, list) else ()


def _tool_key(outline: Outline, number: int) -> Keys:
    return _named(outline, number, "tool", semconv.TOOL_NAME)


def _agent_key(outline: Outline, number: int) -> Keys:
    return _named(outline, number, "agent", semconv.AGENT_NAME)


def _named(outline: Outline, number: int, kind: str, attribute: str) -> Keys:
    if outline.kind(number) != kind:
        return ()
    return (str(outline.told(number).get(attribute) or outline.name(number)),)


_DAY_NS: Final = 86_400 * 10**9
_OWN_KEYS: Final[dict[str, Callable[[Outline, int], Keys]]] = {
    "model": _model_key,
    "tool": _tool_key,
    "agent": _agent_key,
    "session": _session_key,
    "day": _day_key,
    "tag": _tag_keys,
}


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least this percentage of all values do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = ceil(Decimal(str(percent)) * len(ordered) / 100)
    return ordered[max(0, rank - 1)]

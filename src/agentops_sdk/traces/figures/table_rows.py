"""What the tables over many traces are made of: a row's counts, tokens, cost and durations, and the rows together."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_sdk.traces.trace import Trace

_OF_THE_RUN: Final = "told of the whole run alone"


@dataclass(slots=True)
class Row:
    """One line of the table.

    A *call* is a tool execution by tool, an agent invocation by agent, else a model call. Durations and
    times to first chunk are seconds. ``refused`` are those that a limit, a breaker or a pause stopped before they were
    made: no calls, and no errors. ``wasted`` is what calls cost that failed or were given up. Of the calls
    ``running`` have not ended yet and ``unfinished`` never did, their process being gone; of the total, the runs.
    """

    key: str
    calls: int = 0
    errors: int = 0
    refused: int = 0
    durations: list[float] = field(default_factory=list)
    first_chunks: list[float] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost.nothing)
    wasted: Cost = field(default_factory=Cost.nothing)
    traces: int = 0
    running: int = 0
    unfinished: int = 0
    quantiles: dict[float, float] | None = None
    """By percentage a duration that was worked out elsewhere; ``durations`` is empty then."""

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
        self.refused += other.refused
        self.durations += other.durations
        self.first_chunks += other.first_chunks
        self.usage.add(other.usage)
        self.cost.add(other.cost)
        self.wasted.add(other.wasted)

    def percentile(self, percent: float) -> float | None:
        """The duration that this percentage of the calls stayed within (nearest rank), in seconds."""
        return percentile(self.durations, percent) if self.quantiles is None else self.quantiles.get(percent)

    @property
    def own_cost(self) -> Cost:
        """The cost; unknown, and not nothing, where tokens were used whose price is told of the whole run alone."""
        if self.usage.total and not self.cost.known and not self.cost.unknowns:
            return Cost(known=0, unknowns={_OF_THE_RUN: max(1, self.calls)})
        return self.cost

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "key": self.key,
            "traces": self.traces,
            "calls": self.calls,
            "errors": self.errors,
            "refused": self.refused,
            "running": self.running,
            "unfinished": self.unfinished,
            "p50_s": self.percentile(50),
            "p95_s": self.percentile(95),
            "first_chunk_p50_s": percentile(self.first_chunks, 50),
            "usage": self.usage.as_dict(),
            "cache_hit_share": self.usage.cache_hit_share,
            "cost": self.own_cost.as_dict(),
            "wasted": self.wasted.as_dict(),
        }


@dataclass(slots=True)
class Stats:
    """Rows, costliest first, and the total. Only by ``tag`` or an attribute can a call stand in several rows.

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


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least this percentage of all values do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = ceil(Decimal(str(percent)) * len(ordered) / 100)
    return ordered[max(0, rank - 1)]

"""Why a figure per run changed between two sets of runs: which steps, models and tools account for it, adding up.

Cost and tokens per run are sums over calls. The seconds of a run are shared out so that each instant belongs to one
step: of those under way, the one that began last; what no step below accounts for is the run's own. A failed run
belongs to the step in which its first failure began. So the changes of all components are the whole change.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.figures.outline import Outline
    from agentops_sdk.traces.trace import Trace

__all__ = ["MEASURES", "Cause", "RunCauses", "causes"]

MEASURES: Final = ("cost", "seconds", "tokens", "errors")
_NAMED_BY: Final = {"llm": semconv.REQUEST_MODEL, "embedding": semconv.REQUEST_MODEL, "tool": semconv.TOOL_NAME,
                    "agent": semconv.AGENT_NAME}  # fmt: skip
_WORDS: Final = {"llm": "model", "embedding": "model", "task": "step", "span": "step"}


@dataclass(frozen=True, slots=True)
class Cause:
    """What one component contributes to the change of a figure per run.

    Attributes:
        component: such as ``model gpt-4o`` or ``tool search``.
        before: its part of the figure per run.
        after: the same, later.
        change: the difference.
        more_often: of the change, what comes from more or fewer calls per run.
        each: of the change, what comes from each call being more or less; with ``more_often`` it is the whole.
        share: of the whole change; ``None`` where there is none.
    """

    component: str
    before: float
    after: float
    change: float
    more_often: float
    each: float
    share: float | None


@dataclass(slots=True)
class RunCauses:
    """What the components of some runs come to.

    Attributes:
        runs: for each measure, of how many runs it is known.
        unknown: for each measure, of how many it is not.
        sums: by measure and component.
        calls: by measure and component, how often there was something to count.
    """

    runs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    unknown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    sums: dict[str, dict[str, float]] = field(default_factory=lambda: {name: defaultdict(float) for name in MEASURES})
    calls: dict[str, dict[str, int]] = field(default_factory=lambda: {name: defaultdict(int) for name in MEASURES})

    def add(self, trace: Trace) -> None:
        """One more run that is over."""
        outline = trace.outline
        usage, cost = trace.sums
        parts: dict[str, Iterable[tuple[str, float]]] = {
            "errors": _failure(outline) if trace.outcome == "error" else ()
        }
        # The runs whose figure is known, and no others: of any other set the parts would not add up to its change.
        if cost.known and not cost.unknowns:
            parts["cost"] = _costs(outline)
        if usage.by_source and not usage.unknown:
            parts["tokens"] = _tokens(outline)
        if trace.outcome not in semconv.NOT_ENDED:
            parts["seconds"] = _seconds(outline)
        for measure in MEASURES:
            if measure not in parts:
                # A run that asked no model has no cost and no tokens to know.
                self.unknown[measure] += measure == "seconds" or bool(outline.calls)
                continue
            self.runs[measure] += 1
            for component, amount in parts[measure]:
                self.sums[measure][component] += amount
                self.calls[measure][component] += 1

    def per_run(self, measure: str) -> float | None:
        """The figure per run; ``None`` where it is known of none."""
        count = self.runs[measure]
        return sum(self.sums[measure].values()) / count if count else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            name: {"per_run": self.per_run(name), "known": self.runs[name], "unknown": self.unknown[name]}
            for name in MEASURES
        }


def causes(before: RunCauses, after: RunCauses, measure: str) -> list[Cause]:
    """What each component contributes to the change of a measure per run, the largest first; none without runs."""
    old, new = before.runs[measure], after.runs[measure]
    if not old or not new:
        return []
    rows = []
    whole = (after.per_run(measure) or 0.0) - (before.per_run(measure) or 0.0)
    for component in sorted({*before.sums[measure], *after.sums[measure]}):
        a, b = before.sums[measure].get(component, 0.0) / old, after.sums[measure].get(component, 0.0) / new
        if abs(b - a) < 1e-12 * (abs(a) + abs(b)):
            b = a  # other numbers of the same amounts, whose sums differ in the last digit
        often_a, often_b = before.calls[measure].get(component, 0) / old, after.calls[measure].get(component, 0) / new
        each_a, each_b = (amount / often if often else None for amount, often in ((a, often_a), (b, often_b)))
        known = [each for each in (each_a, each_b) if each is not None]
        more_often = (often_b - often_a) * sum(known) / len(known) if known else 0.0
        if abs(b - a - more_often) < 1e-12 * (abs(a) + abs(b)):
            more_often = b - a  # what is left is the arithmetic's
        share = (b - a) / whole if whole else None
        rows.append(Cause(component, a, b, b - a, more_often, b - a - more_often, share))
    return sorted(rows, key=lambda row: (-abs(row.change), row.component))


def component_of(outline: Outline, number: int) -> str:
    """What a span is counted as."""
    kind = outline.kind(number)
    told = outline.told(number)
    name = outline.model(number) if kind in ("llm", "embedding") else told.get(_NAMED_BY.get(kind, ""))
    return f"{_WORDS.get(kind, kind)} {name or outline.name(number)}"


def _costs(outline: Outline) -> Iterable[tuple[str, float]]:
    for number in range(outline.count):
        cost = outline.cost(number)
        if cost is not None and cost.known:
            yield component_of(outline, number), float(cost.amount)


def _tokens(outline: Outline) -> Iterable[tuple[str, float]]:
    for number in range(outline.count):
        usage = outline.usage(number)
        if usage is not None:
            yield component_of(outline, number), float(usage.total)


def _failure(outline: Outline) -> Iterable[tuple[str, float]]:
    """The step in which the first failure began: the innermost one that failed."""
    errors = set(outline.errors)
    innermost = [number for number in outline.errors if not errors.intersection(outline.children(number))]
    number = min(innermost, key=outline.start) if innermost else outline.roots[0]
    return [(component_of(outline, number), 1.0)]


def _seconds(outline: Outline) -> Iterable[tuple[str, float]]:
    """Each instant of the run belongs to the step that began last among those under way."""
    own_numbers = [number for number in range(outline.count) if outline.rows[number] not in outline.columns.verdicts]
    starts = [outline.start(number) for number in own_numbers]
    ends = [max(start, outline.ends[number]) for number, start in zip(own_numbers, starts, strict=True)]
    own: dict[int, float] = defaultdict(float)
    moments = sorted({*starts, *ends})
    waiting: list[tuple[int, int]] = []
    following = 0
    for moment, after in pairwise(moments):
        while following < len(starts) and starts[following] <= moment:
            heapq.heappush(waiting, (-starts[following], -following))
            following += 1
        while waiting and ends[-waiting[0][1]] <= moment:
            heapq.heappop(waiting)
        number = own_numbers[-waiting[0][1]] if waiting else outline.roots[0]
        own[number] += (after - moment) / 1e9
    for number, amount in own.items():
        yield component_of(outline, number), amount

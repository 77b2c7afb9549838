"""What each version of each prompt did: calls, errors, latency, tokens, cost, and what was thought of its runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.evaluations import judged_runs
from agentops_sdk.traces.figures.table_rows import percentile
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.trace import Trace

__all__ = ["ATTRIBUTES", "PromptRow", "prompt_table"]

ATTRIBUTES: Final = (semconv.PROMPT_NAME, semconv.PROMPT_VERSION)
"""What is asked of many spans."""


@dataclass(slots=True)
class PromptRow:
    """One version of one prompt.

    Attributes:
        name: of the prompt.
        version: of it; empty where a recorder told none.
        calls: model calls made with it that are over.
        errors: how many of them failed.
        durations: seconds of each.
        runs: in how many runs it was used.
        scores: by name, of the runs in which it was used; where several versions were, for each of them.
        first_ns: when the first call began, in nanoseconds since the epoch.
        last_ns: when the last one began.
    """

    name: str
    version: str
    calls: int = 0
    errors: int = 0
    durations: list[float] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost.nothing)
    runs: int = 0
    scores: dict[str, list[float]] = field(default_factory=dict)
    first_ns: int = 0
    last_ns: int = 0

    def judge(self, verdicts: Iterable[Evaluation]) -> None:
        """A run was made with it, of which this was thought."""
        self.runs += 1
        for each in verdicts:
            if each.score is not None:
                self.scores.setdefault(each.name, []).append(each.score)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name, "version": self.version, "calls": self.calls, "errors": self.errors, "runs": self.runs,
            "p50_s": percentile(self.durations, 50), "p95_s": percentile(self.durations, 95),
            "usage": self.usage.as_dict(), "cost": self.cost.as_dict(),
            "scores": {name: {"mean": fmean(values), "count": len(values)} for name, values in self.scores.items()},
            "first_ns": self.first_ns, "last_ns": self.last_ns,
        }  # fmt: skip


def prompt_table(traces: Iterable[Trace]) -> list[PromptRow]:
    """The versions that were used, by name, the one used last first."""
    rows: dict[tuple[str, str], PromptRow] = {}
    for trace, verdicts in judged_runs(traces):
        used: set[tuple[str, str]] = set()
        for number in trace.outline.calls:
            key = _add(rows, trace, number)
            if key is not None:
                used.add(key)
        for key in used:
            rows[key].judge(verdicts)
    return sorted(rows.values(), key=lambda row: (row.name, -row.last_ns, row.version))


def _add(rows: dict[tuple[str, str], PromptRow], trace: Trace, number: int) -> tuple[str, str] | None:
    outline = trace.outline
    attribute, place = outline.columns.attribute, outline.rows[number]
    name = attribute(place, semconv.PROMPT_NAME)
    if name is None:
        return None
    key = str(name), str(attribute(place, semconv.PROMPT_VERSION) or "")
    row = rows.setdefault(key, PromptRow(*key))
    start = outline.start(number)
    row.first_ns, row.last_ns = min(row.first_ns or start, start), max(row.last_ns, start)
    outline.add(number, row.usage, row.cost)
    if outline.ended(number):
        row.calls += 1
        row.errors += outline.outcome(number) == "error"
        row.durations.append(outline.duration(number))
    return key

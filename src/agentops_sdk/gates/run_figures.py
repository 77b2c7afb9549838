"""What a gate looks at in a set of runs: figures per run, shares of runs, choices, and what is unknown of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.figures.evaluations import judged_runs
from agentops_sdk.traces.figures.run_tally import RunTally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.trace import Trace

__all__ = ["RunFigures"]


@dataclass(slots=True)
class RunFigures(RunTally):
    """Figures of runs that are over; those that go on are counted and left out.

    Attributes:
        costs: what runs cost whose cost is wholly known.
        latencies: seconds that runs took; of an unfinished one nobody knows.
        tokens: that runs used whose usage is wholly known.
        unknown: for ``cost`` and ``tokens``, why and how often a figure is missing.
        scores: by name.
        choices: by decision, how often each was made.
        variants: those decisions that :func:`agentops_sdk.variant` has made.
    """

    currency: str | None = None
    costs: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)
    unknown: dict[str, Counter[str]] = field(default_factory=lambda: {"cost": Counter(), "tokens": Counter()})
    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    choices: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    variants: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, traces: Iterable[Trace], currency: str | None = None) -> RunFigures:
        """Of these runs; money in another ``currency`` than the first, or the one given, is unknown."""
        figures = cls(currency=currency)
        for trace, verdicts in judged_runs(traces):
            figures.add(trace, verdicts)
        return figures

    def add(self, trace: Trace, verdicts: Iterable[Evaluation] = ()) -> None:
        """One more run, and what was thought of it."""
        if not self.count(trace):
            return
        self._add_choices(trace)
        for each in verdicts:
            if each.score is not None:
                self.scores[each.name].append(each.score)
        if trace.outcome in semconv.NOT_ENDED:
            return
        self.latencies.append(trace.duration)
        usage, cost = trace.sums
        if cost.unknowns:
            self.unknown["cost"].update(list(cost.unknowns)[:1])
        elif cost.known:
            self.currency = self.currency or cost.currency
            if cost.currency == self.currency:
                self.costs.append(float(cost.amount))
            else:
                self.unknown["cost"][f"in {cost.currency}, not {self.currency}"] += 1
        elif trace.outline.calls:
            self.unknown["cost"]["not recorded"] += 1
        if usage.unknown:
            self.unknown["tokens"]["a call of unknown size"] += 1
        elif usage.by_source:
            self.tokens.append(usage.total)

    def _add_choices(self, trace: Trace) -> None:
        for decision in trace.beginning.decisions:
            self.choices[decision.name][", ".join(decision.choices) or "(undecided)"] += 1
            if decision.by == "code" and decision.by_name == "variant":
                self.variants.add(decision.name)

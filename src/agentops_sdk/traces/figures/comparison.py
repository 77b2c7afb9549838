"""Two sets of runs side by side: which decisions changed, and how cost, latency, tokens and errors moved."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk.traces.figures.loops import loops
from agentops_sdk.traces.figures.significance import fisher, holm, rank_sum

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from agentops_sdk.traces.trace import Trace

SIGNIFICANT = 0.05
"""A corrected p below this is called a change."""

_VARIANT = re.compile(r"\s*(?:agentops\.)?variant\s*(?:==?|!=|!?~)\s*[\"']?(?P<name>[^=\"']+)=")
_STEPS = 500  # of a run are laid beside those of the other: that takes quadratic time
FIGURES = ("cost", "duration", "input tokens", "output tokens", "model calls", "tool calls")


@dataclass(frozen=True, slots=True)
class Share:
    """One choice of one decision on both sides; ``p`` is corrected for all choices compared."""

    decision: str
    choice: str
    count_a: int
    total_a: int
    count_b: int
    total_b: int
    p: float

    @property
    def changed(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure per run on both sides: medians, and ``p`` of the rank-sum test, corrected for all figures.

    ``unknown_a`` and ``unknown_b`` count runs that have no such figure.
    """

    name: str
    median_a: float | None
    median_b: float | None
    p: float
    unknown_a: int = 0
    unknown_b: int = 0

    @property
    def changed(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.p < SIGNIFICANT


@dataclass(slots=True)
class Side:
    """What is collected of one side, one run at a time.

    ``errors`` counts the runs that failed, among them the ``unfinished``, which were killed or lost. Those
    that are ``running`` have neither failed nor worked and have no figures yet. Of those that are ``partial``, being
    very large, decisions and loops were looked for in the beginning alone.
    """

    runs: int = 0
    errors: int = 0
    unfinished: int = 0
    running: int = 0
    looping: int = 0
    partial: int = 0
    choices: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    steps: list[tuple[str, str]] = field(default_factory=list)
    currency: str | None = None
    """Of the costs; a run that was paid for in another has an unknown one."""
    trace_ids: set[str] = field(default_factory=set)

    @property
    def ended(self) -> int:
        """Runs that are over."""
        return self.runs - self.running

    def add(self, trace: Trace) -> None:
        self.runs += 1
        self.trace_ids.add(trace.trace_id)
        self.errors += trace.outcome in ("error", "unfinished")
        self.unfinished += trace.outcome == "unfinished"
        self.running += trace.outcome == "running"
        beginning = trace.beginning
        self.partial += beginning is not trace
        self.looping += bool(loops(beginning))
        for name, choices in beginning.choices:
            choice = ", ".join(choices) or "(undecided)"
            self.choices[name][choice] += 1
            if self.runs == 1 and len(self.steps) < _STEPS:
                self.steps.append((name, choice))
        if trace.outcome in semconv.NOT_ENDED:
            return  # what it took so far is less than what it takes
        cost, usage = trace.cost, trace.usage
        if cost.known and not cost.lower_bound:
            self.currency = self.currency or cost.currency
            if cost.currency == self.currency:
                self.figures["cost"].append(float(cost.amount))
        self.figures["duration"].append(trace.duration)
        if usage.by_source and not usage.unknown:
            self.figures["input tokens"].append(usage.input)
            self.figures["output tokens"].append(usage.output)
        self.figures["model calls"].append(len(trace.outline.calls))
        self.figures["tool calls"].append(sum(1 for _ in trace.outline.of_kind("tool")))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What :func:`compare` found. ``steps`` is filled, up to 500, where both sides are one run.

    ``shared`` counts the runs that stand on both sides.
    """

    a: Side
    b: Side
    shares: list[Share]
    figures: list[Figure]
    error_p: float
    steps: list[tuple[str, tuple[str, str]]]
    shared: int = 0

    @property
    def currency(self) -> str:
        """Of the costs on both sides."""
        return self.b.currency or self.a.currency or "USD"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "runs": {"a": self.a.runs, "b": self.b.runs},
            "on_both_sides": self.shared,
            "currency": self.currency,
            "errors": {"a": self.a.errors, "b": self.b.errors, "p": self.error_p},
            "unfinished": {"a": self.a.unfinished, "b": self.b.unfinished},
            "running": {"a": self.a.running, "b": self.b.running},
            "partial": {"a": self.a.partial, "b": self.b.partial},
            "loops": {"a": self.a.looping, "b": self.b.looping},
            "decisions": [
                {
                    "decision": row.decision,
                    "choice": row.choice,
                    "a": [row.count_a, row.total_a],
                    "b": [row.count_b, row.total_b],
                    "p": row.p,
                    "changed": row.changed,
                }
                for row in self.shares
            ],
            "figures": [
                {"name": row.name, "a": row.median_a, "b": row.median_b, "p": row.p, "changed": row.changed,
                 "unknown": {"a": row.unknown_a, "b": row.unknown_b}}
                for row in self.figures
            ],
            "steps": [{"side": side, "decision": name, "choice": choice} for side, (name, choice) in self.steps],
        }  # fmt: skip


def told_apart_by(*texts: str) -> set[str]:
    """The decisions by which conditions such as ``variant=prompt=short`` choose runs."""
    return {f"variant {match['name'].strip()}" for text in texts if (match := _VARIANT.match(text))}


def compare(a: Iterable[Trace], b: Iterable[Trace], *, apart: Collection[str] = ()) -> Comparison:
    """Compare two sets of runs.

    Shares of choices are tested with Fisher's exact test, figures with the Wilcoxon rank-sum test, both
    corrected by Holm's method for how many are looked at. Choices of one run depend on each other, so
    treat a p of many decisions in few runs with care. Decisions that tell the sides ``apart`` differ for sure, and are
    left out.
    """
    one, two = Side(), Side()
    for trace in a:
        one.add(trace)
    two.currency = one.currency
    for trace in b:
        two.add(trace)
    ranked = [_ranked(one, two, name) for name in FIGURES]
    return comparison_of(one, two, ranked, len(one.trace_ids & two.trace_ids), apart)


def comparison_of(
    one: Side, two: Side, ranked: Sequence[Ranked], shared: int, apart: Collection[str] = ()
) -> Comparison:
    """The comparison of two sides that have been collected.

    Args:
        one: the one.
        two: the other.
        ranked: what is known of each of :data:`FIGURES`, in their order.
        shared: how many runs stand on both sides.
        apart: the decisions by which the sides were chosen.
    """
    corrected = holm([each.p for each in ranked])
    return Comparison(
        a=one,
        b=two,
        shares=_shares(one, two, apart),
        figures=[
            Figure(name, _median(each.middle_a), _median(each.middle_b), p, one.ended - each.n, two.ended - each.m)
            for name, each, p in zip(FIGURES, ranked, corrected, strict=True)
        ],
        error_p=fisher(one.errors, one.ended, two.errors, two.ended),
        steps=_steps(one, two) if one.runs == two.runs == 1 else [],
        shared=shared,
    )


class Ranked(NamedTuple):
    """A figure on both sides: how many values there are, those in the middle of each, and p of the rank-sum test."""

    n: int
    m: int
    middle_a: Sequence[float]
    middle_b: Sequence[float]
    p: float


def _ranked(one: Side, two: Side, name: str) -> Ranked:
    in_a, in_b = one.figures[name], two.figures[name]
    return Ranked(len(in_a), len(in_b), in_a, in_b, rank_sum(in_a, in_b))


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _shares(one: Side, two: Side, apart: Collection[str]) -> list[Share]:
    rows: list[tuple[str, str, int, int, int, int]] = []
    for name in sorted({*one.choices, *two.choices} - {*apart}):
        in_a, in_b = one.choices.get(name, Counter()), two.choices.get(name, Counter())
        choices = sorted({*in_a, *in_b}, key=lambda choice: (-in_a[choice] - in_b[choice], choice))
        rows += [(name, choice, in_a[choice], in_a.total(), in_b[choice], in_b.total()) for choice in choices]
    corrected = holm([fisher(*row[2:]) for row in rows])
    return [Share(*row, p) for row, p in zip(rows, corrected, strict=True)]


def _steps(one: Side, two: Side) -> list[tuple[str, tuple[str, str]]]:
    matcher = SequenceMatcher(a=one.steps, b=two.steps, autojunk=False)
    steps: list[tuple[str, tuple[str, str]]] = []
    for what, from_a, to_a, from_b, to_b in matcher.get_opcodes():
        if what == "equal":
            steps += [("both", step) for step in one.steps[from_a:to_a]]
        else:
            steps += [("a", step) for step in one.steps[from_a:to_a]]
            steps += [("b", step) for step in two.steps[from_b:to_b]]
    return steps

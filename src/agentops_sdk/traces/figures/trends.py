"""Runs by week, day or month: what they cost, took and used, how many failed, what was thought of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.figures.change_causes import MEASURES, Cause, RunCauses, causes
from agentops_sdk.traces.figures.evaluations import judged_runs
from agentops_sdk.traces.figures.run_tally import RunTally
from agentops_sdk.traces.figures.significance import fisher, holm, rank_sum
from agentops_sdk.traces.figures.table_rows import percentile
from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES, attribute_names, first_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.trace import Trace

__all__ = ["FORMATS", "PERIODS", "SPLITS", "Change", "Period", "Trends", "checked_split", "trends"]

PERIODS: Final = ("week", "day", "month", "hour")

_BESIDE: Final = ("agent", "model")  # several of them run in the same period
SPLITS: Final = (*_BESIDE, *SHORT_NAMES)
FORMATS: Final = {"day": "%Y-%m-%d", "month": "%Y-%m", "hour": "%Y-%m-%d %H:00", "week": "%G-W%V"}


@dataclass(slots=True)
class Period(RunTally):
    """The runs of one stretch of time, of everything or of one release, agent, model, prompt and so on.

    Attributes:
        name: such as ``2026-W48``.
        of: what it is of; empty for everything.
        figures: ``cost``, ``seconds`` and ``tokens`` of each run of which it is known.
        scores: by name.
        parts: what steps, models and tools come to.
    """

    name: str
    of: str = ""
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    parts: RunCauses = field(default_factory=RunCauses)
    currency: str = ""

    def add(self, trace: Trace, verdicts: Iterable[Evaluation]) -> None:
        """One more run."""
        if not self.count(trace):
            return
        for each in verdicts:
            if each.score is not None:
                self.scores[each.name].append(each.score)
        self.parts.add(trace)
        usage, cost = trace.sums
        if cost.known and not cost.unknowns:
            self.currency = self.currency or cost.currency
            self.figures["cost"].append(float(cost.amount))
        if usage.by_source and not usage.unknown:
            self.figures["tokens"].append(usage.total)
        if trace.outcome not in semconv.NOT_ENDED:
            self.figures["seconds"].append(trace.duration)

    def mean(self, name: str) -> float | None:
        """The mean per run of a figure; the share of runs for ``errors`` and ``unfinished``."""
        if name in ("errors", "unfinished"):
            return (self.errors if name == "errors" else self.unfinished) / self.runs if self.runs else None
        values = self.figures.get(name)
        return fmean(values) if values else None

    def score(self, name: str) -> float | None:
        """The mean of a score, which may have the name of a figure."""
        values = self.scores.get(name)
        return fmean(values) if values else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        seconds = self.figures.get("seconds", [])
        return {
            "period": self.name, "of": self.of, "runs": self.runs, "running": self.running, "errors": self.errors,
            "unfinished": self.unfinished, "p50_s": percentile(seconds, 50), "p95_s": percentile(seconds, 95),
            "per_run": {name: self.mean(name) for name in ("cost", "seconds", "tokens")},
            "unknown": {name: count for name, count in self.parts.unknown.items() if count},
            "scores": {name: {"mean": fmean(values), "count": len(values)} for name, values in self.scores.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """How one figure per run moved between two periods, and why.

    Attributes:
        of: what the periods are of, or ``A -> B`` where it is not the same; empty for everything.
        name: ``cost``, ``seconds``, ``tokens``, ``errors``, or a score.
        before: per run.
        after: per run.
        p: that it is chance, corrected for all changes that are looked at (Holm).
        causes: what each component contributes; they add up to the change of runs that are wholly known.
    """

    of: str
    name: str
    before: float
    after: float
    p: float
    causes: tuple[Cause, ...] = ()

    @property
    def change(self) -> float:
        """By how much it moved."""
        return self.after - self.before

    @property
    def is_worse(self) -> bool:
        """Whether it moved the wrong way: dearer, slower, more tokens, more failures; or a lower score."""
        return self.change > 0 if self.name in MEASURES else self.change < 0

    @property
    def is_sure(self) -> bool:
        """Whether chance alone would bring as much about in less than one case of twenty."""
        return self.p < 0.05


@dataclass(frozen=True, slots=True)
class Trends:
    """Periods in order, and what changed from the last but one to the last of each."""

    by: str
    split: str
    periods: tuple[Period, ...]
    changes: tuple[Change, ...]

    @property
    def moved(self) -> list[Change]:
        """The changes that are any, for the worse and the surest first."""
        moved = (change for change in self.changes if change.change)
        return sorted(moved, key=lambda change: (not change.is_worse, change.p))


def checked_split(split: str) -> str:
    """What periods are told apart by.

    Raises:
        ConfigError: it is nothing of the kind.
    """
    if split and split not in SPLITS and "." not in split:
        raise ConfigError("split", split, f"one of {', '.join(SPLITS)}, or an attribute such as metadata.KEY")
    return split


def trends(traces: Iterable[Trace], by: str = "week", split: str = "") -> Trends:
    """Put runs into periods (UTC), and say what changed from the last but one to the last.

    Args:
        traces: in any order.
        by: one of :data:`PERIODS`.
        split: ``release``, ``agent``, ``model``, ``prompt``, ``environment``, ``variant`` or an attribute; a run with
            several values counts for each.

    Raises:
        ConfigError: another word than these.
    """
    if by not in PERIODS:
        raise ConfigError("by", by, f"one of {', '.join(PERIODS)}")
    checked_split(split)
    rows: dict[tuple[str, str], Period] = {}
    for trace, verdicts in judged_runs(traces):
        name = datetime.fromtimestamp(trace.start_ns / 1e9, UTC).strftime(FORMATS[by])
        for of in _values(trace, split) if split else ("",):
            rows.setdefault((of, name), Period(name, of)).add(trace, verdicts)
    periods = tuple(rows[key] for key in sorted(rows))
    return Trends(by, split, periods, tuple(_changes(_pairs(periods, split))))


def _pairs(periods: Iterable[Period], split: str) -> list[tuple[Period, Period]]:
    """Which periods are set beside each other: of each release or whatever it is the last two.

    Where none has two, those are taken that followed each other, as releases do; agents do not. Of a variant, in the
    last period that has two choices, the others are set beside the first. Different variants are never compared.
    """
    groups: dict[str, list[Period]] = defaultdict(list)
    for period in periods:
        if period.runs:
            groups[period.of.partition("=")[0] if split == "variant" and "=" in period.of else ""].append(period)
    pairs = []
    for name, rows in groups.items():
        own = [[row for row in rows if row.of == of] for of in dict.fromkeys(row.of for row in rows)]
        found = [(each[-2], each[-1]) for each in own if len(each) > 1]
        by_time = sorted(rows, key=lambda row: row.name)
        if not found and name:
            alike = [row for row in by_time if row.name == by_time[-1].name]
            found = [(alike[0], row) for row in alike[1:]]
        if not found and not name and len(by_time) > 1 and split not in _BESIDE:
            found = [(by_time[-2], by_time[-1])]
        pairs += found
    return pairs


def _values(trace: Trace, split: str) -> list[str]:
    outline = trace.outline
    if split == "model":
        return outline.models or ["(no model)"]
    if split == "agent":
        agents = (
            str(outline.told(number).get(semconv.AGENT_NAME) or outline.name(number))
            for number in outline.of_kind("agent")
        )
        return list(dict.fromkeys(agents)) or ["(no agent)"]
    names, found = attribute_names(split), dict[str, None]()
    for number in range(outline.count):
        value = first_value(outline.columns, outline.rows[number], names)
        if value not in (None, ""):
            found |= dict.fromkeys(map(str, value) if isinstance(value, list) else [str(value)])
    return list(found) or [f"(no {split})"]


def _changes(pairs: Iterable[tuple[Period, Period]]) -> list[Change]:
    found: list[tuple[Change, float]] = []
    for before, after in pairs:
        scores = [(name, True) for name in sorted({*before.scores} & {*after.scores})]
        for name, is_score in [("cost", False), ("seconds", False), ("tokens", False), ("errors", False), *scores]:
            a, b = (side.score(name) if is_score else side.mean(name) for side in (before, after))
            if a is None or b is None:
                continue
            why = tuple(causes(before.parts, after.parts, name)) if name in MEASURES and not is_score else ()
            if name == "errors" and not is_score:
                p = fisher(before.errors, before.runs, after.errors, after.runs)
            else:
                one, two = ((side.scores if is_score else side.figures).get(name, []) for side in (before, after))
                p = rank_sum(one, two)
            of = after.of if after.of == before.of else f"{before.of} -> {after.of}"
            shown = f"score {name}" if is_score and name in MEASURES else name
            found.append((Change(of, shown, a, b, p, why), p))
    corrected = holm([p for _, p in found])
    return [
        Change(change.of, change.name, change.before, change.after, p, change.causes)
        for (change, _), p in zip(found, corrected, strict=True)
    ]

"""Rules asked of two sets of runs: one check for each limit, and what they come to.

A check by confidence fails where one can be sure that the limit is passed. What may go wrong by chance is shared by all
checks of a gate (Bonferroni), so that all of them together are as sure as each one is said to be. In the sequential
mode the bounds are confidence sequences: they hold at every look at once, so a canary may be looked at each minute.

Long because a limit, its bounds and what is said of them are read together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.gates.run_figures import RunFigures
from agentops_sdk.traces.figures.intervals import (
    Interval,
    difference,
    fewest_for_percentile,
    of_mean,
    of_percentile,
    of_share,
    ratio,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentops_sdk.gates.gate_rules import GateRule
    from agentops_sdk.traces.trace import Trace

__all__ = ["Check", "GateVerdict", "judge"]

_USUAL_CONFIDENCE: Final = 0.95
_RELATIVE: Final = frozenset(("cost", "latency", "tokens"))


@dataclass(frozen=True, slots=True)
class Check:
    """One limit, and whether it holds.

    Attributes:
        name: what was looked at, such as ``cost`` or ``scores.helpful``.
        limit: the limit in words.
        verdict: ``pass``, ``fail``, ``undecided`` (too few runs to be sure), or ``unknown`` (no data).
        baseline: its figure; ``None`` where there is none.
        candidate: its figure; ``None`` where there is none.
        change: of the candidate against the baseline: a share for cost, latency and tokens, else an amount.
        low: the change, or the figure, is at least this; ``None`` where nothing is known.
        high: it is at most this.
        settled: whether one can be sure that the limit holds, or is passed.
        remark: what else is to be said: what is unknown, why nothing could be judged.
        written: whether somebody wrote the rule.
    """

    name: str
    limit: str
    verdict: str
    baseline: float | None = None
    candidate: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    settled: bool = False
    remark: str = ""
    written: bool = True


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What a gate comes to.

    Attributes:
        checks: each limit.
        baseline: runs that were looked at.
        candidate: runs that were looked at.
        sequential: whether it may be looked at again and again.
        currency: of the costs.
        running: runs that are not over, and in no figure.
        not_read: what lies there and could not be read: a sentence for each.
    """

    checks: tuple[Check, ...]
    baseline: int
    candidate: int
    sequential: bool = False
    currency: str = "USD"
    running: int = 0
    not_read: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Check]:
        """The limits that are passed."""
        return [check for check in self.checks if check.verdict == "fail"]

    @property
    def code(self) -> int:
        """0 where it may go on, 1 where it may not, 2 where data is missing.

        That is where there are no runs, nothing for what somebody wrote a rule for, or files that could not be read.
        """
        if not self.baseline or not self.candidate:
            return 2
        if self.failed:
            return 1
        return 2 if self.not_read or any(check.verdict == "unknown" and check.written for check in self.checks) else 0

    @property
    def word(self) -> str:
        """``pass``, ``fail`` or ``no data``."""
        return ("pass", "fail", "no data")[self.code]

    @property
    def settled(self) -> bool:
        """Whether further runs can change nothing: something failed, or every limit holds for sure."""
        return bool(self.failed) or (self.code == 0 and all(check.settled for check in self.checks))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "verdict": self.word,
            "code": self.code,
            "runs": {"baseline": self.baseline, "candidate": self.candidate, "running": self.running},
            "sequential": self.sequential,
            "settled": self.settled,
            "currency": self.currency,
            "not_read": list(self.not_read),
            "checks": [
                {name: _plain(value) for name, value in asdict(check).items() if name != "written"}
                for check in self.checks
            ],
        }


def judge(
    baseline: Iterable[Trace], candidate: Iterable[Trace], rules: Sequence[GateRule], *, sequential: bool = False
) -> GateVerdict:
    """Ask the rules of two sets of runs.

    Args:
        baseline: what is known to be good.
        candidate: what is to be judged.
        rules: from :mod:`agentops_sdk.gates.gate_rules`.
        sequential: whether the candidate is looked at again and again while its runs come in.
    """
    a = RunFigures.of(baseline)
    b = RunFigures.of(candidate, a.currency)
    questions = [question for rule in rules for question in _questions(rule, a, b, rules)]
    by_confidence = sum(question.rule.confidence is not None or sequential for question in questions)
    checks = tuple(question.answer(max(1, by_confidence), again=sequential) for question in questions)
    return GateVerdict(checks, a.runs, b.runs, sequential, b.currency or "USD", b.running)


def _questions(rule: GateRule, a: RunFigures, b: RunFigures, rules: Sequence[GateRule]) -> Iterable[_Question]:
    limits = [key for key in ("max", "min", "max_increase", "max_decrease") if getattr(rule, key) is not None]
    own = {other.of[:1] for other in rules if other.table == rule.table and other.of}
    names: Iterable[tuple[str, ...]] = [rule.of]
    if rule.table in ("scores", "decisions") and not rule.of:
        # Which variant a run got is how sides are told apart: it is looked at where a rule names it only.
        known = {*a.scores, *b.scores} if rule.table == "scores" else {*a.choices, *b.choices} - a.variants - b.variants
        names = [(name,) for name in sorted(known) if (name,) not in own]
        if not names and rule.written and not own:
            names = [()]
    return [_Question(rule, key, of, a, b) for of in names for key in limits]


@dataclass(frozen=True, slots=True)
class _Question:
    """One limit of one figure."""

    rule: GateRule
    key: str
    of: tuple[str, ...]
    a: RunFigures
    b: RunFigures

    @property
    def _compares(self) -> bool:
        return self.key.startswith("max_")

    @property
    def _is_drift(self) -> bool:
        return self.rule.table == "decisions" and len(self.of) == 1

    def answer(self, shared_by: int, *, again: bool) -> Check:
        rule = self.rule
        confidence = rule.confidence if rule.confidence is not None else _USUAL_CONFIDENCE if again else None
        alpha = 0.5 if confidence is None else (1 - confidence) / shared_by
        if self._is_drift:
            return self._drift(confidence, alpha, again=again)
        each = 1 - (alpha / 2 if again and self._compares else alpha)
        one, two = self._interval(self.a, each, again=again), self._interval(self.b, each, again=again)
        if two is None or (self._compares and one is None):
            side = "candidate" if two is None else "baseline"
            return self._check("unknown", one, two, remark=self._unknown(side))
        if self._compares and one is not None:
            combine = ratio if rule.table in _RELATIVE else difference
            looked_at = (
                _from_nothing(one, two)
                if rule.table in _RELATIVE and one.value == 0
                else combine(one, two, again=again)
            )
        else:
            looked_at = two
        return self._judged(looked_at, one, two, confidence, self._needed(each, again=again))

    def _needed(self, confidence: float, *, again: bool) -> str:
        """How many runs a percentile takes, where a side has fewer."""
        if not self.rule.statistic.startswith("p"):
            return ""
        needed = fewest_for_percentile(float(self.rule.statistic[1:]), confidence, again=again)
        sides = {"candidate": self.b, **({"baseline": self.a} if self._compares else {})}
        few = [f"the {name} has {count}" for name, side in sides.items() if (count := len(self._values(side))) < needed]
        return f": {self.rule.statistic} takes {needed}, {' and '.join(few)}" if few else ""

    def _judged(
        self, looked_at: Interval, one: Interval | None, two: Interval, confidence: float | None, needed: str = ""
    ) -> Check:
        limit: float = getattr(self.rule, self.key)
        value, low, high = looked_at
        if self.key == "max_decrease":
            value, low, high = -value, -high, -low
        elif self.key == "min":
            value, low, high, limit = -value, -high, -low, -limit
        slack = 1e-12 * max(1.0, abs(limit))
        if confidence is None:
            passed, settled = value > limit + slack, True
        else:
            passed = low > limit + slack
            settled = passed or high <= limit + slack
        blind = confidence is not None and not passed and (low == -inf or value > limit + slack)
        verdict = "fail" if passed else "undecided" if blind else "pass"
        remark = f"too few runs to be sure{needed}" if blind else ""
        change = looked_at if self._compares else None
        return self._check(
            verdict, one, two, change, looked_at, settled, "; ".join(filter(None, (remark, self._told())))
        )

    def _check(
        self, verdict: str, one: Interval | None, two: Interval | None, change: Interval | None = None,
        bounds: Interval | None = None, settled: bool = False, remark: str = "",
    ) -> Check:  # fmt: skip
        statistic = f" {self.rule.statistic}" if self.rule.statistic else ""
        values = (part and part.value for part in (one, two, change))
        a, b, moved = (None if value is None else _number(value) for value in values)
        low, high = (None, None) if bounds is None else (_number(bounds.low), _number(bounds.high))
        name = ".".join((self.rule.table, *self.of)) + statistic
        return Check(name, self._limit_text(), verdict, a, b, moved, low, high, settled, remark, self.rule.written)

    def _limit_text(self) -> str:
        value: float = getattr(self.rule, self.key)
        as_percent = self.rule.is_share or (self.rule.table in _RELATIVE and self.key.startswith("max_"))
        shown = f"{value * 100:g} %" if as_percent else f"{value:g}"
        sure = f" at {self.rule.confidence * 100:g} % confidence" if self.rule.confidence is not None else ""
        return f"{self.key.replace('_', ' ')} {shown}{sure}"

    def _interval(self, side: RunFigures, confidence: float, *, again: bool) -> Interval | None:
        """The figure of a side; ``None`` where there is none."""
        table, rule = self.rule.table, self.rule
        if table in ("errors", "unfinished"):
            hits = side.errors if table == "errors" else side.unfinished
            return of_share(hits, side.runs, confidence, again=again) if side.runs else None
        if table == "decisions":
            choices = side.choices.get(self.of[0]) if self.of else None
            return of_share(choices[self.of[1]], choices.total(), confidence, again=again) if choices else None
        values = self._values(side)
        if not values:
            return None
        if rule.statistic.startswith("p"):
            return of_percentile(values, float(rule.statistic[1:]), confidence, again=again)
        if table == "scores" and set(values) <= {0.0, 1.0}:
            return of_share(int(sum(values)), len(values), confidence, again=again)
        return of_mean(values, confidence, again=again)

    def _values(self, side: RunFigures) -> list[float]:
        return {
            "cost": side.costs, "latency": side.latencies, "tokens": side.tokens,
            "scores": side.scores.get(self.of[0], []) if self.of else [],
        }[self.rule.table]  # fmt: skip

    def _unknown(self, side: str) -> str:
        figures = self.b if side == "candidate" else self.a
        reasons = figures.unknown.get(self.rule.table)
        if reasons:
            return f"{self.rule.table} is unknown for all runs of the {side}: {'; '.join(reasons)}"
        return f"the {side} has no {'.'.join((self.rule.table, *self.of))}"

    def _told(self) -> str:
        """Of how many runs the figure is unknown."""
        parts = []
        for name, side in (("baseline", self.a), ("candidate", self.b)):
            reasons = side.unknown.get(self.rule.table)
            if reasons:
                total = reasons.total() + len(side.costs if self.rule.table == "cost" else side.tokens)
                parts.append(f"unknown for {reasons.total()} of {total} runs of the {name} ({'; '.join(reasons)})")
        return "; ".join(parts)

    def _drift(self, confidence: float | None, alpha: float, *, again: bool) -> Check:
        """How far all shares of a decision have moved: half the sum of what each has changed by, from 0 to 1."""
        in_a, in_b = (side.choices.get(self.of[0]) for side in (self.a, self.b))
        if not in_a or not in_b:
            return self._check("unknown", None, None, remark=self._unknown("candidate" if in_a else "baseline"))
        choices = sorted({*in_a, *in_b})
        each = 1 - alpha / len(choices) / (2 if again else 1)
        moved, sure, most = 0.0, 0.0, 0.0
        for choice in choices:
            one, two = (of_share(side[choice], side.total(), each, again=again) for side in (in_a, in_b))
            moved += abs(two.value - one.value) / 2
            between = difference(one, two, again=again)
            sure = max(sure, between.low, -between.high)
            most += max(abs(between.low), abs(between.high)) / 2
        looked_at = Interval(moved, min(sure, moved), max(most, moved))
        zero = Interval(0.0, 0.0, 0.0)
        return self._judged(looked_at, zero, looked_at, confidence)


def _from_nothing(one: Interval, two: Interval) -> Interval:
    """A change from nothing at all: none, or more than any share."""
    if two.value == 0:
        return Interval(0.0, 0.0 if one.high == two.high == 0 else -inf, 0.0 if two.high == 0 else inf)
    return Interval(inf, inf if two.low > one.high else -inf, inf)


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value

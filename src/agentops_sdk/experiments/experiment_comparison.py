"""Two runs of an experiment over the same cases: which scores moved by more than chance, which cases flipped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from agentops_sdk.experiments.experiment_results import FEWEST
from agentops_sdk.traces.figures.intervals import of_mean, within
from agentops_sdk.traces.figures.paired_tests import sign_test, signed_rank, smallest_difference
from agentops_sdk.traces.figures.significance import holm

if TYPE_CHECKING:
    from agentops_sdk.experiments.experiment_results import Results

__all__ = ["ExperimentComparison", "ScoreChange"]

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One score before and after, over the cases that have it on both sides.

    Attributes:
        name: of the score, or ``seconds`` or ``cost``.
        pairs: how many cases.
        before: the mean.
        after: the mean.
        change: of the mean.
        low: the change is at least this, at 95 % confidence; ``None`` where nothing can be told.
        high: it is at most this.
        p: that the change is chance, corrected for all scores (Holm): the exact sign test for scores of 0 and 1, else
            Wilcoxon's signed-rank test.
        smallest: the smallest change that these cases would have shown four times out of five.
        better: ids of cases that got better.
        worse: ids of cases that got worse; of scores of 0 and 1, those that flipped.
        missing: cases that lack it on a side.
    """

    name: str
    pairs: int
    before: float
    after: float
    change: float
    low: float | None
    high: float | None
    p: float
    smallest: float | None
    better: tuple[str, ...]
    worse: tuple[str, ...]
    missing: int
    lower_is_better: bool

    @property
    def significant(self) -> bool:
        """Whether the change is more than chance explains."""
        return self.p < _SIGNIFICANT


@dataclass(frozen=True, slots=True)
class ExperimentComparison:
    """What :meth:`Results.compare` finds.

    Attributes:
        scores: each score, and seconds and cost.
        same_cases: whether both ran over the same version of the cases.
        only_before: ids of cases that only the baseline has.
        only_after: ids of cases that only the newer one has.
    """

    scores: tuple[ScoreChange, ...]
    same_cases: bool
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @classmethod
    def of(cls, before: Results, after: Results) -> ExperimentComparison:
        """Compare two runs, case by case."""
        old = {row.case_id: row for row in before.rows}
        new = {row.case_id: row for row in after.rows}
        both = [case_id for case_id in old if case_id in new]
        names = [name for name in after.names if name in before.names]
        found: list[tuple[str, list[tuple[str, float, float]]]] = []
        for name in names:
            values = ((case_id, old[case_id].value(name), new[case_id].value(name)) for case_id in both)
            pairs = [(case_id, a, b) for case_id, a, b in values if a is not None and b is not None]
            if pairs:
                found.append((name, pairs))
        corrected = holm([_p(pairs) for _, pairs in found])
        return cls(
            tuple(
                _change(name, pairs, p, len(both), after.is_less_better(name))
                for (name, pairs), p in zip(found, corrected, strict=True)
            ),
            before.cases == after.cases,
            tuple(case_id for case_id in old if case_id not in new),
            tuple(case_id for case_id in new if case_id not in old),
        )

    def __getitem__(self, name: str) -> ScoreChange:
        return next(change for change in self.scores if change.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "scores": [{**asdict(row), "significant": row.significant} for row in self.scores]}


def _is_binary(pairs: list[tuple[str, float, float]]) -> bool:
    return {value for _, a, b in pairs for value in (a, b)} <= {0.0, 1.0}


def _p(pairs: list[tuple[str, float, float]]) -> float:
    differences = [b - a for _, a, b in pairs]
    if _is_binary(pairs):
        return sign_test(sum(each > 0 for each in differences), sum(each < 0 for each in differences))
    return signed_rank(differences)


def _change(name: str, pairs: list[tuple[str, float, float]], p: float, both: int, less: bool) -> ScoreChange:
    differences = [b - a for _, a, b in pairs]
    interval = of_mean(differences, 0.975)
    if _is_binary(pairs):
        interval = within(interval, -1.0, 1.0)
    tells = len(pairs) >= FEWEST and len(set(differences)) > 1
    up = tuple(case_id for case_id, a, b in pairs if b > a)
    down = tuple(case_id for case_id, a, b in pairs if b < a)
    return ScoreChange(
        name, len(pairs), fmean(a for _, a, _ in pairs), fmean(b for _, _, b in pairs), interval.value,
        interval.low if tells else None, interval.high if tells else None, p,
        smallest_difference(differences), down if less else up, up if less else down, both - len(pairs), less,
    )  # fmt: skip

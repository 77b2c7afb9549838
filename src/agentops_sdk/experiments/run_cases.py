"""Cases from recorded runs: what a run was asked is the input, what it answered the expectation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.experiments.experiment_cases import Case
from agentops_sdk.traces.figures.evaluations import judged_runs
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.session import exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.trace import Trace

__all__ = ["RunCases", "cases_of_runs"]

_OWN: Final = ("trace_id", "outcome", "comments")
_STEPS: Final = frozenset(("agent", "workflow", "task", "span"))


@dataclass(slots=True)
class RunCases:
    """The cases, and how many runs made none: no input was recorded, nobody scored them, or in words only."""

    cases: list[Case] = field(default_factory=list)
    without_input: int = 0
    unscored: int = 0
    labelled: int = 0


def cases_of_runs(
    traces: Iterable[Trace], *, worst: str | None = None, most: int | None = None, expected: bool = True
) -> RunCases:
    """Make a case of each run; what a judge of an experiment was asked is none.

    Args:
        traces: the runs, and what was thought of them.
        worst: only runs that have a score of this name, the lowest first.
        most: at most so many.
        expected: whether what the run answered is what is expected.
    """
    result = RunCases()
    runs = [run for run in judged_runs(traces) if semconv.EXPERIMENT_SCORER not in run[0].root.attributes]
    if worst is not None:
        scored = [
            (value, trace, verdicts) for trace, verdicts in runs if (value := _score(verdicts, worst)) is not None
        ]
        named = sum(any(each.name == worst for each in verdicts) for _, verdicts in runs)
        result.unscored, result.labelled = len(runs) - named, named - len(scored)
        runs = [
            (trace, verdicts) for _, trace, verdicts in sorted(scored, key=lambda each: (each[0], each[1].trace_id))
        ]
    for trace, verdicts in runs:
        if most is not None and len(result.cases) >= most:
            break
        asked, answered = _asked(trace)
        if asked in (None, ""):
            result.without_input += 1
            continue
        said = {each.name: each.label if each.score is None else each.score for each in verdicts}
        comments = {each.name: each.comment for each in verdicts if each.comment}
        own = {"trace_id": trace.trace_id, "outcome": trace.outcome, **({"comments": comments} if comments else {})}
        metadata = {**own, **{f"score {name}" if name in _OWN else name: value for name, value in said.items()}}
        result.cases.append(Case(asked, (answered or None) if expected else None, trace.trace_id[:12], metadata))
    return result


def _score(verdicts: Iterable[Evaluation], name: str) -> float | None:
    values = [each.score for each in verdicts if each.name == name and each.score is not None]
    return fmean(values) if values else None


def _asked(trace: Trace) -> tuple[Any, Any]:
    """Input and output of the outermost step that recorded an input; else what models were asked and said."""
    said = exchange(trace)
    for told in _outermost_first(trace):
        asked, answered = parsed(told.get(semconv.INPUT)), parsed(told.get(semconv.OUTPUT))
        if isinstance(asked, dict) and len(asked) == 1 and semconv.EXPERIMENT_CASE not in told:
            (asked,) = asked.values()
        if asked not in (None, {}, []):
            return asked, said[1] if answered is None else answered
    return said


def _outermost_first(trace: Trace) -> Iterator[dict[str, Any]]:
    """The attributes of roots, agents, workflows and functions, level by level."""
    outline = trace.beginning.outline
    waiting = deque(outline.roots)
    while waiting:
        number = waiting.popleft()
        waiting.extend(outline.children(number))
        if outline.kind(number) in _STEPS or number in outline.roots:
            yield outline.record(number).attributes

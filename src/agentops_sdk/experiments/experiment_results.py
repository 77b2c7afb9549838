"""What came of an experiment: a result for each case, and what they come to. Kept as JSONL, one line for each case.

Long because results offer their faces here: a table, a page, lines, a comparison.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.encryption import DamagedError, SealedError, opened_line
from agentops_sdk.errors import TraceError
from agentops_sdk.experiments.scorers import Score
from agentops_sdk.private_files import open_private
from agentops_sdk.traces.figures.intervals import of_mean, of_share, within
from agentops_sdk.traces.figures.paired_tests import kappa

if TYPE_CHECKING:
    from agentops_sdk.experiments.experiment_comparison import ExperimentComparison

__all__ = ["FEWEST", "CaseResult", "Results", "load_results"]

FEWEST: Final = 3
"""Values of which an interval can be told."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case.

    Attributes:
        case_id: of the case.
        input: what the task was given; ``None`` where content is not kept.
        expected: what was expected.
        output: what the task returned.
        error: the exception that it raised, as text; ``None`` where it raised none.
        trace_id: of its trace; empty where nothing was recorded.
        seconds: that it took.
        cost: what it cost; ``None`` where nobody knows.
        unknown_cost: why nobody knows.
        currency: of the cost.
        tokens: input and output together; ``None`` where nobody knows.
        scores: by the scorers' names.
        metadata: of the case.
    """

    case_id: str
    input: Any = None
    expected: Any = None
    output: Any = None
    error: str | None = None
    trace_id: str = ""
    seconds: float = 0.0
    cost: float | None = None
    unknown_cost: str | None = None
    currency: str = "USD"
    tokens: int | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> float | None:
        """The value of a score, else of ``seconds`` or ``cost``; ``None`` where there is none."""
        if name in self.scores:
            return self.scores[name].value
        return {"seconds": self.seconds, "cost": self.cost}.get(name)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "scores": {name: _short(score) for name, score in self.scores.items()}}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> CaseResult:
        """From plain data; what a newer version added is left out."""
        known = {name: told[name] for name in cls.__slots__ if name in told}
        scores = {
            name: Score(**{key: score[key] for key in Score.__slots__ if key in score})
            for name, score in dict(known.get("scores") or {}).items()
        }
        return cls(**{**known, "scores": scores})


def _short(score: Score) -> dict[str, Any]:
    return {name: value for name, value in asdict(score).items() if value is not None and name != "currency"} | (
        {"currency": score.currency} if score.cost is not None else {}
    )


@dataclass(slots=True)
class Results:
    """The results of one run of an experiment.

    Attributes:
        name: of the experiment.
        run: which run of it.
        cases: the version of the cases, a hash of what they hold.
        count: how many cases there are.
        lower_is_better: names of scores of which less is better.
        people: for scorers that say so, the key of a case's metadata with what people said.
        rows: the results so far, in the order of the cases; read from a file, in the order in which they were over.
        path: the file that holds them; ``None`` where there is none.
    """

    name: str
    run: str
    cases: str
    count: int
    lower_is_better: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    rows: list[CaseResult] = field(default_factory=list)
    path: Path | None = None

    @property
    def complete(self) -> bool:
        """Whether every case has a result."""
        return len(self.rows) >= self.count

    @property
    def errors(self) -> list[CaseResult]:
        """Cases whose task raised."""
        return [row for row in self.rows if row.error is not None]

    @property
    def score_names(self) -> list[str]:
        """The scores that were given, each once."""
        return list(dict.fromkeys(name for row in self.rows for name in row.scores))

    @property
    def names(self) -> list[str]:
        """The scores, and ``seconds`` and ``cost`` of the cases where no score is called so."""
        return list(dict.fromkeys((*self.score_names, "seconds", "cost")))

    def is_less_better(self, name: str) -> bool:
        """Whether a smaller number is the better one."""
        return name in self.lower_is_better or (name in ("seconds", "cost") and name not in self.score_names)

    def values(self, name: str) -> list[float]:
        """The values of a score, where there is one."""
        return [value for row in self.rows if (value := row.value(name)) is not None]

    def mean(self, name: str) -> float | None:
        """The mean of a score, of ``seconds`` or of ``cost``; ``None`` where nobody gave one."""
        values = self.values(name)
        return fmean(values) if values else None

    def labels(self, name: str) -> Counter[str]:
        """How often each label was given, of a score that has no value; nothing of any other."""
        if self.values(name):
            return Counter()
        scores = (row.scores.get(name) for row in self.rows)
        return Counter(score.label for score in scores if score is not None and score.label is not None)

    def agreement(self, name: str) -> tuple[float | None, int]:
        """How far a judge agrees with people beyond chance (Cohen's kappa), and on how many cases that rests.

        Verdicts are compared as labels; numbers count as right from a half on.
        """
        key = self.people.get(name, name)
        pairs = []
        for row in self.rows:
            said, score = row.metadata.get(key), row.scores.get(name)
            if said is None or score is None or score.value is None:
                continue
            by_label = score.label is not None and isinstance(said, str)
            pairs.append((score.label if by_label else _right(score.value), said if by_label else _right(said)))
        return kappa(pairs), len(pairs)

    @property
    def judges_cost(self) -> tuple[float, int]:
        """What asking judges cost, apart from the cases, and of how many answers nobody knows it."""
        scores = [score for row in self.rows for score in row.scores.values()]
        return sum(score.cost or 0.0 for score in scores), sum(score.unknown_cost is not None for score in scores)

    def summary(self) -> list[dict[str, Any]]:
        """For each score, and for seconds and cost: the mean, its interval at 95 %, and how many are unknown.

        Of a score that is a label and no number, ``labels`` says how often each was given.

        No interval is told of fewer than three values, nor of figures that are all the same: nothing is known of their
        spread.
        """
        lines = []
        for name in self.names:
            values, labels = self.values(name), self.labels(name)
            low, high = self._bounds(name, values)
            known = len(values) or labels.total()
            line: dict[str, Any] = {
                "name": name, "mean": self.mean(name), "low": low, "high": high, "known": known,
                "unknown": len(self.rows) - known,
                "lower_is_better": self.is_less_better(name),
            }  # fmt: skip
            if labels:
                line["labels"] = dict(labels.most_common())
            if name in self.people or any(name in row.metadata for row in self.rows):
                line["kappa"], line["agreement_cases"] = self.agreement(name)
            lines.append(line)
        return lines

    def _bounds(self, name: str, values: Sequence[float]) -> tuple[float | None, float | None]:
        if len(values) < FEWEST:
            return None, None
        if set(values) <= {0.0, 1.0} and not self.is_less_better(name):
            interval = of_share(int(sum(values)), len(values), 0.975)
        elif len(set(values)) == 1:
            return None, None
        else:
            interval = of_mean(values, 0.975)
            if min(values) >= 0:
                is_score = name in self.score_names and not self.is_less_better(name)
                interval = within(interval, 0.0, 1.0 if is_score and max(values) <= 1 else inf)
        return interval.low, interval.high

    def compare(self, baseline: Results) -> ExperimentComparison:
        """These results against earlier ones of the same cases: what is more than chance, and what flipped."""
        from agentops_sdk.experiments.experiment_comparison import ExperimentComparison

        return ExperimentComparison.of(baseline, self)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        judges, unknown = self.judges_cost
        return {
            "experiment": self.name, "run": self.run, "cases": self.cases, "count": self.count,
            "complete": self.complete, "errors": len(self.errors), "summary": self.summary(),
            "judges_cost": judges, "judges_cost_unknown": unknown,
        }  # fmt: skip

    def table(self) -> str:
        """The summary as text."""
        from agentops_sdk.experiments.experiment_page import as_text

        return as_text(self)

    def html(self, path: str | os.PathLike[str], baseline: Results | None = None) -> Path:
        """Write one page that opens without a server: the summary, every case, and what changed since a baseline."""
        from agentops_sdk.experiments.experiment_page import as_html

        file = Path(path)
        with open(file, "w", encoding="utf-8", opener=open_private) as target:
            target.write(as_html(self, baseline))
        return file

    def jsonl(self, path: str | os.PathLike[str]) -> Path:
        """Write the results as JSONL, which :func:`load_results` reads."""
        file = Path(path)
        lines = [header(self), *(row.as_dict() for row in self.rows)]
        with open(file, "w", encoding="utf-8", opener=open_private) as target:
            target.writelines(map(dump, lines))
        return file

    def __str__(self) -> str:
        return self.table()


def _right(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in ("1", "true", "yes", "good", "right", "pass", "correct")
    return float(value) >= 0.5


def header(results: Results) -> dict[str, Any]:
    """The first line of a file of results."""
    return {
        "experiment": results.name, "run": results.run, "cases": results.cases, "count": results.count,
        "lower_is_better": list(results.lower_is_better), "people": dict(results.people),
    }  # fmt: skip


def dump(line: Mapping[str, Any]) -> str:
    """A line of a file of results."""
    return json.dumps(line, ensure_ascii=False, default=str) + "\n"


def load_results(path: str | os.PathLike[str]) -> Results:
    """Read a file of results, also of a run that goes on or was killed; a line that is cut off is left out.

    Raises:
        TraceError: it cannot be read, or is none.
    """
    file = Path(path)
    try:
        lines = list(_opened(file.read_bytes()))
        head = json.loads(lines[0])
        results = Results(
            str(head["experiment"]), str(head["run"]), str(head["cases"]), int(head["count"]),
            tuple(head.get("lower_is_better", ())), dict(head.get("people", {})), path=file,
        )  # fmt: skip
    except OSError as error:
        raise TraceError(f"{file} cannot be read: {error.strerror}") from None
    except SealedError as error:
        raise SealedError(f"{file} is {error}") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise TraceError(f"{file} holds no results of an experiment") from None
    latest: dict[str, CaseResult] = {}
    for told in _parsed(lines[1:]):
        row = CaseResult.of(told)
        latest[row.case_id] = row  # one that was tried again stands further down
    results.rows = list(latest.values())
    return results


def _opened(content: bytes) -> Iterator[str]:
    for line in content.split(b"\n"):  # a text may hold what else ends a line to Python
        with suppress(DamagedError):  # cut off
            yield opened_line(line).decode("utf-8", "replace")


def _parsed(lines: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and "case_id" in told:
            yield told

"""``agentops.experiment()``: every case through the task, as a trace of its own, and through the scorers.

Long because what is recorded, scored and written of a case belongs together.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import os
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Self

from opentelemetry.context import Context, attach

from agentops_sdk import semconv
from agentops_sdk._capture.call import NULL_CALL
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.privacy import is_private, made_private, private_part
from agentops_sdk._track.span_handle import Span
from agentops_sdk.encryption import sealed_line
from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.experiments.case_traces import CaseTraces
from agentops_sdk.experiments.experiment_cases import Case, cases_version, load_cases
from agentops_sdk.experiments.experiment_results import CaseResult, Results, dump, header, load_results
from agentops_sdk.experiments.scorer_calls import as_score, as_scorer, is_async, judges_failure, wanted
from agentops_sdk.experiments.scorers import Score, Scorer
from agentops_sdk.feedback import feedback
from agentops_sdk.private_files import appending
from agentops_sdk.traces.record import from_ns

__all__ = ["Experiment", "experiment"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Experiment(Results):
    """An experiment and its results. Where an event loop runs it is to be awaited; else it is over already."""

    def __init__(
        self, name: str, cases: list[Case], task: Callable[..., Any], scorers: list[Scorer], **how: Any
    ) -> None:
        self._cases = cases
        self._task = task
        self._scorers = scorers
        self._concurrency: int = how["concurrency"]
        self._resume: bool = how["resume"]
        self._traces = CaseTraces()
        self._is_private = is_private()
        self._done: asyncio.Future[None] | None = None
        self._over = False
        started = from_ns(time.time_ns())
        super().__init__(
            name,
            f"{started:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(2)}",
            cases_version(cases),
            len(cases),
            tuple(scorer.name for scorer in scorers if scorer.lower_is_better),
            {scorer.name: scorer.people for scorer in scorers if scorer.people},
        )

    def __await__(self) -> Generator[Any, None, Self]:
        if not self._over:
            if self._done is None:
                self._done = asyncio.ensure_future(self._run())
            yield from self._done.__await__()
        return self

    def __getattribute__(self, name: str) -> Any:
        if name == "rows" and not object.__getattribute__(self, "_over"):
            raise AgentOpsError("this experiment has not run yet: await it")
        return object.__getattribute__(self, name)

    async def _run(self) -> None:
        results: dict[str, CaseResult] = {}
        with self._traces.recording() as directory:
            file = self._file(directory, results)
            gate = asyncio.Semaphore(self._concurrency)
            with ThreadPoolExecutor(self._concurrency, thread_name_prefix="agentops-experiment") as pool:

                async def one(case: Case) -> None:
                    async with gate:
                        results[case.id] = await self._case(case, pool)
                    content = not self._is_private and self._traces.keeps(results[case.id].trace_id)
                    _append(file, dump(self._traces.scrubbed(_kept(results[case.id], content).as_dict())))

                waiting = [asyncio.ensure_future(one(case)) for case in self._cases if case.id not in results]
                try:
                    await asyncio.gather(*waiting)
                finally:
                    for task in waiting:
                        task.cancel()
        object.__setattr__(self, "_over", True)
        self.rows = [results[case.id] for case in self._cases]

    def _file(self, directory: Path, results: dict[str, CaseResult]) -> Path:
        """The file of this run: a new one, or that of the last run of the same cases which was not finished."""
        folder = directory / "experiments" / self.name
        if self._resume:
            for path in sorted(folder.glob("*.jsonl"), reverse=True):
                earlier = load_results(path)
                if earlier.cases != self.cases:
                    continue
                good = {row.case_id: row for row in earlier.rows if row.error is None}
                if len(good) < self.count:
                    results.update(good)
                    self.run = earlier.run
                    self.path = path
                    _append(path, "\n")  # a line that was cut off is no part of the next one
                    return path
                break
        self.path = folder / f"{self.run}.jsonl"
        self._traces.make_folder(folder)
        _append(self.path, dump(header(self)))
        return self.path

    async def _case(self, case: Case, pool: ThreadPoolExecutor) -> CaseResult:
        attributes = {
            semconv.EXPERIMENT: self.name, semconv.EXPERIMENT_RUN: self.run, semconv.EXPERIMENT_CASE: case.id,
            semconv.EXPERIMENT_CASES: self.cases,
        }  # fmt: skip
        work = functools.partial(self._traced, f"experiment {self.name}", attributes)
        began = time.perf_counter()
        output, error, trace_id = await work(self._task, (case.input,), pool)
        seconds = time.perf_counter() - began
        trace = await asyncio.get_running_loop().run_in_executor(pool, self._traces.trace, trace_id)
        facts: dict[str, Any] = {}
        if trace is not None:
            spent, usage = trace.cost, trace.usage
            facts["unknown_cost"] = "; ".join(spent.unknowns) or None
            if not spent.unknowns:
                facts |= {"cost": float(spent.amount), "currency": spent.currency}
            facts["tokens"] = None if usage.unknown else usage.total
        else:
            facts["unknown_cost"] = "nothing was recorded"
        known = {
            "input": case.input, "output": output, "expected": case.expected, "case": case, "trace": trace,
            "seconds": seconds,
        }  # fmt: skip
        scores: dict[str, Score] = {}
        for scorer in self._scorers:
            if error is not None and not judges_failure(scorer):
                scores[scorer.name] = Score(None, comment="the task failed")
            else:
                scores[scorer.name] = await self._score(scorer, known, attributes, pool)
            self._record(scorer.name, scores[scorer.name], trace_id)
        shown = None if error is None else f"{type(error).__name__}: {error}"
        return CaseResult(
            case.id, case.input, case.expected, output, shown, trace_id, seconds, scores=scores, metadata=case.metadata,
            **facts,
        )  # fmt: skip

    async def _score(self, scorer: Scorer, known: dict[str, Any], attributes: dict[str, Any], pool: Any) -> Score:
        arguments = wanted(scorer.score, known)
        if scorer.people is None and not is_async(scorer.score):
            try:  # a rule: it needs no trace of its own
                return as_score(scorer.score(**arguments))
            except Exception as error:  # noqa: BLE001 - a scorer that fails says nothing; the others go on
                return Score(None, comment=f"{type(error).__name__}: {error}")
        name = f"evaluate {self.name} {scorer.name}"
        about = {**attributes, semconv.EXPERIMENT_SCORER: scorer.name}
        said, failure, trace_id = await self._traced(
            name, about, functools.partial(scorer.score, **arguments), (), pool
        )
        if failure is not None:
            return Score(None, comment=f"{type(failure).__name__}: {failure}")
        try:
            score = as_score(said)
        except Exception as error:  # noqa: BLE001 - as of a rule
            score = Score(None, comment=f"{type(error).__name__}: {error}")
        trace = await asyncio.get_running_loop().run_in_executor(pool, self._traces.trace, trace_id)
        if trace is None or not trace.outline.calls:
            return score
        spent = trace.cost
        return Score(
            score.value, score.label, score.comment, None if spent.unknowns else float(spent.amount), spent.currency,
            "; ".join(spent.unknowns) or None,
        )  # fmt: skip

    async def _traced(
        self, name: str, attributes: dict[str, Any], work: Callable[..., Any], arguments: tuple[Any, ...], pool: Any
    ) -> tuple[Any, BaseException | None, str]:
        """What the work returns or raises, and the id of the trace in which it ran."""

        async def run() -> tuple[Any, BaseException | None, str]:
            # Of this task alone: a trace of its own, whatever is around the experiment, but for `private()`.
            attach(made_private(Context()) if self._is_private else Context())
            call: Any = NULL_CALL
            with guard("experiment.start"):
                call = start("workflow", span_name=name, attributes={**attributes, semconv.WORKFLOW_NAME: name})
            shown = Span(call)
            for value in arguments:
                shown.set_input(value)
            token = call.attach()
            try:
                if is_async(work):
                    result = await work(*arguments)
                else:
                    inside = contextvars.copy_context()
                    loop = asyncio.get_running_loop()
                    result = await loop.run_in_executor(pool, functools.partial(inside.run, work, *arguments))
                    if inspect.isawaitable(result):
                        result = await result
            except Exception as error:  # noqa: BLE001 - what came of the case
                call.detach(token)
                call.fail(error)
                return None, error, call.trace_id
            except BaseException as error:
                call.detach(token)
                call.fail(error)
                raise
            call.detach(token)
            if arguments:
                shown.set_output(result)
            call.finish()
            return result, None, call.trace_id

        return await asyncio.get_running_loop().create_task(run(), context=contextvars.Context())

    def _record(self, name: str, score: Score, trace_id: str) -> None:
        """The score stands in the trace as well, as feedback does."""
        root = self._traces.root(trace_id)
        value = score.value if score.value is not None else score.label
        if root is not None and value is not None:
            with private_part() if self._is_private else nullcontext():
                feedback(root, name=name, value=value, comment=score.comment)


def experiment(
    name: str,
    cases: str | os.PathLike[str] | Iterable[Any],
    task: Callable[[Any], Any],
    scorers: Sequence[Scorer | Callable[..., Any]] = (),
    *,
    concurrency: int = 4,
    resume: bool = False,
) -> Experiment:
    """Run a task over cases and score what comes of each.

    Each case is a trace of its own, wherever spans go; its scores stand in it as evaluation results. The results are in
    ``experiments/NAME/RUN.jsonl`` below the setting ``directory``, a line as soon as a case is over. A task that raises
    fails its case and no other. Where an event loop runs, await what this returns; else it returns when all is done.

    Args:
        name: of the experiment: letters, digits, dots, dashes, underscores.
        cases: a file (JSONL, JSON, CSV), or values: mappings with ``input``, ``expected`` and ``id``, or inputs.
        task: gets a case's input; a function (on a thread) or a coroutine function.
        scorers: from :mod:`agentops_sdk.experiments`, or functions of ``output``, ``expected``, ``input``, ``case``,
            ``trace`` and ``seconds``, as many of them as they name.
        concurrency: how many cases at once.
        resume: go on with the last run over the same cases that was not finished: what is done is not done again,
            what failed is.

    Raises:
        ConfigError: an argument cannot work.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError("name", name, "letters, digits, dots, dashes and underscores, at most 100")
    if not callable(task):
        raise ConfigError("task", task, "a function of a case's input")
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise ConfigError("concurrency", concurrency, "a whole number of at least 1")
    named = [as_scorer(scorer) for scorer in scorers]
    twice = [scorer.name for index, scorer in enumerate(named) if scorer.name in {each.name for each in named[:index]}]
    if twice:
        raise ConfigError("scorers", twice[0], "a name of its own for each scorer (name=…)")
    run = Experiment(name, load_cases(cases), task, named, concurrency=concurrency, resume=resume)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_awaited(run))
    return run


async def _awaited(run: Experiment) -> None:
    await run


def _kept(row: CaseResult, content: bool) -> CaseResult:
    """What is written: without content where that is not to be captured."""
    if content:
        return row
    scores = {
        name: Score(each.value, None, None, each.cost, each.currency, each.unknown_cost)
        for name, each in row.scores.items()
    }
    return CaseResult(
        row.case_id, None, None, None, None if row.error is None else row.error.partition(":")[0], row.trace_id,
        row.seconds, row.cost, row.unknown_cost, row.currency, row.tokens, scores,
    )  # fmt: skip


def _append(path: Path, text: str) -> None:
    line = text.encode("utf-8", "backslashreplace")
    with appending(path) as descriptor:
        os.write(descriptor, line if line.isspace() else sealed_line(line))

"""Steps as they start and end, a line each, indented below the steps above that are known."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.traces.classify import from_ns
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.display.render import error_of, style_of
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.trace import Trace
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from agentops_sdk.traces.record import SpanRecord

__all__ = ["StepLines"]

_TRACES: Final = 1_000
_SPANS: Final = 2_000
_DEEPEST: Final = 12


@dataclass(slots=True)
class _Run:
    """What is known of one trace so far. Of a long one no totals are kept."""

    parents: dict[str, str | None] = field(default_factory=dict)
    open: dict[str, SpanRecord] = field(default_factory=dict)
    ended: list[SpanRecord] = field(default_factory=list)


class StepLines:
    """Writes the lines. Bounded: of the traces it has not heard of for longest, it forgets what is above what."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self.ascii_only = ascii_only
        self._runs: OrderedDict[str, _Run] = OrderedDict()

    def started(self, record: SpanRecord) -> Text:
        """The line of a step that has begun and not ended."""
        run = self._run(record)
        run.open[record.span_id] = record
        text = self._head(record, run, record.start_ns, "> " if self.ascii_only else "→ ")
        return text.append(line(record.name), semconv.SPAN_KINDS[record.kind].style)

    def ended(self, record: SpanRecord) -> Text:
        """The line of a step that has ended; of the outermost one, with the totals of the run."""
        run = self._run(record)
        run.open.pop(record.span_id, None)
        if len(run.ended) < _SPANS:
            run.ended.append(record)
        outermost = record.parent_id is None
        text = self._head(record, run, record.end_ns, semconv.SPAN_KINDS[record.kind].marks[self.ascii_only] + " ")
        text.append(line(record.name), "bold" if outermost else semconv.SPAN_KINDS[record.kind].style)
        if chosen := record.attributes.get(semconv.DECISION_CHOSEN):
            choices = ", ".join(map(str, chosen)) if isinstance(chosen, list) else str(chosen)
            text.append(f": {line(choices, 100)}")
        text.append(f" {record.outcome}", style_of(record.outcome))
        usage, cost = self._figures(run, record)
        took = max(0, record.end_ns - record.start_ns) / 1e9
        facts = (
            number_format.duration(took, at_least=not record.ended, ascii_only=self.ascii_only),
            number_format.tokens(usage, record.kind, ascii_only=self.ascii_only) if usage is not None else "",
            number_format.cost(cost, ascii_only=self.ascii_only) if cost is not None else "",
        )
        text.append("".join(f"  {fact}" for fact in facts if fact), "dim")
        if record.outcome != "ok" and (error := error_of(record)):
            text.append(f"  {line(error, 200)}", "red")
        if outermost:
            self._runs.pop(record.trace_id, None)
        return text

    def running(self) -> Iterator[Text]:
        """A line for each step that has begun, with its age."""
        from rich.text import Text

        now = time.time_ns()
        for run in list(self._runs.values()):
            for record in list(run.open.values()):
                age = number_format.duration(max(0, now - record.start_ns) / 1e9, ascii_only=self.ascii_only)
                text = Text(f"{record.trace_id[:8]} {'  ' * self._depth(record, run)}", "dim")
                text.append(line(record.name), f"not dim {semconv.SPAN_KINDS[record.kind].style}")
                yield text.append(f" running for {age}", "yellow")

    def _run(self, record: SpanRecord) -> _Run:
        run = self._runs.get(record.trace_id)
        if run is None:
            run = self._runs[record.trace_id] = _Run()
            if len(self._runs) > _TRACES:
                self._runs.popitem(last=False)
        self._runs.move_to_end(record.trace_id)
        if len(run.parents) < 10 * _SPANS:
            run.parents[record.span_id] = record.parent_id
        return run

    def _head(self, record: SpanRecord, run: _Run, moment_ns: int, mark: str) -> Text:
        from rich.text import Text

        text = Text(f"{from_ns(moment_ns):%H:%M:%S.%f}"[:-3], "dim")
        text.append(f" {record.trace_id[:8]} ")
        return text.append("  " * self._depth(record, run) + mark)

    @staticmethod
    def _depth(record: SpanRecord, run: _Run) -> int:
        depth, above = 0, record.parent_id
        while above is not None and depth < _DEEPEST:
            depth += 1
            above = run.parents.get(above)
        return depth

    @staticmethod
    def _figures(run: _Run, record: SpanRecord) -> tuple[Usage | None, Cost | None]:
        if record.parent_id is None:
            return Trace(run.ended).sums if len(run.ended) < _SPANS else (None, None)
        return Usage.of(record.attributes), Cost.of(record.attributes)

"""What a test sees: captured runs with queries and assertions, a face over ``Trace``, where all is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk.testing.assertions.assert_calls import CallAssertions
from agentops_sdk.testing.assertions.assert_limits import LimitAssertions
from agentops_sdk.testing.assertions.assert_shape import ShapeAssertions
from agentops_sdk.testing.assertions.assert_tools import ToolAssertions
from agentops_sdk.testing.assertions.assertion_message import failure
from agentops_sdk.testing.records import Spans, as_elements
from agentops_sdk.traces.figures.background_work import BackgroundWork
from agentops_sdk.traces.record import SpanRecord
from agentops_sdk.traces.trace import Trace

if TYPE_CHECKING:
    from agentops_sdk.traces.files import Traces


class _SpanTuple(tuple[SpanRecord, ...]):
    """A trace's spans; called, they filter as :class:`Spans` do."""

    __slots__ = ()

    def __call__(self, name: str | None = None, **wanted: Any) -> Spans[SpanRecord]:
        return Spans(self)(name, **wanted)


class CapturedTrace(ToolAssertions, CallAssertions, LimitAssertions, ShapeAssertions, Trace):  # type: ignore[misc]  # lists that filter in place of plain ones
    """One run: a :class:`~agentops_sdk.traces.Trace` with assertions, and with lists that filter."""

    def __init__(self, records: Iterable[SpanRecord], *, background: BackgroundWork | None = None) -> None:
        """Build the tree; ``background`` is what is known of work in the background, also from other runs."""
        super().__init__(records, background=background)
        self.spans: _SpanTuple = _SpanTuple(self.spans)

    usage = Trace.usage
    cost = Trace.cost
    duration = Trace.duration
    __hash__ = Trace.__hash__

    @property
    def judged(self) -> Sequence[Trace]:
        """This run."""
        return (self,)


class CapturedTraces(ToolAssertions, CallAssertions, LimitAssertions, ShapeAssertions):
    """The runs that a test captured, in the order they began. Reading waits for all ended spans."""

    def __init__(self, records: Callable[[], Sequence[SpanRecord]]) -> None:
        self._records = records
        self._made: tuple[int, list[CapturedTrace]] = (0, [])

    @classmethod
    def of(cls, source: Traces | Iterable[Trace] | Iterable[SpanRecord]) -> CapturedTraces:
        """The same face over what was recorded elsewhere: ``of(agentops.traces.load("./traces"))``."""
        spans: list[SpanRecord] = []
        for item in source:
            spans += [item] if isinstance(item, SpanRecord) else item.spans
        records = as_elements(spans)
        return cls(lambda: records)

    @property
    def all(self) -> list[CapturedTrace]:
        """Every run, in the order they began."""
        records = self._records()
        if self._made[0] != len(records):
            by_trace: dict[str, list[SpanRecord]] = {}
            for record in records:
                by_trace.setdefault(record.trace_id, []).append(record)
            background = BackgroundWork.of(records)
            captured = [CapturedTrace(spans, background=background) for spans in by_trace.values()]
            self._made = len(records), sorted(captured, key=lambda trace: trace.start_ns)
        return self._made[1]

    def one(self) -> CapturedTrace:
        """The only run.

        Raises:
            AssertionError: there is none, or there are several.
        """
        __tracebackhide__ = True
        every = self.all
        if not every:
            raise failure("expected exactly one trace, nothing was captured: did the code run, and is it tracked?", ())
        if len(every) > 1:
            raise failure(f"expected exactly one trace, {len(every)} were captured", every)
        return every[0]

    @property
    def last(self) -> CapturedTrace:
        """The run that began last.

        Raises:
            AssertionError: there is none.
        """
        return self.all[-1] if self.all else self.one()

    @property
    def spans(self) -> Spans[SpanRecord]:
        """Every span of every run, in the order they started; called, it filters."""
        return self.every()

    @property
    def judged(self) -> Sequence[Trace]:
        """Every run."""
        return self.all

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[CapturedTrace]:
        return iter(self.all)

    def __getitem__(self, index: int) -> CapturedTrace:
        return self.all[index]

    def __bool__(self) -> bool:
        return bool(self._records())

    def __repr__(self) -> str:
        names = ", ".join(trace.name for trace in self.all)
        return f"<{len(self)} traces captured: {names}>" if self else "<nothing captured>"

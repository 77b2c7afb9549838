"""Runs that sampling left out: their spans are held until it is known whether one of them failed. Consumer thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

_TRACES = 10_000  # that are remembered once they are decided


class HeldRun:
    """What is known of one run that sampling left out; shared by its spans."""

    __slots__ = ("elsewhere", "kept", "over", "root", "root_gone", "thrown_away")

    def __init__(self, root: int, *, elsewhere: bool) -> None:
        self.root = root
        """Span id of its outermost span in this process."""
        self.elsewhere = elsewhere
        """Whether other processes have, or may have, a part in it: what they keep is theirs to decide."""
        self.kept = False
        self.over = False
        self.root_gone = False
        """Its outermost span has been exported or thrown away: what is missing must be told by another one."""
        self.thrown_away = 0
        """Spans that nobody will see, and no span has told of yet."""


class HeldSpan(Protocol):
    """An ended span of such a run."""

    held: HeldRun | None
    missing: int
    sampled_elsewhere: bool

    @property
    def ids(self) -> tuple[int, int]:
        """Trace id and span id."""
        ...

    @property
    def failed(self) -> bool: ...

    @property
    def outermost(self) -> bool: ...

    def forget(self) -> None:
        """Let go of all that it was told: it will not be exported."""
        ...


S = TypeVar("S", bound=HeldSpan)
V = TypeVar("V")


class HeldRuns(Generic[S]):
    """Decides on each ended span of the runs that were left out: a run of which one failed is kept, whole.

    What is held is bounded by a number of spans; beyond it the oldest go. What was thrown away of a run
    that is kept after all is told by its outermost span.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.thrown_away = 0
        self._held: OrderedDict[int, S] = OrderedDict()
        self._by_run: dict[HeldRun, dict[int, S]] = {}
        self._kept: OrderedDict[int, None] = OrderedDict()
        self._lost: OrderedDict[int, int] = OrderedDict()
        """By trace, the spans that will not be exported, which no span has told of yet."""

    def __len__(self) -> int:
        return len(self._held)

    def holds_none_of(self, spans: Iterable[S]) -> bool:
        """Whether sampling has left out none of their runs, and nothing is known to be lost: all are to be exported."""
        if self._lost:
            return False
        for span in spans:  # noqa: SIM110 - of every span that ends, and a generator's steps take longer than the question
            if span.held is not None:
                return False
        return True

    def admit(self, span: S, *, keep_errors: bool) -> list[S]:
        """The spans to go on with now that ``span`` has ended: none, itself to be exported, or it and all that waited.

        Of several, each is to be admitted anew, and exported then.
        """
        run, (trace_id, span_id) = span.held, span.ids
        if run is None:
            if self._lost and span.outermost:
                span.missing = self._lost.pop(trace_id, 0)
            return [span]
        run.over = run.over or span_id == run.root
        if keep_errors and not run.kept and (span.failed or trace_id in self._kept):
            run.kept = True
            _remember(self._kept, trace_id, None)
        if run.kept:
            if waited := self._release(run):
                return [*waited, span]
            if run.root_gone or span_id == run.root:
                span.missing = run.thrown_away + self._lost.pop(trace_id, 0)
                span.sampled_elsewhere = run.elsewhere
                run.thrown_away, run.root_gone = 0, True
            return [span]
        if keep_errors and not run.over:
            self._held[span_id] = self._by_run.setdefault(run, {})[span_id] = span
            if len(self._held) > self.most:
                self._throw_away(next(iter(self._held.values())))
            return []
        for lost in (*self._release(run), span):
            lost.forget()
            self.thrown_away += 1
            run.thrown_away += 1
        if run.over:
            run.root_gone = True
            # Another run of the same trace, below a parent elsewhere, may fail yet.
            self.lost(trace_id, run.thrown_away)
            run.thrown_away = 0
        return []

    def lost(self, trace_id: int, count: int = 1) -> None:
        """Spans of a trace will not be exported: its outermost span says so, if it is."""
        _remember(self._lost, trace_id, self._lost.get(trace_id, 0) + count)

    def close(self) -> None:
        """No more will end: what is still held is thrown away."""
        while self._held:
            self._throw_away(next(iter(self._held.values())))

    def _release(self, run: HeldRun) -> list[S]:
        spans = self._by_run.pop(run, {})
        for span_id in spans:
            del self._held[span_id]
        return list(spans.values())

    def _throw_away(self, span: S) -> None:
        run, (_, span_id) = span.held, span.ids
        assert run is not None
        del self._held[span_id], self._by_run[run][span_id]
        span.forget()
        self.thrown_away += 1
        run.thrown_away += 1


def _remember(known: OrderedDict[int, V], trace_id: int, value: V) -> None:
    known[trace_id] = value
    if len(known) > _TRACES:
        known.popitem(last=False)

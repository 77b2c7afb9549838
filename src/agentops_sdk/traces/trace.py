"""The tree over the records of one trace, and every question people ask of it.

Long because it is the public face: one class, a short member for each question, its docstring with each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, overload

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.classify import REMOTE_KNOWN, REMOTE_PARENT, from_ns
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.accounts import Counted, Share, unrecorded
from agentops_sdk.traces.figures.attribute_shape import model_in, session_in
from agentops_sdk.traces.figures.background_work import BackgroundWork
from agentops_sdk.traces.figures.columns import Columns
from agentops_sdk.traces.figures.outline import Outline
from agentops_sdk.traces.figures.span_facts import Fact
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.record import Outcome, SpanRecord

_UNSAMPLED: Final = REMOTE_KNOWN | 1
LARGE: Final = 10_000
"""Spans from which on a trace keeps no record of each; its outline answers what tables and trees ask."""
_RECENT: Final = 1_000
_WORST_FIRST: Final[tuple[Outcome, ...]] = (
    *("error", "unfinished", "interrupted", "abandoned", "cancelled", "running", "ok"),
)


class Trace:
    """One run: the tree over all records that share a trace id.

    Spans whose parent is missing are kept as further roots (see :attr:`orphans`), clocks that disagree are
    tolerated (see :meth:`skewed`), a span recorded twice counts once, and nothing here recurses: a hundred
    thousand spans, or a chain that deep, are fine. A trace never changes after it was made.
    """

    def __init__(
        self, records: Iterable[SpanRecord], *, missing: Outcome | None = None, background: BackgroundWork | None = None
    ) -> None:
        """Build the tree.

        Args:
            records: the spans of one trace, in any order.
            missing: the outcome of a run whose outermost span should be here and is not; where nothing is
                known of it, the worst of those below it is taken.
            background: what is known, also from other traces, of work in the background; that of ``records``
                when not given.

        Raises:
            TraceError: there is no record, or they belong to several traces.
        """
        columns, own = Columns(), BackgroundWork()
        ids: dict[str, None] = {}
        for record in records:
            columns.add_record(record)
            own.add(record.attributes, record.span_id, record.start_ns)
            ids[record.trace_id] = None
        if len(ids) > 1:
            raise TraceError(f"these spans belong to {len(ids)} traces: {', '.join(sorted(ids)[:3])}")
        outline = Outline(columns, range(len(columns)), (background or own).roles)
        self._begin(next(iter(ids), ""), outline, missing)

    @classmethod
    def of_outline(
        cls,
        trace_id: str,
        outline: Outline,
        *,
        missing: Outcome | None = None,
        feedback: Callable[[str | None], list[SpanRecord]] | None = None,
    ) -> Trace:
        """A trace of which no record has been made yet; ``feedback`` finds what is thought of it in other traces."""
        trace = cls.__new__(cls)
        trace._begin(trace_id, outline, missing)  # noqa: SLF001 - the other way in
        trace.elsewhere = feedback
        return trace

    def _begin(self, trace_id: str, outline: Outline, missing: Outcome | None) -> None:
        self.trace_id: str = trace_id
        self.outline: Outline = outline
        """The tree and the figures as numbers: what is to be asked of a very large trace."""
        self.is_large: bool = outline.count > LARGE
        """Whether its records are made anew each time they are asked for, because all of them take too much room."""
        self._missing: Outcome | None = missing
        self.elsewhere: Callable[[str | None], list[SpanRecord]] | None = None
        """Finds what is thought of it, or of its session, in other traces; ``None`` where nothing of the kind is."""
        self._recent: OrderedDict[int, SpanRecord] = OrderedDict()

    # --- records ----------------------------------------------------------------------------

    @cached_property
    def spans(self) -> Sequence[SpanRecord]:
        """Every span, in the order they started: a tuple, or for a very large trace records made one by one."""
        if self.is_large:
            return _Records(self)
        return tuple(map(self.record, range(self.outline.count)))

    def record(self, number: int) -> SpanRecord:
        """The span that started as the ``number``-th, counted from 0."""
        record = self._recent.get(number)
        if record is None:
            record = self._recent[number] = self.outline.record(number)
            if self.is_large and len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return record

    def _records(self, numbers: Iterable[int]) -> list[SpanRecord]:
        return list(map(self.record, numbers))

    def _number(self, span: SpanRecord) -> int:
        return self.outline.number(span.span_id)

    @property
    def beginning(self) -> Trace:
        """The trace itself, or of a very large one the first :data:`LARGE` spans, as a trace of their own."""
        return self._first_spans if self.is_large else self

    @cached_property
    def _first_spans(self) -> Trace:
        return Trace.of_outline(self.trace_id, self.outline.first_spans(LARGE), missing=self._missing)

    # --- the tree ---------------------------------------------------------------------------

    @cached_property
    def roots(self) -> tuple[SpanRecord, ...]:
        """Spans with no parent in this trace: one in a whole trace, more if records are missing."""
        return tuple(self._records(self.outline.roots))

    @property
    def root(self) -> SpanRecord:
        """The first root: the outermost operation that was recorded."""
        return self.record(self.outline.roots[0])

    def children(self, span: SpanRecord) -> list[SpanRecord]:
        """The spans directly below, in the order they started."""
        number = self.outline.find(span.span_id)
        return [] if number is None else self._records(self.outline.children(number))

    def parent(self, span: SpanRecord) -> SpanRecord | None:
        """The span directly above; None for a root, also if its parent was not recorded."""
        number = self.outline.find(span.span_id)
        above = -1 if number is None else self.outline.parents[number]
        return self.record(above) if above >= 0 else None

    def get(self, span_id: str) -> SpanRecord | None:
        """The span with this id."""
        number = self.outline.find(span_id)
        return None if number is None else self.record(number)

    def ancestors(self, span: SpanRecord) -> Iterator[SpanRecord]:
        """The spans above, nearest first."""
        number = self.outline.find(span.span_id)
        return map(self.record, () if number is None else self.outline.ancestors(number))

    def walk(self, top: SpanRecord | None = None) -> Iterator[tuple[int, SpanRecord]]:
        """Depth and span, parents before children; the whole trace, or the part from one span down."""
        stack = [(0, number) for number in reversed(self.outline.roots)]
        if top is not None:
            stack = [(0, self._number(top))]
        while stack:
            depth, number = stack.pop()
            yield depth, self.record(number)
            stack.extend((depth + 1, child) for child in reversed(self.outline.children(number)))

    @property
    def orphans(self) -> list[SpanRecord]:
        """Spans whose parent should be here and is not: not written yet, lost, or filtered out."""
        return self._records(self.outline.orphans)

    def skewed(self, span: SpanRecord) -> bool:
        """Whether the clocks disagree: it starts before its parent does, or ends before it starts."""
        return self.outline.skewed(self._number(span))

    # --- what is in it ----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The outermost operation's name."""
        return self.outline.name(self.outline.roots[0])

    def of_kind(self, *kinds: str) -> list[SpanRecord]:
        """The spans of these kinds, in the order they started."""
        return self._records(self.outline.of_kind(*kinds))

    @cached_property
    def model_calls(self) -> list[SpanRecord]:
        """Every model call once (chat and embeddings), also where a framework reported it a second time."""
        return self._records(self.outline.calls)

    @property
    def llm_calls(self) -> list[SpanRecord]:
        """Every call to a language model once, in the order they started."""
        return [span for span in self.model_calls if span.kind == "llm"]

    @property
    def tool_calls(self) -> list[SpanRecord]:
        """The tool executions, in the order they started."""
        return self.of_kind("tool")

    @property
    def agents(self) -> list[SpanRecord]:
        """The agent invocations, in the order they started."""
        return self.of_kind("agent")

    @cached_property
    def decisions(self) -> list[Decision]:
        """Every decision in the order they were made, with what followed: stated ones and those libraries reveal."""
        from agentops_sdk.traces.decisions.effects import decisions

        return decisions(self)

    @cached_property
    def choices(self) -> list[tuple[str, tuple[str, ...]]]:
        """Of every decision its name and what was chosen, in the order of :attr:`decisions`, which take longer."""
        from agentops_sdk.traces.decisions.effects import choices

        return choices(self)

    @cached_property
    def evaluations(self) -> list[Evaluation]:
        """What people and programs thought of it and of its session, in the order in which they said so."""
        from agentops_sdk.traces.figures.evaluations import evaluations_of

        elsewhere = self.elsewhere(self.session_id) if self.elsewhere is not None else []
        return evaluations_of(self, elsewhere)

    @property
    def errors(self) -> list[SpanRecord]:
        """The spans that failed, in the order they started."""
        return self._records(self.outline.errors)

    @property
    def models(self) -> list[str]:
        """The models that answered, each once, in the order of their first call."""
        return self.outline.models

    @property
    def session_id(self) -> str | None:
        """The first session or conversation that a span names."""
        first = next(self.outline.having(Fact.SESSION), None)
        return None if first is None else session_in(self.outline.told(first))

    @property
    def user_id(self) -> str | None:
        """The first user that a span names."""
        columns = self.outline.columns
        users = (columns.words(row).get(semconv.USER_ID) for row in sorted(columns.different(self.outline.rows)))
        return next((str(user) for user in users if user), None)

    # --- totals -----------------------------------------------------------------------------

    def repeats(self, span: SpanRecord) -> bool:
        """Whether the span only read again what another span has told: a reply, a batch or a run that was over."""
        roles = self.outline.roles
        return bool(roles) and roles.get(self._number(span)) == "repeats"

    def share(self, span: SpanRecord) -> Share:
        """What the span itself adds to every total it lies in."""
        number, outline = self._number(span), self.outline
        return Share(bool(outline.shares[number] & Counted.CALL), outline.usage(number), outline.cost(number))

    @cached_property
    def _totals(self) -> dict[int, tuple[Usage, Cost]]:
        """By number, its own share and all below; only where there is any. One pass from the leaves up."""
        outline = self.outline
        return outline.totals(range(outline.count)) if not self.is_large else {}

    def _total(self, number: int) -> tuple[Usage, Cost]:
        return self.outline.total(number) if self.is_large else self._totals[number]

    @cached_property
    def sums(self) -> tuple[Usage, Cost]:
        """:attr:`usage` and :attr:`cost`; not to be changed."""
        (usage, cost), more = self.outline.total(), self.unrecorded
        return (usage if more.usage is None else usage + more.usage), (cost if more.cost is None else cost + more.cost)

    @property
    def usage(self) -> Usage:
        """All tokens, every call counted once; a lower bound while it runs, or if something is unknown."""
        return self.sums[0].copy()

    @property
    def cost(self) -> Cost:
        """All money, every call counted once; a lower bound while it runs, or if something is unknown."""
        return self.sums[1].copy()

    @cached_property
    def unrecorded(self) -> Share:
        """What comes on top of all spans: nothing, unless the outermost one should be here and is not."""
        return unrecorded(self._missing) if self._missing is not None and self._lost_root else Share()

    def usage_below(self, span: SpanRecord) -> Usage:
        """The tokens of a span and all below it."""
        return self._total(self._number(span))[0].copy()

    def cost_below(self, span: SpanRecord) -> Cost:
        """The money of a span and all below it."""
        return self._total(self._number(span))[1].copy()

    # --- when and how -----------------------------------------------------------------------

    @cached_property
    def start_ns(self) -> int:
        """When the first span started, nanoseconds since the epoch."""
        return self.outline.start(0)

    @cached_property
    def end_ns(self) -> int:
        """When the last span ended, nanoseconds since the epoch."""
        return self.outline.end_ns

    @property
    def start(self) -> datetime:
        """When the first span started, in UTC."""
        return from_ns(self.start_ns)

    @property
    def end(self) -> datetime:
        """When the last span ended, in UTC."""
        return from_ns(self.end_ns)

    @property
    def duration(self) -> float:
        """Seconds from the first start to the last end; of a run that has not ended, its age so far."""
        return (self.outline.end_ns - self.start_ns) / 1e9

    @cached_property
    def open(self) -> list[SpanRecord]:
        """The spans that have not ended, in the order they started: ``running`` or ``unfinished``."""
        return self._records(self.outline.open)

    @cached_property
    def complete(self) -> bool:
        """Whether all of it is here: the outermost span was recorded and every span has ended."""
        elsewhere = next(self.outline.having(Fact.ELSEWHERE), None) is not None
        return self._has_root and not self.outline.open and not self.missing_spans and not elsewhere

    @cached_property
    def missing_spans(self) -> int:
        """How many of its spans are known not to have been kept."""
        return sum(self.outline.told(number)[semconv.MISSING_SPANS] for number in self.outline.having(Fact.MISSING))

    @cached_property
    def _has_root(self) -> bool:
        first = self.outline.roots[0]
        return not self.outline.fact(first, Fact.PARENT) or self.outline.fact(first, Fact.REMOTE)

    @property
    def _lost_root(self) -> bool:
        """Whether the outermost span was in the process that wrote the others, for certain, and is not here."""
        first, fact = self.outline.roots[0], self.outline.fact
        return not self._has_root and not fact(first, Fact.ABSENT) and fact(first, Fact.KNOWN)

    @cached_property
    def outcome(self) -> Outcome:
        """How the outermost operation ended: ``running`` while it has not, ``unfinished`` if its process is gone.

        Where it was not recorded, the worst of those below it.
        """
        if self._has_root:
            return self.outline.outcome(self.outline.roots[0])
        if self._missing is not None and self._lost_root:
            return self._missing
        return min(map(self.outline.outcome, self.outline.roots), key=_WORST_FIRST.index)

    def tree(self, *, width: int = 100, messages: bool = False, whole: bool = True) -> str:
        """The trace as readable text without colours, as ``agentops show --all`` prints it.

        Args:
            width: cells per line.
            messages: whether to show what was said, too.
            whole: whether to show all of a trace with more than a thousand spans.
        """
        from agentops_sdk.traces.display.render import text

        return text(self, width=width, messages=messages, whole=whole)

    def __len__(self) -> int:
        return self.outline.count

    def __iter__(self) -> Iterator[SpanRecord]:
        return iter(self.spans)

    def _repr_html_(self) -> str:
        from agentops_sdk.traces.display.notebook import of_trace

        return of_trace(self)

    def __repr__(self) -> str:
        return f"<Trace {self.trace_id} {self.name!r} {len(self)} spans {self.outcome}>"


def has_remote_parent(span: SpanRecord) -> bool:
    """Whether the span says that its parent is in another process."""
    return span.flags & REMOTE_PARENT == REMOTE_PARENT


def has_absent_parent(span: SpanRecord) -> bool:
    """Whether the span says why its parent is not here: it is in another process, or sampling left the run out."""
    return has_remote_parent(span) or span.flags & _UNSAMPLED == REMOTE_KNOWN


def model_of(span: SpanRecord) -> str | None:
    """The model that answered, or else the one that was asked for."""
    return model_in(span.attributes)


def session_of(span: SpanRecord) -> str | None:
    """The session a span belongs to, or else the conversation."""
    return session_in(span.attributes)


class _Records(Sequence["SpanRecord"]):
    """The records of a large trace, made when they are asked for."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __len__(self) -> int:
        return self._trace.outline.count

    @overload
    def __getitem__(self, key: int) -> SpanRecord: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[SpanRecord]: ...
    def __getitem__(self, key: int | slice) -> SpanRecord | Sequence[SpanRecord]:
        if isinstance(key, slice):
            return [self._trace.record(number) for number in range(*key.indices(len(self)))]
        return self._trace.record(range(len(self))[key])

    def __iter__(self) -> Iterator[SpanRecord]:
        return map(self._trace.outline.record, range(len(self)))


__all__ = ["LARGE", "Trace", "has_absent_parent", "has_remote_parent", "model_of", "session_of"]

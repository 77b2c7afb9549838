"""The tree over the records of one trace, and every question people ask of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.background_work import BackgroundWork
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.counting import Share, shares, totals, unrecorded
from agentops_sdk.traces.derive import REMOTE_KNOWN, REMOTE_PARENT, from_ns
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from agentops_sdk.traces.decision import Decision
    from agentops_sdk.traces.record import Outcome, SpanRecord

_UNSAMPLED: Final = REMOTE_KNOWN | 1
SKEW_NS: Final = 1_000_000
"""A child may start this much before its parent (clock resolution) before it counts as skewed."""
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
        self._missing: Outcome | None = missing
        self._background = background
        self._by_id: dict[str, SpanRecord] = {}
        for record in records:
            known = self._by_id.get(record.span_id)
            # The line of its end takes the place of those that were written while a span was open.
            if known is None or (known.ended, known.end_ns) < (record.ended, record.end_ns):
                self._by_id[record.span_id] = record
        if not self._by_id:
            raise TraceError("a trace needs at least one span")
        self._outlive_children()
        spans = sorted(self._by_id.values(), key=lambda span: (span.start_ns, span.span_id))
        ids = {span.trace_id for span in spans}
        if len(ids) > 1:
            raise TraceError(f"these spans belong to {len(ids)} traces: {', '.join(sorted(ids)[:3])}")
        self.trace_id: str = ids.pop()
        self.spans: tuple[SpanRecord, ...] = tuple(spans)
        """Every span, in the order they started."""
        self._children: dict[str, list[SpanRecord]] = {}
        tops = []
        for span in spans:
            if span.parent_id is None or span.parent_id not in self._by_id:
                tops.append(span)
            else:
                self._children.setdefault(span.parent_id, []).append(span)
        self._cut: set[str] = set()  # spans whose parent link would close a circle
        self._break_circles(tops)
        # A span that says it has no parent goes before those whose parent is missing.
        tops.sort(key=lambda span: (span.parent_id is not None, span.start_ns, span.span_id))
        self.roots: tuple[SpanRecord, ...] = tuple(tops)
        """Spans with no parent in this trace: one in a whole trace, more if records are missing."""

    def _outlive_children(self) -> None:
        """What never finished was alive at least until the last end below it."""
        if not any(span.outcome == "unfinished" for span in self._by_id.values()):
            return
        for span in list(self._by_id.values()):
            above = self._by_id.get(span.parent_id or "")
            while above is not None and above.outcome == "unfinished" and above.end_ns < span.end_ns:
                update = {"end_ns": span.end_ns, "end": from_ns(span.end_ns)}
                self._by_id[above.span_id] = above.model_copy(update=update)
                above = self._by_id.get(above.parent_id or "")

    def _break_circles(self, tops: list[SpanRecord]) -> None:
        reached: set[str] = set()
        for top in tops:
            self._reach(top, reached)
        for span in self.spans:  # only broken writers get here: the earliest of a circle becomes a root
            if span.span_id not in reached:
                self._children[str(span.parent_id)].remove(span)
                self._cut.add(span.span_id)
                tops.append(span)
                self._reach(span, reached)

    def _reach(self, top: SpanRecord, reached: set[str]) -> None:
        stack = [top]
        while stack:
            span = stack.pop()
            if span.span_id not in reached:
                reached.add(span.span_id)
                stack.extend(self._children.get(span.span_id, ()))

    # --- the tree ---------------------------------------------------------------------------

    @property
    def root(self) -> SpanRecord:
        """The first root: the outermost operation that was recorded."""
        return self.roots[0]

    def children(self, span: SpanRecord) -> list[SpanRecord]:
        """The spans directly below, in the order they started."""
        return list(self._children.get(span.span_id, ()))

    def parent(self, span: SpanRecord) -> SpanRecord | None:
        """The span directly above; None for a root, also if its parent was not recorded."""
        if span.parent_id is None or span.span_id in self._cut:
            return None
        return self._by_id.get(span.parent_id)

    def get(self, span_id: str) -> SpanRecord | None:
        """The span with this id."""
        return self._by_id.get(span_id)

    def ancestors(self, span: SpanRecord) -> Iterator[SpanRecord]:
        """The spans above, nearest first."""
        above = self.parent(span)
        while above is not None:
            yield above
            above = self.parent(above)

    def walk(self, top: SpanRecord | None = None) -> Iterator[tuple[int, SpanRecord]]:
        """Depth and span, parents before children; the whole trace, or the part from one span down."""
        stack = [(0, span) for span in ((top,) if top is not None else reversed(self.roots))]
        while stack:
            depth, span = stack.pop()
            yield depth, span
            stack.extend((depth + 1, child) for child in reversed(self._children.get(span.span_id, ())))

    @property
    def orphans(self) -> list[SpanRecord]:
        """Spans whose parent should be here and is not: not written yet, lost, or filtered out."""
        return [span for span in self.roots if span.parent_id is not None and not has_absent_parent(span)]

    def skewed(self, span: SpanRecord) -> bool:
        """Whether the clocks disagree: it starts before its parent does, or ends before it starts."""
        if span.end_ns < span.start_ns:
            return True
        above = self.parent(span)
        return above is not None and span.start_ns < above.start_ns - SKEW_NS

    # --- what is in it ----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The outermost operation's name."""
        return self.root.name

    def of_kind(self, *kinds: str) -> list[SpanRecord]:
        """The spans of these kinds, in the order they started."""
        return [span for span in self.spans if span.kind in kinds]

    @cached_property
    def model_calls(self) -> list[SpanRecord]:
        """Every model call once (chat and embeddings), also where a framework reported it a second time."""
        return [span for span in self.spans if self.share(span).call]

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
        from agentops_sdk.traces.consequence import decisions

        return decisions(self)

    @property
    def errors(self) -> list[SpanRecord]:
        """The spans that failed, in the order they started."""
        return [span for span in self.spans if span.outcome == "error"]

    @property
    def models(self) -> list[str]:
        """The models that answered, each once, in the order of their first call."""
        return list(dict.fromkeys(name for span in self.model_calls if (name := model_of(span)) is not None))

    @property
    def session_id(self) -> str | None:
        """The first session or conversation that a span names."""
        return next((found for span in self.spans if (found := session_of(span)) is not None), None)

    # --- totals -----------------------------------------------------------------------------

    @cached_property
    def _shares(self) -> dict[str, Share]:
        return shares((span for _, span in reversed(list(self.walk()))), self.parent, self._work.role)

    @cached_property
    def _work(self) -> BackgroundWork:
        return self._background or BackgroundWork.of(self.spans)

    def repeats(self, span: SpanRecord) -> bool:
        """Whether the span only read again what another span has told: a reply, a batch or a run that was over."""
        return self._work.role(span.span_id) == "repeats"

    def share(self, span: SpanRecord) -> Share:
        """What the span itself adds to every total it lies in."""
        return self._shares[span.span_id]

    @cached_property
    def _totals(self) -> tuple[dict[str, Usage], dict[str, Cost]]:
        """Per span, its own share and all below; only where there is any. One pass from the leaves up."""
        return totals((span for _, span in reversed(list(self.walk()))), self.parent, self._shares)

    @property
    def usage(self) -> Usage:
        """All tokens, every call counted once; a lower bound while it runs, or if something is unknown."""
        usage = sum((self.usage_below(root) for root in self.roots), Usage())
        return usage + self.unrecorded.usage if self.unrecorded.usage is not None else usage

    @property
    def cost(self) -> Cost:
        """All money, every call counted once; a lower bound while it runs, or if something is unknown."""
        cost = Cost.sum(self.cost_below(root) for root in self.roots)
        return cost + self.unrecorded.cost if self.unrecorded.cost is not None else cost

    @cached_property
    def unrecorded(self) -> Share:
        """What comes on top of all spans: nothing, unless the outermost one should be here and is not."""
        return unrecorded(self._missing) if self._missing is not None and self._lost_root else Share()

    def usage_below(self, span: SpanRecord) -> Usage:
        """The tokens of a span and all below it."""
        return Usage() + self._totals[0].get(span.span_id, Usage())

    def cost_below(self, span: SpanRecord) -> Cost:
        """The money of a span and all below it."""
        return Cost.nothing() + self._totals[1].get(span.span_id, Cost.nothing())

    # --- when and how -----------------------------------------------------------------------

    @property
    def start_ns(self) -> int:
        """When the first span started, nanoseconds since the epoch."""
        return self.spans[0].start_ns

    @cached_property
    def end_ns(self) -> int:
        """When the last span ended, nanoseconds since the epoch."""
        return max(max(span.end_ns, span.start_ns) for span in self.spans)

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
        return (self.end_ns - self.start_ns) / 1e9

    @cached_property
    def open(self) -> list[SpanRecord]:
        """The spans that have not ended, in the order they started: ``running`` or ``unfinished``."""
        return [span for span in self.spans if not span.ended]

    @cached_property
    def complete(self) -> bool:
        """Whether all of it is here: the outermost span was recorded and every span has ended."""
        elsewhere = any(span.attributes.get(semconv.SAMPLED_ELSEWHERE) is True for span in self.spans)
        return self._has_root and not self.open and not self.missing_spans and not elsewhere

    @cached_property
    def missing_spans(self) -> int:
        """How many of its spans are known not to have been kept."""
        counts = (span.attributes.get(semconv.MISSING_SPANS) for span in self.spans)
        return sum(count for count in counts if type(count) is int)

    @property
    def _has_root(self) -> bool:
        return self.root.parent_id is None or has_remote_parent(self.root)

    @property
    def _lost_root(self) -> bool:
        """Whether the outermost span was in the process that wrote the others, for certain, and is not here."""
        return not self._has_root and not has_absent_parent(self.root) and bool(self.root.flags & REMOTE_KNOWN)

    @property
    def outcome(self) -> Outcome:
        """How the outermost operation ended: ``running`` while it has not, ``unfinished`` if its process is gone.

        Where it was not recorded, the worst of those below it.
        """
        if self._has_root:
            return self.root.outcome
        if self._missing is not None and self._lost_root:
            return self._missing
        found = {span.outcome for span in self.roots}
        return next(outcome for outcome in _WORST_FIRST if outcome in found)

    def tree(self, *, width: int = 100, messages: bool = False) -> str:
        """The trace as readable text without colours, as ``agentops show`` prints it."""
        from agentops_sdk.traces.render import text

        return text(self, width=width, messages=messages)

    def __len__(self) -> int:
        return len(self.spans)

    def __iter__(self) -> Iterator[SpanRecord]:
        return iter(self.spans)

    def _repr_html_(self) -> str:
        from agentops_sdk.traces.notebook import of_trace

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
    name = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(semconv.REQUEST_MODEL)
    return str(name) if name else None


def session_of(span: SpanRecord) -> str | None:
    """The session a span belongs to, or else the conversation."""
    found = span.attributes.get(semconv.SESSION_ID) or span.attributes.get(semconv.CONVERSATION_ID)
    return str(found) if found else None


__all__ = ["Trace", "has_remote_parent", "model_of", "session_of"]

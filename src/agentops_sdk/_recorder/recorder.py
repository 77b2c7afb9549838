"""Room 3: makes spans (ids, parentage, sampling). For programs without a provider of their own.

Long because a span, and the recorder that begins and ends it, share the layout that makes them cheap.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agentops_sdk import semconv
from agentops_sdk._propagation import context_keys, privacy
from agentops_sdk._recorder.tail_sampling import HeldRun
from agentops_sdk._recorder_port import Deferred
from agentops_sdk._scrub.private_form import attributes_of, event_name_of, is_kept
from agentops_sdk.config import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk._capture.call import Call
    from agentops_sdk._pipeline.queue import SpanQueue

_SAMPLED, _UNSAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
UNSET = Status(StatusCode.UNSET)
_MAX_EVENTS = 1_000
_MOST_APART_NS = 1_000_000_000


def ticks_of(clock: Callable[[], int]) -> Callable[[], int]:
    """A clock that never says the same twice: what starts next has a later start where ``clock`` is coarse, too."""
    looks = [clock() for _ in range(8)]
    if all(one < another for one, another in pairwise(looks)):
        return clock  # it goes on between two looks, and nothing is as short as that
    last = 0

    def tick() -> int:
        nonlocal last
        last = max(clock(), last + 1)
        return last

    return tick


# Where times and ids come from; a test may put something repeatable in their place.
now_ns: Callable[[], int] = time.time_ns
ticks_ns: Callable[[], int] = ticks_of(time.perf_counter_ns)
random_bits: Callable[[int], int] = random.getrandbits

_new: Any = tuple.__new__
NO_STATE = SpanContext(1, 1, False).trace_state
_is_laid_out = tuple(SpanContext(1, 2, False, _SAMPLED)) == (1, 2, False, _SAMPLED, NO_STATE, True)
"""Whether a span's context is the tuple that it has always been: made as one, it does not look whether ids fit."""


class LeanSpan(trace.Span):
    """A span of our own: plain fields while it lives; made into a ReadableSpan on the consumer thread."""

    is_otel = True
    completed: ReadableSpan | None = None
    """What it was made into before it was known whether it is kept."""
    measured = False
    """Whether metrics have it."""
    event_content: Mapping[str, Any] = {}
    """Content that stands on events and not on the span."""
    missing = 0
    """Spans of its run that are known not to be exported."""
    sampled_elsewhere = False
    """Whether further spans may have been thrown away in other processes."""
    held: HeldRun | None = None
    """Where sampling has left its run out: what is kept until it is known whether the run failed."""
    # What few spans have is set on those alone: each attribute that is set takes its time on the user's thread.
    links: Sequence[trace.Link] = ()
    deferred: list[Deferred] | tuple[()] = ()
    events: list[tuple[str, int, Any]] | tuple[()] = ()
    account: Deferred | None = None
    dropped_events = 0
    status = UNSET
    clock_offset = 0
    end_ns = 0

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        context: SpanContext,
        parent: SpanContext | None,
        links: Sequence[trace.Link],
        start_ns: int | None,
        held: HeldRun | None = None,
        above: LeanSpan | None = None,
    ) -> None:
        self._recorder: Recorder | None = recorder
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.context = context
        self.parent = parent
        if links:
            self.links = list(links)
        if held is not None:
            self.held = held
        if start_ns is None:
            # The moment of now by the clock of the span above, so that the spans of one trace keep their order. That
            # clock is the wall's as the trace began, and goes on with the monotonic one: a wall clock that is set back
            # makes no duration negative and puts no span before an earlier one. Where it has been set far, or the
            # machine has slept, the wall's is taken anew.
            now, tick = now_ns(), ticks_ns()
            offset = now - tick
            if above is not None and above.clock_offset and abs(above.clock_offset - offset) < _MOST_APART_NS:
                offset = above.clock_offset
            self.clock_offset = offset
            start_ns = tick + offset
        self.start_ns = start_ns

    @property
    def otel(self) -> trace.Span:
        return self

    @property
    def kept(self) -> bool:
        """Whether it will be exported, as far as is known."""
        return self.held is None or self.held.kept

    @property
    def failed(self) -> bool:
        return self.status.status_code is StatusCode.ERROR

    @property
    def ids(self) -> tuple[int, int]:
        """Trace id and span id."""
        return self.context.trace_id, self.context.span_id

    @property
    def outermost(self) -> bool:
        """Whether nothing above it in this process will be exported."""
        return self.parent is None or self.parent.is_remote

    def event_list(self) -> list[tuple[str, int, Any]]:
        """Its events, to add to. Most spans have none, and no list, which Python's collector would look at, too."""
        events: list[tuple[str, int, Any]] = self.__dict__.setdefault("events", [])  # the same for all threads
        return events

    def forget(self) -> None:
        """Keep the identity and let go of all that it was told: contexts outlive what ran in them."""
        self.attributes, self.events, self.links, self.deferred = {}, [], (), ()
        self.account = None
        self.completed = None
        if self.status is not UNSET and self.status.description is not None:
            self.status = Status(self.status.status_code)

    def finish(self, *, error: bool, message: str | None, end_ns: int | None = None) -> None:
        """End it with the status that room 2 found."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if error:
            self.status = Status(StatusCode.ERROR, message)
        now = self.clock_offset + ticks_ns() if self.clock_offset else now_ns()
        self.end_ns = end_ns if end_ns is not None else now
        recorder.open.pop(self.context[1], None)  # its span id: a tuple that is asked by place takes no call
        recorder.queue.put(self)

    # --- OpenTelemetry's Span: what other people's code may call on the current span ------------

    @property
    def _hides_here(self) -> bool:
        """Whether it is public, and what runs here is not."""
        return privacy.is_private() and semconv.PRIVATE not in self.attributes

    def end(self, end_time: int | None = None) -> None:
        self.finish(error=False, message=None, end_ns=end_time)

    def disown(self) -> None:
        """Never record the end: in a forked child, where the parent process ends it."""
        self._recorder = None

    def get_span_context(self) -> SpanContext:
        return self.context

    def set_attributes(self, attributes: Any) -> None:
        if self._recorder is not None:
            self.attributes.update(attributes_of(attributes) if privacy.used and self._hides_here else attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        if self._recorder is not None and not (privacy.used and self._hides_here and not is_kept(key)):
            self.attributes[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if self._recorder is None:
            return
        if len(self.events) >= _MAX_EVENTS:
            self.dropped_events += 1
            return
        if privacy.used and self._hides_here:
            name, attributes = event_name_of(name), _hidden(attributes)
        self.event_list().append((name, timestamp if timestamp is not None else now_ns(), attributes or {}))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        if self._recorder is not None:
            hidden = privacy.used and self._hides_here
            link = trace.Link(context, attributes_of(attributes or {}) if hidden else attributes)
            self.links = [*self.links, link]

    def update_name(self, name: str) -> None:
        if self._recorder is not None and not (privacy.used and self._hides_here):
            self.name = name

    def is_recording(self) -> bool:
        return self._recorder is not None

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if self._recorder is not None:
            self.status = status if isinstance(status, Status) else Status(status, description)
            if privacy.used and self._hides_here:
                self.status = Status(self.status.status_code)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        from agentops_sdk._capture.exception_record import Failure

        failure, extra = Failure(exception), dict(attributes or {})
        self.add_event("exception", lambda: {**failure.attributes(), **extra}, timestamp)


def _hidden(attributes: Any) -> Any:
    """What is left of an event's attributes, or of those that a function gives later."""
    return (lambda: attributes_of(attributes())) if callable(attributes) else attributes_of(attributes or {})


class Recorder:
    """Starts spans below whatever is current, keeps count of the open ones, hands the ended ones on."""

    enabled = True

    def __init__(self, settings: Settings, queue: SpanQueue) -> None:
        self.settings = settings
        self.queue = queue
        self.open: dict[int, LeanSpan] = {}

    def start(
        self,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        parent: Context,
        links: Sequence[trace.Link],
        start_ns: int | None,
    ) -> LeanSpan | None:
        if privacy.everything:
            attributes[semconv.PRIVATE] = True
        current: Any = parent.get(context_keys.SPAN_KEY) if parent else None
        if current is not None and type(current) is not LeanSpan:
            current = trace.get_current_span(parent)
        origin: SpanContext | None
        above: SpanContext | None
        held: HeldRun | None
        parent_span: LeanSpan | None = None
        if current is None or current is trace.INVALID_SPAN:
            origin = above = held = None
        elif type(current) is LeanSpan:
            parent_span = current
            origin = above = current.context
            held = current.held
        else:
            origin, above, held = self._below_foreign(current, parent)
            if origin is not None and (above is None or above.span_id != origin.span_id):
                links = [*links, link_to_parent(origin)]
        if origin is not None:
            trace_id, flags, state = origin[0], origin[3], origin[4]  # by name, each answer takes a call
            if parent_span is None and origin.is_remote and not self.settings.parent_based:
                flags = _SAMPLED if in_sample(trace_id, self.settings.sample_ratio) else _UNSAMPLED
        else:
            trace_id, state = random_bits(128) or 1, NO_STATE
            ratio = self.settings.sample_ratio
            flags = _SAMPLED if ratio >= 1.0 or in_sample(trace_id, ratio) else _UNSAMPLED
        span_id = random_bits(64) or 1
        if held is None and not flags & 1:
            held = HeldRun(span_id, elsewhere=above is not None)
        context: SpanContext
        if _is_laid_out:
            context = _new(SpanContext, (trace_id, span_id, False, flags, state, True))
        else:
            context = SpanContext(trace_id, span_id, False, flags, state)
        span = LeanSpan(self, name, kind, attributes, context, above, links, start_ns, held, parent_span)
        self.open[span_id] = span
        if self.queue.asleep and held is None:
            self.queue.wake()
        return span

    def _below_foreign(
        self, current: trace.Span, parent: Context
    ) -> tuple[SpanContext | None, SpanContext | None, HeldRun | None]:
        """Below a span that is not ours: what the trace goes on from, the parent of ours, and what is held of its run.

        Our sinks hold our spans only: the parent is the nearest ancestor that is ours, or that is in another process.
        """
        origin = current.get_span_context()
        if not origin.is_valid:
            return None, None, None
        if origin.is_remote:
            return origin, origin, None
        if (ours := self.open.get(origin.span_id)) is not None:
            return origin, ours.context, ours.held  # one of ours, told by its ids
        if (ancestor := own_ancestor(parent, origin)) is not None:
            return origin, *ancestor
        if (elsewhere := span_elsewhere(current)) is not None:
            return origin, elsewhere, None
        # Its context was made without ours: one step up is all that it tells.
        above: SpanContext | None = getattr(current, "parent", None)
        if above is None or above.is_remote:
            return origin, above, None
        ours = self.open.get(above.span_id)
        return (origin, ours.context, ours.held) if ours is not None else (origin, None, None)

    def settle(self, timeout: float) -> None:
        self.queue.flush(timeout)

    def interrupt_open(self) -> None:
        """Recording stops: what is still open ends here, as ``interrupted``, so that none is lost unseen."""
        for span in reversed(list(self.open.values())):  # the innermost first
            # A copy is handed on: the operation itself may still be setting attributes on its span.
            ending = copy.copy(span)
            span.disown()
            ending.attributes = {**ending.attributes, semconv.OUTCOME: "interrupted"}
            ending.events = list(span.events)
            ending.end()

    def pass_on(self) -> None:
        """The process forks: a child may go on with what is open."""
        for span in list(self.open.values()):
            if span.held is not None:
                span.held.elsewhere = True

    def forget_open(self) -> None:
        """In a forked child: what was open belongs to the parent process, which will end it."""
        for span in list(self.open.values()):
            span.disown()
            span.held = None  # what is held of its run is the parent process's, too
        self.open.clear()


def in_sample(trace_id: int, ratio: float) -> bool:
    """Whether a trace is among the share that is kept: the same ids as OpenTelemetry's TraceIdRatioBased keeps."""
    return ratio >= 1.0 or (trace_id & 0xFFFF_FFFF_FFFF_FFFF) < round(ratio * 2**64)


def link_to_parent(context: SpanContext) -> trace.Link:
    """A link to a span's own parent, which is somebody else's: our files hold nothing of it."""
    return trace.Link(context, {semconv.LINK_TYPE: "parent"})


def span_elsewhere(current: trace.Span) -> SpanContext | None:
    """The context of a span that is known by its ids alone and was recorded: it is, or was, in another process.

    Many programs carry a trace on by hand and do not say that it comes from elsewhere.
    """
    context = current.get_span_context()
    if type(current) is not trace.NonRecordingSpan or not context.trace_flags & 1:
        return None
    return SpanContext(context.trace_id, context.span_id, True, context.trace_flags, context.trace_state)


def own_ancestor(parent: Context, origin: SpanContext) -> tuple[SpanContext, HeldRun | None] | None:
    """The nearest call of ours around ``origin``, a span that is current in ``parent``, and what is held of its run."""
    call: Call | None = parent.get(context_keys.CALL_KEY)  # type: ignore[assignment]  # a context's values are objects
    if call is None:
        return None
    context = call.span.otel.get_span_context()
    return (context, getattr(call.span, "held", None)) if context.trace_id == origin.trace_id else None

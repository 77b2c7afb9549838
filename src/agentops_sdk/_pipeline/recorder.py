"""Room 3: makes spans (ids, parentage, sampling). The only module that knows a lean span from a joined one."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agentops_sdk import semconv
from agentops_sdk._capture.recording import Deferred
from agentops_sdk.config import Settings

_SAMPLED, _UNSAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
_MAX_EVENTS = 1_000

# Where times and ids come from; a test may put something repeatable in their place.
now_ns: Callable[[], int] = time.time_ns
ticks_ns: Callable[[], int] = time.perf_counter_ns
random_bits: Callable[[int], int] = random.getrandbits


class LeanSpan(trace.Span):
    """A span of our own: plain fields while it lives; made into a ReadableSpan on the consumer thread."""

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
    ) -> None:
        self._recorder: Recorder | None = recorder
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.context = context
        self.parent = parent
        self.links = list(links)
        self.events: list[tuple[str, int, Any]] = []
        self.dropped_events = 0
        self.deferred: list[Deferred] = []
        self.status = Status(StatusCode.UNSET)
        self.start_ns = start_ns if start_ns is not None else now_ns()
        # Durations come from the monotonic clock: a wall clock set back must not make them negative.
        self._offset = self.start_ns - ticks_ns() if start_ns is None else 0
        self.end_ns = 0

    @property
    def otel(self) -> trace.Span:
        return self

    def finish(self, *, error: bool, message: str | None) -> None:
        """End it with the status that room 2 found."""
        if error:
            self.status = Status(StatusCode.ERROR, message)
        self.end()

    # --- OpenTelemetry's Span: what other people's code may call on the current span ------------

    def end(self, end_time: int | None = None) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        now = self._offset + ticks_ns() if self._offset else now_ns()
        self.end_ns = end_time if end_time is not None else now
        recorder.ended(self)

    def disown(self) -> None:
        """Never record the end: in a forked child, where the parent process ends it."""
        self._recorder = None

    def get_span_context(self) -> SpanContext:
        return self.context

    def set_attributes(self, attributes: Any) -> None:
        if self._recorder is not None:
            self.attributes.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        if self._recorder is not None:
            self.attributes[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if self._recorder is None:
            return
        if len(self.events) >= _MAX_EVENTS:
            self.dropped_events += 1
            return
        self.events.append((name, timestamp if timestamp is not None else now_ns(), attributes or {}))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        if self._recorder is not None:
            self.links.append(trace.Link(context, attributes))

    def update_name(self, name: str) -> None:
        if self._recorder is not None:
            self.name = name

    def is_recording(self) -> bool:
        return self._recorder is not None

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if self._recorder is not None:
            self.status = status if isinstance(status, Status) else Status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        from agentops_sdk._capture.failure import Failure

        failure, extra = Failure(exception), dict(attributes or {})
        self.add_event("exception", lambda: {**failure.attributes(), **extra}, timestamp)


class Recorder:
    """Starts spans below whatever is current, keeps count of the open ones, hands the ended ones on."""

    enabled = True

    def __init__(self, settings: Settings, on_end: Callable[[LeanSpan], None]) -> None:
        self.settings = settings
        self._on_end = on_end
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
        above = trace.get_current_span(parent).get_span_context()
        if above.is_valid:
            trace_id, flags, state = above.trace_id, above.trace_flags, above.trace_state
        else:
            trace_id, state = random_bits(128) or 1, None
            flags = _SAMPLED if self._sampled(trace_id) else _UNSAMPLED
        context = SpanContext(trace_id, random_bits(64) or 1, False, flags, state)
        span = LeanSpan(self, name, kind, attributes, context, above if above.is_valid else None, links, start_ns)
        self.open[context.span_id] = span
        return span

    def ended(self, span: LeanSpan) -> None:
        """Called by the span, once."""
        self.open.pop(span.context.span_id, None)
        self._on_end(span)

    def _sampled(self, trace_id: int) -> bool:
        ratio = self.settings.sample_ratio
        # The same share of the same ids as OpenTelemetry's TraceIdRatioBased: the lower 64 bits.
        return ratio >= 1.0 or (trace_id & 0xFFFF_FFFF_FFFF_FFFF) < round(ratio * 2**64)

    def interrupt_open(self) -> None:
        """Recording stops: what is still open ends here, as ``interrupted``, so that none is lost unseen."""
        for span in reversed(list(self.open.values())):  # the innermost first
            # A copy is handed on: the operation itself may still be setting attributes on its span.
            ending = copy.copy(span)
            span.disown()
            ending.attributes = {**ending.attributes, semconv.OUTCOME: "interrupted"}
            ending.events, ending.links = list(span.events), list(span.links)
            ending.end()

    def forget_open(self) -> None:
        """In a forked child: what was open belongs to the parent process, which will end it."""
        for span in list(self.open.values()):
            span.disown()
        self.open.clear()

"""Recording through a TracerProvider that the program already has: its exporters see our spans, whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._capture.guard import guard
from agentops_sdk._capture.recording import Deferred
from agentops_sdk._pipeline.complete import Completer
from agentops_sdk.config import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

SCOPE = "agentops_sdk"


class JoinedSpan:
    """The program's own kind of span underneath, our attributes kept aside until it ends.

    The program's processors run when the span ends, on the user's thread; so that they see it
    whole, completion (messages, tokens, cost, scrubbing) happens there too. This is the price of
    joining and is told in the documentation.
    """

    def __init__(self, recorder: JoinedRecorder, otel: trace.Span, name: str, attributes: dict[str, Any]) -> None:
        self._recorder = recorder
        self._otel = otel
        self._first_name = self.name = name
        self.attributes = attributes
        self.deferred: list[Deferred] = []
        self.events: list[tuple[str, int, Any]] = []

    @property
    def otel(self) -> trace.Span:
        return self._otel

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self.events.append((name, timestamp if timestamp is not None else time.time_ns(), attributes or {}))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        self.otel.add_link(context, self._recorder.completer.policy.apply(attributes or {}))

    def finish(self, *, error: bool, message: str | None) -> None:
        with guard("joined.finish"):
            done = self._recorder.completer.complete(self.attributes, self.deferred, self.events, message)
            self.otel.set_attributes(done.attributes)
            for name, at, attributes in done.events:
                self.otel.add_event(name, attributes, at)
            name = self._recorder.completer.policy.text(self.name) or ""
            if name != self._first_name:
                self.otel.update_name(name)
            if error:
                self.otel.set_status(Status(StatusCode.ERROR, done.message))
        self._recorder.open.pop(self.otel.get_span_context().span_id, None)
        self.otel.end()


class JoinedRecorder:
    """Starts spans through the program's provider and watches them end through a processor of ours."""

    enabled = True

    def __init__(
        self,
        settings: Settings,
        provider: TracerProvider,
        completer: Completer,
        on_end: Callable[[ReadableSpan], None],
        version: str,
    ) -> None:
        self.settings = settings
        self.completer = completer
        self.open: dict[int, JoinedSpan] = {}
        self._tracer = provider.get_tracer(SCOPE, version)
        self._provider = provider
        self._processor = _Processor(on_end)
        provider.add_span_processor(self._processor)  # type: ignore[arg-type]
        if settings.pricing:
            # Prices take a second to load, and here completion runs on the user's thread: load them beside it.
            threading.Thread(target=self._warm, name="agentops-warm", daemon=True).start()

    def _warm(self) -> None:
        said = '[{"role": "assistant", "parts": [{"type": "text", "content": "warm"}]}]'
        example = {semconv.KIND: "llm", semconv.REQUEST_MODEL: "gpt-4o", semconv.OUTPUT_MESSAGES: said}
        with guard("joined.warm"):
            self.completer.complete(example, (), (), None)

    def start(
        self,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        parent: Context,
        links: Sequence[trace.Link],
        start_ns: int | None,
    ) -> JoinedSpan | None:
        clean = [trace.Link(link.context, self.completer.policy.apply(link.attributes or {})) for link in links]
        otel = self._tracer.start_span(name, context=parent, kind=kind, links=clean, start_time=start_ns)
        if not otel.is_recording():
            return None  # the program's own sampler said no
        span = JoinedSpan(self, otel, name, attributes)
        self.open[otel.get_span_context().span_id] = span
        return span

    @property
    def resource(self) -> dict[str, Any]:
        """How the program's provider describes the process."""
        return dict(self._provider.resource.attributes)

    def interrupt_open(self) -> None:
        """What is open stays open: it belongs to the program's provider and ends there."""
        self.open.clear()

    def forget_open(self) -> None:
        self.open.clear()

    def leave(self) -> None:
        """Take our processor out of the provider again."""
        self._processor.on_end_span = None
        ours: Any = self._processor
        with guard("joined.leave"):
            active = self._provider._active_span_processor  # noqa: SLF001 - there is no public way out
            with active._lock:  # noqa: SLF001
                active._span_processors = tuple(item for item in active._span_processors if item is not ours)  # noqa: SLF001


class _Processor:
    """A SpanProcessor by shape: not a subclass, so that the SDK is not imported for it."""

    def __init__(self, on_end: Callable[[ReadableSpan], None]) -> None:
        self.on_end_span: Callable[[ReadableSpan], None] | None = on_end

    def on_start(self, span: Any, parent_context: Context | None = None) -> None: ...

    def _on_ending(self, span: Any) -> None: ...

    def on_end(self, span: ReadableSpan) -> None:
        scope = span.instrumentation_scope
        if self.on_end_span is not None and scope is not None and scope.name == SCOPE:
            self.on_end_span(span)

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

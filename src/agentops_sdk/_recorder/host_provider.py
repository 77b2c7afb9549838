"""Recording through a TracerProvider that the program already has: its exporters see our spans, whole.

Long because a span there, the recorder and the processor that sees it end share what they know of it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation import privacy
from agentops_sdk._recorder.recorder import in_sample, own_ancestor, span_elsewhere
from agentops_sdk._recorder.span_completion import Completer
from agentops_sdk._recorder.span_limits import FIRST
from agentops_sdk._recorder.tail_sampling import HeldRun
from agentops_sdk._recorder_port import Deferred
from agentops_sdk._scrub.private_form import attributes_of, name_of
from agentops_sdk.config import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from agentops_sdk._pipeline.queue import SpanQueue

SCOPE = "agentops_sdk"
_REMEMBERED = 10_000  # spans of others


class JoinedSpan:
    """The program's own kind of span underneath, our attributes kept aside until it ends.

    The program's processors run when the span ends, on the user's thread; so that they see it
    whole, completion (messages, tokens, cost, scrubbing) happens there too. This is the price of
    joining and is told in the documentation.
    """

    is_otel = False

    def __init__(self, recorder: JoinedRecorder, otel: trace.Span, name: str, attributes: dict[str, Any]) -> None:
        self._recorder = recorder
        self._otel = otel
        self._first_name = self.name = name
        self.attributes = attributes
        self.deferred: list[Deferred] | tuple[()] = ()
        self.account: Deferred | None = None
        self.events: list[tuple[str, int, Any]] = []
        self.context = otel.get_span_context()
        self.kind: SpanKind = getattr(otel, "kind", SpanKind.INTERNAL)
        self.start_ns: int = getattr(otel, "start_time", None) or time.time_ns()
        self.parent: SpanContext | None = None
        """The nearest span above that our sinks have, or that is in another process."""
        self.true_parent: SpanContext | None = None
        """The span above, where that is somebody else's in this process."""
        self.held: HeldRun | None = None
        self.whole: tuple[str, dict[str, Any], list[tuple[str, int, Any]], str | None] | None = None
        """Name, attributes, events and message where the provider lost some, or functions are to look at them."""
        self.event_content: Mapping[str, Any] = {}

    @property
    def kept(self) -> bool:
        """Whether our sinks will get it, as far as is known."""
        return self.held is None or self.held.kept

    @property
    def otel(self) -> trace.Span:
        return self._otel

    def event_list(self) -> list[tuple[str, int, Any]]:
        return self.events

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self.events.append((name, timestamp if timestamp is not None else time.time_ns(), attributes or {}))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        self.otel.add_link(context, self._recorder.link_attributes(attributes, self.attributes))

    def finish(self, *, error: bool, message: str | None) -> None:
        with guard("joined.finish"):
            completer = self._recorder.completer
            policy = completer.policy.withholding
            if policy is not completer.policy:
                # Functions are asked on the consumer thread alone: our sinks get what they leave, others none of it.
                self.events = [(name, at, fields() if callable(fields) else fields) for name, at, fields in self.events]
                self.whole = self.name, self.attributes, self.events, message
            completer.work_out(self.attributes, self.deferred, self.account)
            around = self.parent
            completer.tell_runs(
                self.attributes,
                self.context.span_id,
                None if around is None or around.is_remote else around.span_id,
                self.context.trace_id,
            )
            done = completer.finish(self.attributes, self.events, message, policy, self.context.trace_id)
            self.event_content = done.event_content
            self.otel.set_attributes(done.attributes)
            if getattr(self.otel, "dropped_attributes", 0):
                # The provider leaves out the oldest: what tells what a span is goes last, and our sinks get it whole.
                self.otel.set_attributes({name: done.attributes[name] for name in FIRST if name in done.attributes})
                self.whole = self.whole or (self.name, done.attributes, done.events, done.message)
            for name, at, attributes in done.events:
                self.otel.add_event(name, attributes, at)
            if cut := _cut(self.otel, done.attributes, done.events):
                self.otel.set_attribute(semconv.TRUNCATED, sorted({*cut, *done.attributes.get(semconv.TRUNCATED, ())}))
                self.whole = self.whole or (self.name, done.attributes, done.events, done.message)
            private = semconv.PRIVATE in done.attributes
            name = name_of(done.attributes) if private else policy.text(self.name) or ""
            if name != self._first_name:
                self.otel.update_name(name)
            if error or done.attributes.get(semconv.OUTCOME) == "error":
                self.otel.set_status(Status(StatusCode.ERROR, done.message))
        self.otel.end()
        self._recorder.open.pop(self.context.span_id, None)


class EndedSpan:
    """A span of ours that the program's provider has ended, on its way to our sinks."""

    __slots__ = (
        "completed", "event_content", "held", "measured", "missing", "parent", "sampled_elsewhere", "span",
        "true_parent", "whole",
    )  # fmt: skip

    def __init__(self, span: ReadableSpan, live: JoinedSpan | None) -> None:
        self.span = span
        self.completed: ReadableSpan | None = None
        self.parent = span.parent if live is None else live.parent
        self.true_parent = None if live is None else live.true_parent
        self.held = None if live is None else live.held
        self.whole = None if live is None else live.whole
        self.event_content: Mapping[str, Any] = {} if live is None else live.event_content
        self.missing = 0
        self.measured = False
        self.sampled_elsewhere = False

    @property
    def failed(self) -> bool:
        return self.span.status.status_code is StatusCode.ERROR

    @property
    def ids(self) -> tuple[int, int]:
        """Trace id and span id."""
        context = self.span.get_span_context()
        return (context.trace_id, context.span_id) if context is not None else (0, 0)

    @property
    def outermost(self) -> bool:
        """Whether nothing above it in this process will be exported."""
        return self.parent is None or self.parent.is_remote

    def forget(self) -> None:
        """The span is the program's: whoever holds it decides."""
        self.whole = None


class JoinedRecorder:
    """Starts spans through the program's provider and watches them end through a processor of ours."""

    enabled = True

    def __init__(
        self,
        settings: Settings,
        provider: TracerProvider,
        completer: Completer,
        queue: SpanQueue,
        version: str,
    ) -> None:
        self.settings = settings
        self.completer = completer
        self.open: dict[int, JoinedSpan] = {}
        self._tracer = provider.get_tracer(SCOPE, version)
        self.provider = provider
        self._queue = queue
        self._nearest: OrderedDict[int, tuple[SpanContext, HeldRun | None]] = OrderedDict()
        """Of somebody else's spans, by id: the nearest ancestor that is ours or in another process."""
        self._release = _unsaid(settings, provider)
        """What the settings name and the program's own resource does not: told by each span of ours."""
        self._processor = _Processor(self)
        # Phoenix's provider ends its own exporter for the first processor that is added, unless told to keep it.
        asks = getattr(provider.add_span_processor, "__kwdefaults__", None) or {}
        keep = {"replace_default_processor": False} if "replace_default_processor" in asks else {}
        provider.add_span_processor(self._processor, **keep)  # type: ignore[arg-type]  # a processor by its methods

    def start(
        self,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        parent: Context,
        links: Sequence[trace.Link],
        start_ns: int | None,
    ) -> JoinedSpan | None:
        if privacy.everything:
            attributes = {**attributes, semconv.PRIVATE: True}
        clean = [trace.Link(link.context, self.link_attributes(link.attributes, attributes)) for link in links]
        otel = self._tracer.start_span(name, context=parent, kind=kind, links=clean, start_time=start_ns)
        if not otel.is_recording():
            return None  # the program's own sampler said no
        if self._release:
            attributes = {**self._release, **attributes}
        span = JoinedSpan(self, otel, name, attributes)
        self._place(span, parent)
        self.open[span.context.span_id] = span
        if self._queue.asleep and span.held is None:
            self._queue.wake()
        return span

    def link_attributes(self, attributes: Mapping[str, Any] | None, of_span: Mapping[str, Any]) -> dict[str, Any]:
        """What a link may say: the program's exporters see it as soon as it is made."""
        known = attributes or {}
        return self.completer.policy.withholding.apply(attributes_of(known) if semconv.PRIVATE in of_span else known)

    def settle(self, timeout: float) -> None:
        """Nothing to wait for: each span is completed where it ends."""

    @property
    def resource(self) -> dict[str, Any]:
        """How the program's provider describes the process."""
        return dict(self.provider.resource.attributes)

    def _place(self, span: JoinedSpan, context: Context) -> None:
        """Find its place among the spans that our sinks have."""
        above: SpanContext | None = getattr(span.otel, "parent", None)
        if above is None:
            if not in_sample(span.context.trace_id, self.settings.sample_ratio):
                span.held = HeldRun(span.context.span_id, elsewhere=False)
            return
        span.parent, span.held = self._ancestor(above, context)
        if span.parent is None or span.parent.span_id != above.span_id:
            span.true_parent = above

    def _ancestor(self, above: SpanContext, context: Context) -> tuple[SpanContext | None, HeldRun | None]:
        """The nearest ancestor, from ``above`` on, that is ours or in another process; and what is held of its run."""
        if above.is_remote:
            return above, None
        nearest = own_ancestor(context, above)
        if nearest is not None and nearest[0].span_id == above.span_id:
            return nearest
        if (live := self.open.get(above.span_id)) is not None:
            return above, live.held
        current = trace.get_current_span(context)
        if _is_ours(current):
            return above, None  # it has ended
        if nearest is not None:
            return nearest
        if above.span_id in self._nearest:
            return self._nearest[above.span_id]
        return span_elsewhere(current), None

    def note_foreign(self, span: Any, context: Context | None) -> None:
        """Somebody else's span begins: remember its nearest ancestor, for ours that may begin below it."""
        above: SpanContext | None = getattr(span, "parent", None)
        if above is None:
            return
        nearest, held = self._ancestor(above, get_current() if context is None else context)
        if nearest is not None:
            self._nearest[span.context.span_id] = nearest, held
            if len(self._nearest) > _REMEMBERED:
                self._nearest.popitem(last=False)

    def ended(self, span: ReadableSpan) -> None:
        """The program's provider has ended one of ours."""
        context = span.get_span_context()
        self._queue.put(EndedSpan(span, self.open.pop(context.span_id, None) if context is not None else None))

    def interrupt_open(self) -> None:
        """What is open stays open: it belongs to the program's provider and ends there."""
        self.open.clear()

    def pass_on(self) -> None:
        """The process forks: a child may go on with what is open."""
        for span in list(self.open.values()):
            if span.held is not None:
                span.held.elsewhere = True

    def forget_open(self) -> None:
        self.open.clear()

    def leave(self) -> None:
        """Take our processor out of the provider again."""
        self._processor.recorder = None
        ours: Any = self._processor
        with guard("joined.leave"):
            provider: Any = self.provider
            while not hasattr(provider, "_active_span_processor"):  # Logfire's stands in for the one that it holds
                provider = provider.provider
            active = provider._active_span_processor  # noqa: SLF001 - there is no public way out
            with active._lock:  # noqa: SLF001 - the same
                active._span_processors = tuple(item for item in active._span_processors if item is not ours)  # noqa: SLF001 - the same


def _cut(otel: Any, own: Mapping[str, Any], events: Sequence[tuple[str, int, Mapping[str, Any]]]) -> list[str]:
    """Which texts the program's provider has cut; most cut none, which is seen by the longest."""
    cut = _shorter(getattr(otel, "attributes", None) or {}, own)
    if events:
        for (_, _, attributes), event in zip(reversed(events), reversed(getattr(otel, "events", ())), strict=False):
            cut += _shorter(event.attributes or {}, attributes)
    return cut


def _shorter(told: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    texts = {name: value for name, value in own.items() if type(value) is str}
    longest = max(texts, key=lambda name: len(texts[name]), default=None)
    if longest is None or len(told.get(longest, texts[longest])) == len(texts[longest]):
        return []
    return [name for name, value in texts.items() if len(told.get(name, value)) < len(value)]


def _unsaid(settings: Settings, provider: TracerProvider) -> dict[str, Any]:
    named = {
        semconv.SERVICE_VERSION: settings.release,
        semconv.DEPLOYMENT_ENVIRONMENT: settings.environment,
        semconv.VARIANT: settings.variant,
    }
    told = provider.resource.attributes
    return {name: value for name, value in named.items() if value and told.get(name) != value}


def _is_ours(span: Any) -> bool:
    scope = getattr(span, "instrumentation_scope", None)
    return scope is not None and scope.name == SCOPE


class _Processor:
    """A SpanProcessor by shape: not a subclass, so that the SDK is not imported for it."""

    def __init__(self, recorder: JoinedRecorder) -> None:
        self.recorder: JoinedRecorder | None = recorder

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        with guard("joined.on_start"):
            if self.recorder is not None and not _is_ours(span):
                self.recorder.note_foreign(span, parent_context)

    def _on_ending(self, span: Any) -> None: ...

    def on_end(self, span: ReadableSpan) -> None:
        with guard("joined.on_end"):
            if self.recorder is not None and _is_ours(span):
                self.recorder.ended(span)

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

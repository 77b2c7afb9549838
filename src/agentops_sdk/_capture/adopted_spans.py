"""A tracer for libraries that make spans themselves: each span of theirs becomes a call of ours, under our names.

A library is handed the tracer in the place that it has for one; the program's provider stays as it is. What the library
says of a span is taken over when that ends: names of the conventions as they are, others by the library's row in
``native_scopes``, all else is left out. Usage counts on model calls only: what agents and other
containers repeat is dropped. Where a client below has told of the same model call, that stands.

Long because a tracer and a span have all the methods of OpenTelemetry's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.trace import SpanContext, Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._capture.adopted_attributes import COUNTED, Adoption, name_workflow, plain
from agentops_sdk._capture.call import Call, NullCall, outcome_of
from agentops_sdk._capture.current import name_model
from agentops_sdk._capture.handoff import has_handed_over
from agentops_sdk._capture.native_scopes import NATIVE_SCOPES, NativeScope
from agentops_sdk._capture.start import start
from agentops_sdk._host.admission import refusal
from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches, Wrapper
from agentops_sdk._propagation.context_keys import CallSpan, known_later, release

__all__ = ["AdoptedSpan", "AdoptingTracer", "adopt", "insist", "is_global"]

_AT_ONCE = (semconv.CONVERSATION_ID, semconv.REQUEST_MODEL, semconv.PROVIDER_NAME)
"""What is told before the work begins: limits go by the model's price."""
_CUT_OFF = ("abandoned", "cancelled", "interrupted")
_live: WeakValueDictionary[int, AdoptedSpan] = WeakValueDictionary()
"""By their ids: some libraries keep nothing else of a span that others belong in."""


def insist(span: trace.Span) -> None:
    """For where a library begins a span and the work comes after it.

    Raises:
        LimitExceeded: in place of the work, where a limit of the program's does not allow it; the span has ended.
    """
    if not isinstance(span, AdoptedSpan) or (refused := refusal("adopted.limit", span.call)) is None:
        return
    span.left_by(refused)
    span.end()
    raise refused


class AdoptingTracer(trace.Tracer):
    """Makes calls of ours of a library's spans.

    Args:
        scope: the library's row, by the name under which it asks for a tracer.
        content: whether what people and models wrote is recorded; ``False`` holds for clients below as well.
    """

    def __init__(self, scope: str, *, content: bool = True) -> None:
        self._row = NATIVE_SCOPES[scope]
        if self._row.treatment != "adopt":
            raise ValueError(f"spans of {scope} are not adopted")
        self._content = content

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """As OpenTelemetry has it."""
        span: trace.Span = trace.INVALID_SPAN
        with guard("adopted.start"):
            names = self._row.names
            first = {names.get(key, key): plain(value) for key, value in (attributes or {}).items()}
            span = self._begin(name, context, first, links or (), start_time)
        return span

    def _begin(
        self, name: str, context: Context | None, first: dict[str, Any], links: Any, start_ns: int | None
    ) -> Any:
        word, _, rest = name.partition(" ")
        if not self._row.repeated.isdisjoint((name, word)):
            return trace.INVALID_SPAN
        told = self._row.operations.get(word)
        operation = first.get(semconv.OPERATION_NAME) if word not in self._row.kinds else told
        if operation is None and word in semconv.KIND_OF_OPERATION:
            operation = word  # told later, as all else
        kind = self._row.kinds.get(word) or semconv.KIND_OF_OPERATION.get(str(operation), "task")
        row = semconv.SPAN_KINDS[kind]
        if kind == "workflow":
            name_workflow(self._row, first)
        named = first.get(row.named_by) if row.named_by is not None else None
        if named is None and operation == word:
            named = rest or None
        known = {key: value for key, value in first.items() if key in _AT_ONCE and isinstance(value, str)}
        around = trace.get_current_span(context)
        if (
            type(around) is trace.NonRecordingSpan
            and (same := _live.get(around.get_span_context().span_id)) is not None
        ):
            around, context = same, same.call.context
        internal = kind == "task" and not self._row.internal.isdisjoint((name, word))
        call = start(
            kind,
            named if isinstance(named, str) else None,
            operation=operation if isinstance(operation, str) else None,
            attributes={
                **known,
                semconv.INTERNAL: internal or None,
            },
            parent=context,
            links=links,
            span_name=None if named is not None or told is not None or kind == "workflow" else name,
            start_ns=start_ns,
            reporter=self._row.reporter,
        )
        if not isinstance(call, Call):
            return trace.INVALID_SPAN
        span = AdoptedSpan(call, self._row, first, content=self._content, nameless=word in self._row.nameless)
        if isinstance(around, AdoptedSpan):
            around.members.add(span)
        return span

    @contextmanager
    def start_as_current_span(self, *args: Any, end_on_exit: bool = True, **kwargs: Any) -> Iterator[trace.Span]:  # type: ignore[override]  # theirs is one for coroutines too
        """As OpenTelemetry has it. What runs inside is also inside of the call.

        Raises:
            LimitExceeded: in place of the work, where a limit that the program has set does not allow it.
        """
        kwargs.pop("record_exception", None)
        kwargs.pop("set_status_on_exception", None)
        span = self.start_span(*args, **kwargs)
        insist(span)
        token = None
        with guard("adopted.attach"):
            if isinstance(span, AdoptedSpan):
                token = attach(trace.set_span_in_context(span, span.call.context))
        try:
            yield span
        except BaseException as error:
            if isinstance(span, AdoptedSpan):
                span.left_by(error)
            raise
        finally:
            if token is not None:
                release(token)
            if end_on_exit:
                span.end()


def adopt(patches: Patches, tracer: Any, scope: str) -> None:
    """Have a library's one tracer make calls of ours, whoever holds it; where a version has another, it is missing."""
    ours = AdoptingTracer(scope)

    def handed_on(method: Any) -> Wrapper:
        return lambda wrapped, instance, args, kwargs: method(*args, **kwargs)

    for name in ("start_span", "start_as_current_span"):
        patches.wrap(tracer, name, handed_on(getattr(ours, name)))


def is_global(tracer: Any) -> bool:
    """Whether a tracer's spans go where everything of the program goes, which is where ours go, or nowhere."""
    processor = getattr(tracer, "span_processor", None)
    return processor is None or processor is getattr(trace.get_tracer_provider(), "_active_span_processor", None)


class AdoptedSpan(CallSpan):
    """What a library holds of its own span. It may be told anything at any time; the call has it when it ends."""

    def __init__(
        self, call: Call, row: NativeScope, attributes: dict[str, Any], *, content: bool, nameless: bool = False
    ) -> None:
        self.call: Call | NullCall = call
        super().__init__(call.context)
        self.members: WeakSet[AdoptedSpan] = WeakSet()
        self._row = row
        self._attributes = attributes
        self._content = content
        self._nameless = nameless
        self._error: BaseException | None = None
        self._handled = sys.exception()
        self._failed = False
        self._live = True
        self._span_context = call.span.otel.get_span_context()
        _live[self._span_context.span_id] = self

    def left_by(self, error: BaseException) -> None:
        """An exception leaves the span."""
        self._error = error

    def get_span_context(self) -> SpanContext:
        return self._span_context

    def is_recording(self) -> bool:
        return self._live

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        with guard("adopted.attributes"):
            for name, value in attributes.items():
                self.set_attribute(name, value)

    def set_attribute(self, key: str, value: Any) -> None:
        with guard("adopted.attribute"):
            if self._live:
                key, value = self._row.names.get(key, key), plain(value)
                self._attributes[key] = value
                if key in _AT_ONCE and key not in self._row.left_out and isinstance(value, str):
                    self._tell(key, value)

    def _tell(self, key: str, value: str) -> None:
        if key == semconv.REQUEST_MODEL and isinstance(self.call, Call) and self.call.kind in COUNTED:
            name_model(self.call, value)
        elif isinstance(self.call, Call) and key not in self.call.span.attributes:
            self.call.set(key, value)
            if key == semconv.CONVERSATION_ID:
                known_later(self.call.kind, self.call.span.attributes, self.call.context)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Events of the conventions are kept; what else a library tells in events is its own."""
        with guard("adopted.event"):
            if self._live and name.startswith("gen_ai.") and self._content:
                self.call.event(name, dict(attributes or {}))

    def update_name(self, name: str) -> None:
        with guard("adopted.name"):
            if self._live:
                self.call.rename(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        code = status.status_code if isinstance(status, Status) else status
        self._failed = code is StatusCode.ERROR

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        self._error = exception

    def end(self, end_time: int | None = None) -> None:
        if not self._live:
            return
        self._live = False
        with guard("adopted.end"):
            attributes, self._attributes = self._attributes, {}
            if getattr(self.call, "settled", None) is not None:
                self._failed = False  # what it calls an error is that it did not run
                attributes.pop(semconv.ERROR_TYPE, None)
            if self.call.kind == "task" and attributes.get(semconv.OPERATION_NAME) in semconv.KIND_OF_OPERATION:
                del attributes[semconv.OPERATION_NAME]  # its row knows better
            if self._nameless:
                self._name(attributes)
            self.call.defer(Adoption(attributes, self._row, self.call.kind, content=self._content))
            self.call.set(semconv.ERROR_TYPE, attributes.get(semconv.ERROR_TYPE) if self._failed else None)
            self._finish(attributes)

    def _name(self, attributes: Mapping[str, Any]) -> None:
        kind = semconv.SPAN_KINDS[self.call.kind]
        name = attributes.get(kind.named_by) if kind.named_by is not None else None
        if isinstance(name, str) and name:
            self.call.rename(f"{kind.prefix} {name}")

    def _finish(self, attributes: Mapping[str, Any]) -> None:
        call, error = self.call, self._error or self._leaving()
        if error is not None and type(error).__name__ in self._row.interrupting:
            outcome = "interrupted"
        elif error is not None:
            outcome = outcome_of(error)
        elif not self._row.cancelled.isdisjoint(attributes):
            outcome = "cancelled"
        else:
            outcome = "error" if self._failed else "abandoned" if _is_left(call, attributes) else "ok"
        if outcome == "abandoned" and has_handed_over(call):
            outcome = "ok"  # the library closes what has no more to do
        if outcome in _CUT_OFF:
            for member in list(self.members):
                member.cut_off(outcome)
        call.finish(outcome, error if outcome == "error" else None)

    def _leaving(self) -> BaseException | None:
        """What leaves the span as it ends, where that is no error: libraries do not record it."""
        error = sys.exception()
        return error if error is not self._handled and not isinstance(error, Exception) else None

    def cut_off(self, outcome: str) -> None:
        """What is around has ended by ``outcome``, and nobody may come back to end this."""
        if self._live:
            self._live = False
            for member in list(self.members):
                member.cut_off(outcome)
            self.call.finish(outcome)


def _is_left(call: Any, attributes: Mapping[str, Any]) -> bool:
    """Whether a model's stream was left before its end, where it says why the model stopped."""
    streamed = semconv.RESPONSE_TIME_TO_FIRST_CHUNK in attributes
    return call.kind == "llm" and streamed and not attributes.get(semconv.RESPONSE_FINISH_REASONS)

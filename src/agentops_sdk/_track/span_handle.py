"""What a user holds of a live span: set, update, event, link; values are copied at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.invalid_values import Check
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import known_later
from agentops_sdk._snapshot.data_fields import derives, one_of
from agentops_sdk._snapshot.snapshot import snapshot
from agentops_sdk._snapshot.text import encodable
from agentops_sdk._snapshot.type_forms import form_of

_SCALARS = (bool, int, float)


class Span:
    """A live span. Every method does nothing once it has ended, or where nothing is recorded; none raises."""

    __slots__ = ("_call",)

    def __init__(self, call: Call | NullCall) -> None:
        self._call = call

    @property
    def recording(self) -> bool:
        """Whether anything that is set will be kept."""
        return self._call.recording and not self._call.ended

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, or ``""`` where nothing is recorded."""
        return self._call.trace_id

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits, or ``""`` where nothing is recorded."""
        return self._call.span_id

    @property
    def context(self) -> SpanContext:
        """OpenTelemetry's identity of the span; not valid where nothing is recorded."""
        call = self._call
        return call.span.otel.get_span_context() if isinstance(call, Call) else trace.INVALID_SPAN_CONTEXT

    def set(self, name: str, value: Any) -> None:
        """Set one attribute. Structures become JSON text, now: changing them later does not show."""
        if self._call.recording:
            with guard("span.set"):
                check = Check("span.set")
                self._call.set(check.name("name", name), plain(value))
                self._in_conversation()
                check.mark(self._call)

    def update(self, attributes: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set several attributes."""
        if self._call.recording:
            with guard("span.update"):
                check = Check("span.update")
                for name, value in (*check.pairs("attributes", attributes), *more.items()):
                    self._call.set(name, plain(value))
                self._in_conversation()
                check.mark(self._call)

    def _in_conversation(self) -> None:
        call = self._call
        if isinstance(call, Call):
            known_later(call.kind, call.span.attributes, call.context)

    def set_input(self, value: Any) -> None:
        """Record what went in, unless content is not captured."""
        self._content(semconv.TOOL_CALL_ARGUMENTS if self._call.kind == "tool" else semconv.INPUT, value)

    def set_output(self, value: Any) -> None:
        """Record what came out, unless content is not captured."""
        self._content(semconv.TOOL_CALL_RESULT if self._call.kind == "tool" else semconv.OUTPUT, value)

    def rename(self, name: str) -> None:
        """Give the span another name."""
        if self._call.recording:
            with guard("span.rename"):
                check = Check("span.rename")
                self._call.rename(check.name("name", name))
                check.mark(self._call)

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Record something that happened now."""
        if self._call.recording:
            with guard("span.event"):
                check = Check("span.event")
                about = {key: plain(value) for key, value in check.pairs("attributes", attributes)}
                self._call.event(check.name("name", name), {**about, **check.attributes})

    def link(self, other: Span | SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Point to another span, of this trace or any other."""
        if self._call.recording:
            with guard("span.link"):
                check = Check("span.link")
                about = {key: plain(value) for key, value in check.pairs("attributes", attributes)}
                target: Any = other.context if type(other) is Span else other
                if not derives(type(target), SpanContext):
                    check.note("other", other, "a span or the context of one", keep=True)
                elif target.is_valid:
                    self._call.link(target, about)
                check.mark(self._call)

    def mark(self, check: Check) -> None:
        """Put on the span what was noted of arguments that were not as documented. Not guarded."""
        check.mark(self._call)

    def _content(self, name: str, value: Any) -> None:
        if self._call.recording and _recorder_port.active.settings.records_content:
            with guard("span.content"):
                self._call.set(name, snapshot(value).decode())


NULL_SPAN = Span(NULL_CALL)


def plain(value: Any) -> Any:
    """``value`` as OpenTelemetry takes attributes: a scalar, a list of scalars of one type, else JSON text."""
    kind = type(value)
    if kind is str:
        return encodable(value)
    if value is None or one_of(kind, _SCALARS):
        return value
    if (kind is list or kind is tuple) and value:
        first = type(value[0])
        if (first is str or one_of(first, _SCALARS)) and all(type(item) is first for item in value):
            return list(value)
    form = form_of(value)
    if type(form) is str:  # a date, a path, an enum member: a text
        return encodable(form)
    return snapshot(value).decode()

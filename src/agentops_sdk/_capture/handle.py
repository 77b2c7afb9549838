"""What a user holds of a live span: set, update, event, link; values are copied at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext

from agentops_sdk import semconv
from agentops_sdk._capture import recording
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.content import snapshot
from agentops_sdk._capture.guard import guard
from agentops_sdk._capture.tracked import limits

_SCALARS = (str, bool, int, float)


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
                self._call.set(str(name), plain(value))

    def update(self, attributes: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set several attributes."""
        for name, value in {**(attributes or {}), **more}.items():
            self.set(name, value)

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
                self._call.rename(str(name))

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Record something that happened now."""
        if self._call.recording:
            with guard("span.event"):
                self._call.event(name, {key: plain(value) for key, value in (attributes or {}).items()})

    def link(self, other: Span | SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Point to another span, of this trace or any other."""
        if self._call.recording:
            with guard("span.link"):
                target = other.context if isinstance(other, Span) else other
                if target.is_valid:
                    self._call.link(target, {key: plain(value) for key, value in (attributes or {}).items()})

    def _content(self, name: str, value: Any) -> None:
        if self._call.recording and recording.active.settings.capture_content:
            with guard("span.content"):
                self._call.set(name, snapshot(value, limits=limits()).decode())


NULL_SPAN = Span(NULL_CALL)


def plain(value: Any) -> Any:
    """``value`` as OpenTelemetry takes attributes: a scalar, a list of scalars of one type, else JSON text."""
    kind = type(value)
    if kind in _SCALARS or value is None:
        return value
    if kind in (list, tuple) and value and type(value[0]) in _SCALARS:
        first = type(value[0])
        if all(type(item) is first for item in value):
            return list(value)
    text = snapshot(value, limits=limits()).decode()
    # A date, a path or an enum is a text; its quotes are JSON's.
    return text[1:-1] if text.startswith('"') and "\\" not in text else text

"""A tracer for libraries that make spans themselves: each span of theirs becomes a call of ours, under our names.

A library is handed the tracer in the place that it has for one; the program's provider stays as it is. What the library
says of a span is taken over when that ends: names of the conventions as they are, others by the library's row in
``native_scopes``, all else is left out. Usage counts on model calls only: what agents and other
containers repeat is dropped. Where a client below has told of the same model call, that stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.trace import SpanContext, Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call, NullCall, outcome_of
from agentops_sdk._capture.model_choice import ended_by_model, model_choice
from agentops_sdk._capture.native_scopes import NATIVE_SCOPES, NativeScope
from agentops_sdk._capture.start import start
from agentops_sdk._host.admission import refusal
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import release

__all__ = ["AdoptedSpan", "AdoptingTracer"]

_COUNTED = ("llm", "embedding")
_CONVENTIONS = ("gen_ai.", "mcp.", "server.", "openai.")
_DROPPED = ("gen_ai.usage.details.", "gen_ai.aggregated_usage.")
_PARSED = semconv.STRUCTURED
_AT_ONCE = (semconv.CONVERSATION_ID, semconv.REQUEST_MODEL, semconv.PROVIDER_NAME)
"""What is told before the work begins: limits go by the model's price."""


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
            span = self._begin(name, context, dict(attributes or {}), links or (), start_time)
        return span

    def _begin(
        self, name: str, context: Context | None, first: dict[str, Any], links: Any, start_ns: int | None
    ) -> Any:
        operation = first.get(semconv.OPERATION_NAME)
        kind = semconv.KIND_OF_OPERATION.get(str(operation), "task")
        row = semconv.SPAN_KINDS[kind]
        named = first.get(row.named_by) if row.named_by is not None else None
        if named is None and operation is not None:
            named = name.removeprefix(f"{operation} ") if name.startswith(f"{operation} ") else None
        known = {key: value for key, value in first.items() if key in _AT_ONCE and isinstance(value, str)}
        call = start(
            kind,
            named if isinstance(named, str) else None,
            operation=operation if isinstance(operation, str) else None,
            attributes={**known, semconv.INTERNAL: True if kind == "task" and name in self._row.internal else None},
            parent=context,
            links=links,
            span_name=None if named is not None else name,
            start_ns=start_ns,
            reporter=self._row.reporter,
        )
        return (
            AdoptedSpan(call, self._row, first, content=self._content) if isinstance(call, Call) else trace.INVALID_SPAN
        )

    @contextmanager
    def start_as_current_span(self, *args: Any, end_on_exit: bool = True, **kwargs: Any) -> Iterator[trace.Span]:  # type: ignore[override]  # theirs is one for coroutines too
        """As OpenTelemetry has it. What runs inside is also inside of the call.

        Raises:
            LimitExceeded: in place of the work, where a limit that the program has set does not allow it.
        """
        kwargs.pop("record_exception", None)
        kwargs.pop("set_status_on_exception", None)
        span = self.start_span(*args, **kwargs)
        refused = refusal("adopted.limit", span.call) if isinstance(span, AdoptedSpan) else None
        if isinstance(span, AdoptedSpan) and refused is not None:
            span.left_by(refused)
            span.end()
            raise refused
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


class AdoptedSpan(trace.Span):
    """What a library holds of its own span. It may be told anything at any time; the call has it when it ends."""

    def __init__(self, call: Call, row: NativeScope, attributes: dict[str, Any], *, content: bool) -> None:
        self.call: Call | NullCall = call
        self._row = row
        self._attributes = attributes
        self._content = content
        self._error: BaseException | None = None
        self._status: str | None = None
        self._failed = False
        self._live = True
        self._span_context = call.span.otel.get_span_context()

    def left_by(self, error: BaseException) -> None:
        """An exception leaves the span."""
        self._error = error

    def get_span_context(self) -> SpanContext:
        return self._span_context

    def is_recording(self) -> bool:
        return self._live

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self._live:
            self._attributes.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        if self._live:
            self._attributes[key] = value

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
            call, names = self.call, self._row.names
            attributes = {names.get(name, name): value for name, value in self._attributes.items()}
            self._attributes = {}
            call.defer(_Adoption(attributes, call.kind, content=self._content))
            error = self._error
            if error is not None and type(error).__name__ in self._row.interrupting:
                call.finish("interrupted")
            elif error is not None:
                outcome = outcome_of(error)
                call.finish(outcome, error if outcome in ("error", "interrupted") else None)
            else:
                call.finish("error" if self._failed else "abandoned" if _is_left(call, attributes) else "ok")


def _is_left(call: Any, attributes: Mapping[str, Any]) -> bool:
    """Whether a model's stream was left before its end, where it says why the model stopped."""
    streamed = semconv.RESPONSE_TIME_TO_FIRST_CHUNK in attributes
    return call.kind == "llm" and streamed and not attributes.get(semconv.RESPONSE_FINISH_REASONS)


class _Adoption:
    """What a library said of a span, as attributes of ours: on the consumer thread, once the call has ended."""

    def __init__(self, attributes: dict[str, Any], kind: str, *, content: bool) -> None:
        self._attributes = attributes
        self._kind = kind
        self._content = content

    def __call__(self, attributes: dict[str, Any]) -> None:
        client_reported = semconv.USAGE_INPUT_TOKENS in attributes or semconv.OUTPUT_MESSAGES in attributes
        if not self._content:
            for name in semconv.CONTENT:
                attributes.pop(name, None)
        for name, value in self._translated(client_reported):
            attributes.setdefault(name, value)
        if semconv.USAGE_INPUT_TOKENS in attributes:
            attributes.setdefault(semconv.USAGE_SOURCE, "reported")
        if self._kind == "llm" and not client_reported:
            for name, value in _choice(attributes).items():
                attributes.setdefault(name, value)

    def _translated(self, client_reported: bool) -> Iterator[tuple[str, Any]]:
        for name, value in self._attributes.items():
            if not name.startswith((*_CONVENTIONS, "agentops.", "error.")) or name.startswith(_DROPPED):
                continue
            if name.startswith("gen_ai.usage.") and (self._kind not in _COUNTED or client_reported):
                continue
            if name in semconv.CONTENT and not self._content:
                continue
            if name in _PARSED and isinstance(value, str):
                value = _parsed(value)
            yield name, list(value) if isinstance(value, tuple) else value


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _choice(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the model decided, where nobody else has read its reply."""
    messages, offered = attributes.get(semconv.OUTPUT_MESSAGES), attributes.get(semconv.TOOL_DEFINITIONS)
    if not isinstance(messages, list):
        return {}
    parts = [part for message in messages if isinstance(message, dict) for part in message.get("parts") or ()]
    reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS) or ()
    finished = bool(reasons) and all(map(ended_by_model, reasons))
    return model_choice(offered if isinstance(offered, list) else [], parts, finished=finished)

"""Begins operations: a span of its own for each, and one span for an operation that two report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # private by name, but what every exporter and instrumentation agrees on
    Context,
)
from opentelemetry.trace import SpanKind

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture import handoff
from agentops_sdk._capture.call import NULL_CALL, PROGRAM, Call, NullCall
from agentops_sdk._capture.contribution import Contribution, is_same
from agentops_sdk._capture.current import note_model_call
from agentops_sdk._propagation import context_keys, privacy
from agentops_sdk._snapshot.text import encodable

_NOTHING = Context()


class Form(NamedTuple):
    """What a span says from its start, made of what is known before: once for a function, anew for a request."""

    span_name: str
    span_kind: SpanKind
    attributes: Mapping[str, Any]


def form(
    kind: str,
    name: str | None = None,
    operation: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    span_name: str | None = None,
    span_kind: SpanKind | None = None,
) -> Form:
    """The form of an operation's span; for the arguments see :func:`start`."""
    row = semconv.SPAN_KINDS[kind]
    operation = operation or row.operation
    first: dict[str, Any] = {semconv.KIND: kind}
    if operation is not None:
        first[semconv.OPERATION_NAME] = operation
    shown = encodable(name) if name and not name.isascii() else name
    if shown and row.named_by is not None:
        first[row.named_by] = shown
    if kind == "tool":
        first[semconv.TOOL_TYPE] = "function"
    if attributes:
        first |= {key: value for key, value in attributes.items() if value is not None}
    if span_name:
        shown = encodable(span_name)
    elif prefix := operation or row.prefix:
        shown = f"{prefix} {shown}" if shown and not row.unnamed else prefix
    elif row.unnamed:
        shown = None
    return Form(shown or kind, span_kind or (SpanKind.CLIENT if row.client else SpanKind.INTERNAL), first)


def start(
    kind: str,
    name: str | None = None,
    *,
    operation: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    parent: Context | None = None,
    links: Sequence[trace.Link] = (),
    span_name: str | None = None,
    span_kind: SpanKind | None = None,
    start_ns: int | None = None,
    to_vendor: bool = False,
    reporter: str = PROGRAM,
    author: Any = None,
    bodies: tuple[Any, ...] = (),
) -> Call | NullCall:
    """Begin an operation; the caller attaches it, fills it and finishes it.

    Args:
        kind: one of ``semconv.KINDS``.
        name: of the agent, tool, model …; becomes part of the span's name by the conventions.
        operation: ``gen_ai.operation.name`` where it is not the kind's usual one.
        attributes: first attributes.
        parent: the context to nest in; the current one when not given.
        span_name: the whole span name, where the conventions' one does not fit.
        span_kind: OpenTelemetry's, where it is not the kind's usual one.
        start_ns: nanoseconds since the epoch, where the start lies in the past.
        to_vendor: what is sent while it is current goes to somebody else's servers: no trace headers leave with it.
            Always so for model calls.
        reporter: who tells of it: an integration by its name, the program where it says so itself.
        author: the decorated function, by identity, where one reports.
        bodies: decorated functions that the operation will run as its own work, as far as that is known.

    Returns:
        the call. Where the operation that is current in ``parent`` is this very one, reported before by somebody
        else, a :class:`Contribution` to that: one operation is one span.
    """
    if not _recorder_port.active.enabled:
        return NULL_CALL
    if kind in ("agent", "workflow") and reporter != PROGRAM:
        attributes = {**(attributes or {}), semconv.FRAMEWORK: reporter}
    known = form(kind, name, operation, attributes, span_name, span_kind)
    return start_in(known, kind, name, author, bodies, parent, attributes, links, start_ns, to_vendor, reporter)


def start_in(
    known: Form,
    kind: str,
    name: str | None,
    author: Any,
    bodies: tuple[Any, ...],
    parent: Context | None = None,
    attributes: Mapping[str, Any] | None = None,
    links: Sequence[trace.Link] = (),
    start_ns: int | None = None,
    to_vendor: bool = False,
    reporter: str = PROGRAM,
) -> Call | NullCall:
    """As :func:`start`, where the form is known already."""
    recorder = _recorder_port.active
    if not recorder.enabled:
        return NULL_CALL
    context = (context_keys.current() or context_keys.process_context or _NOTHING) if parent is None else parent
    if context_keys.call_spans:
        context = context_keys.whole(context)
    first: dict[str, Any] = known[2].copy()  # type: ignore[attr-defined]  # a dict that nobody else changes
    if context:
        if context.get(_SUPPRESS_INSTRUMENTATION_KEY):
            return NULL_CALL
        around: Call | None = context.get(context_keys.CALL_KEY)  # type: ignore[assignment]  # a context's values are objects
        if around is not None and around.kind == kind and not around.ended and not _hidden_in(around, context):
            if is_same(around, name, reporter, author, bodies):
                return Contribution(around, context, attributes or {}, reporter, author, bodies)
            around.nests = True
        context_keys.inherit(first, kind, context)
        if kind == "llm" and context.get(context_keys.OUTER_LLM_KEY) is not None:
            note_model_call(context)
    span = recorder.start(known[0], known[1], first, context, links, start_ns)
    if span is None:
        return NULL_CALL
    call = Call(kind, span, context, to_vendor, name, reporter, author, bodies)
    if handoff.pending and kind == "agent":
        handoff.take(call)
    return call


def _hidden_in(around: Call, context: Context) -> bool:
    """Whether what begins in ``context`` is private and the operation around it is not: it is no part of its record."""
    return privacy.used and privacy.is_private(context) and semconv.PRIVATE not in around.span.attributes

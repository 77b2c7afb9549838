"""``feedback()``: what people or programs think of a span, a trace or a session, also long after it ended."""

from __future__ import annotations

import math
import re
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.invalid_values import Check, is_text, number_of
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import ATTRIBUTES_KEY
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._track.span_handle import Span

__all__ = ["feedback"]

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def feedback(target: Any = None, *, name: str, value: float | bool | str, comment: str | None = None) -> None:
    """Record a score, a label or a verdict as the conventions' ``gen_ai.evaluation.result``.

    Args:
        target: a span (from ``span()`` or ``current_span()``), a record or trace that was read back, a
            trace id, a ``traceparent``, or any other text: the id of a session. The current span when
            not given, and where there is none the session of :class:`agentops_sdk.context`. A span that
            is still live gets the event itself; anything else gets a span of its own below it, in the
            same trace.
        name: what was judged: ``"helpful"``, ``"relevance"``.
        value: a number is a score, a text a label; ``True`` and ``False`` are 1 and 0 with a label.
        comment: why.

    A value that is no finite number, text, True or False is kept as a label, named in ``agentops.invalid``
    and told once in the log; so are a name that is not a string, and a target where nothing says what is meant.
    """
    with guard("feedback"):
        check = Check("feedback()")
        attributes: dict[str, Any] = {semconv.EVALUATION_NAME: check.name("name", name)}
        attributes.update(_verdict(value, check))
        if comment is not None:
            attributes[semconv.EVALUATION_EXPLANATION] = check.text("comment", comment)
        _record(target, attributes, check)


def _verdict(value: Any, check: Check) -> dict[str, Any]:
    if is_text(value):
        return {semconv.EVALUATION_SCORE_LABEL: text_of(value)}
    score = number_of(value)
    if score is None or not math.isfinite(score):
        # A score that is no number would spoil every average that it goes into.
        check.note("value", value, "a finite number, a string, True or False")
        return {semconv.EVALUATION_SCORE_LABEL: text_of(value)}
    if type(value) is bool:
        return {semconv.EVALUATION_SCORE_VALUE: score, semconv.EVALUATION_SCORE_LABEL: str(value).lower()}
    return {semconv.EVALUATION_SCORE_VALUE: score}


def _record(target: Any, attributes: dict[str, Any], check: Check) -> None:
    live = current_call() if target is None else target._call if type(target) is Span else None  # noqa: SLF001 - the other half of the class
    if isinstance(live, Call) and not live.ended:
        live.event(semconv.EVALUATION_EVENT, {**attributes, **check.attributes})
        return
    trace_id, span_id = _ids(target)
    about: dict[str, Any] = dict(attributes)
    parent = None
    if trace_id and span_id:
        span_context = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(TraceFlags.SAMPLED))
        parent = trace.set_span_in_context(NonRecordingSpan(span_context))
        about |= {semconv.FEEDBACK_TARGET: "span", semconv.FEEDBACK_SPAN_ID: span_id}
    elif trace_id:
        about[semconv.FEEDBACK_TARGET] = "trace"
    elif target is not None:
        if not is_text(target) and type(target) is not Span:
            check.note("target", target, "a span, a trace, a record or the id of one of them, or of a session")
        about |= {semconv.FEEDBACK_TARGET: "session", semconv.SESSION_ID: text_of(target)}
    elif not trace.get_current_span().get_span_context().is_valid:
        context: Any = get_current().get(ATTRIBUTES_KEY) or {}
        if semconv.SESSION_ID not in context:
            check.note("target", None, "a span, a trace or a session, as there is no current one")
        about[semconv.FEEDBACK_TARGET] = "session" if semconv.SESSION_ID in context else "none"
    if trace_id:
        about[semconv.FEEDBACK_TRACE_ID] = trace_id
    name = f"evaluate {attributes[semconv.EVALUATION_NAME]}"
    call = start("span", span_name=name, attributes={**about, **check.attributes}, parent=parent)
    call.event(semconv.EVALUATION_EVENT, {**attributes, **check.attributes})
    call.finish()


def _ids(target: Any) -> tuple[str, str]:
    """Trace id and span id that ``target`` tells, each ``""`` where it does not."""
    if is_text(target):
        text = text_of(target)
        parts = _TRACEPARENT.fullmatch(text)
        if parts is not None:
            return parts[1], parts[2]
        return (text, "") if _TRACE_ID.fullmatch(text) else ("", "")
    trace_id: Any = ""
    span_id: Any = ""
    with guard("feedback.target"):  # a record, a trace, a span of anybody's: its code answers
        trace_id, span_id = getattr(target, "trace_id", ""), getattr(target, "span_id", "")
    if type(trace_id) is int and type(span_id) is int:  # OpenTelemetry's SpanContext
        trace_id, span_id = trace.format_trace_id(trace_id), trace.format_span_id(span_id)
    if type(trace_id) is not str or not _TRACE_ID.fullmatch(trace_id):
        return "", ""
    return trace_id, span_id if type(span_id) is str and _SPAN_ID.fullmatch(span_id) else ""

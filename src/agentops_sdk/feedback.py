"""``feedback()``: what people or programs think of a span, a trace or a session, also long after it ended."""

from __future__ import annotations

import math
import re
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from agentops_sdk import semconv
from agentops_sdk._capture.ambient import current_call
from agentops_sdk._capture.call import Call, start
from agentops_sdk._capture.guard import guard
from agentops_sdk._capture.handle import Span
from agentops_sdk.errors import ConfigError

__all__ = ["feedback"]

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def feedback(target: Any = None, *, name: str, value: float | bool | str, comment: str | None = None) -> None:
    """Record a score, a label or a verdict as the conventions' ``gen_ai.evaluation.result``.

    Args:
        target: a span (from ``trace()`` or ``current_span()``), a record or trace that was read back, a
            trace id, a ``traceparent``, or any other text: the id of a session. The current span when
            not given. A span that is still live gets the event itself; anything else gets a span of
            its own below it, in the same trace.
        name: what was judged: ``"helpful"``, ``"relevance"``.
        value: a number is a score, a text a label; ``True`` and ``False`` are 1 and 0 with a label.
        comment: why.

    Raises:
        ConfigError: ``name`` or ``value`` is of no use.
    """
    if not isinstance(name, str) or not name:
        raise ConfigError("name", name, "a text that is not empty")
    if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError("value", value, "a number, a text, True or False")
    attributes: dict[str, Any] = {semconv.EVALUATION_NAME: name}
    if not isinstance(value, str):
        attributes[semconv.EVALUATION_SCORE_VALUE] = float(value)
    if isinstance(value, bool | str):
        attributes[semconv.EVALUATION_SCORE_LABEL] = value if isinstance(value, str) else str(value).lower()
    if comment is not None:
        attributes[semconv.EVALUATION_EXPLANATION] = comment
    with guard("feedback"):
        _record(target, attributes)


def _record(target: Any, attributes: dict[str, Any]) -> None:
    live = current_call() if target is None else target._call if isinstance(target, Span) else None  # noqa: SLF001
    if isinstance(live, Call) and not live.ended:
        live.event(semconv.EVALUATION_EVENT, attributes)
        return
    trace_id, span_id = _ids(target)
    about: dict[str, Any] = dict(attributes)
    parent = None
    if trace_id and span_id:
        found = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(TraceFlags.SAMPLED))
        parent = trace.set_span_in_context(NonRecordingSpan(found))
        about |= {semconv.FEEDBACK_TARGET: "span", semconv.FEEDBACK_SPAN_ID: span_id}
    elif trace_id:
        about[semconv.FEEDBACK_TARGET] = "trace"
    elif target is not None:
        about |= {semconv.FEEDBACK_TARGET: "session", semconv.SESSION_ID: str(target)}
    if trace_id:
        about[semconv.FEEDBACK_TRACE_ID] = trace_id
    name = f"evaluate {attributes[semconv.EVALUATION_NAME]}"
    call = start("span", span_name=name, attributes=about, parent=parent)
    call.event(semconv.EVALUATION_EVENT, attributes)
    call.finish()


def _ids(target: Any) -> tuple[str, str]:
    """Trace id and span id that ``target`` tells, each ``""`` where it does not."""
    if isinstance(target, str):
        parts = _TRACEPARENT.fullmatch(target)
        if parts is not None:
            return parts[1], parts[2]
        return (target, "") if _TRACE_ID.fullmatch(target) else ("", "")
    trace_id, span_id = getattr(target, "trace_id", ""), getattr(target, "span_id", "")
    if isinstance(trace_id, int) and isinstance(span_id, int):  # OpenTelemetry's SpanContext
        trace_id, span_id = trace.format_trace_id(trace_id), trace.format_span_id(span_id)
    if not isinstance(trace_id, str) or not _TRACE_ID.fullmatch(trace_id):
        return "", ""
    return trace_id, span_id if isinstance(span_id, str) and _SPAN_ID.fullmatch(span_id) else ""

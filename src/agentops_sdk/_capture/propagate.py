"""The trace and what is known around it as W3C header fields, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, set_value
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentops_sdk import semconv
from agentops_sdk._capture.ambient import AGENT_KEY, ATTRIBUTES_KEY

__all__ = ["FIELDS", "read", "write"]

FIELDS = ("traceparent", "tracestate", "baggage")

_CARRIED = (semconv.SESSION_ID, semconv.USER_ID, semconv.CONVERSATION_ID, semconv.TAGS)
_AGENT = (semconv.AGENT_NAME, semconv.AGENT_ID)


def write(context: Context) -> dict[str, str]:
    """Header fields that carry ``context``: its span, its session, user, conversation, tags, metadata and agent."""
    for key in (ATTRIBUTES_KEY, AGENT_KEY):
        known: Any = context.get(key)
        for name, value in (known or {}).items():
            if name in _CARRIED or name in _AGENT or name.startswith(semconv.METADATA_PREFIX):
                text = value if type(value) is str else orjson.dumps(value).decode()
                context = baggage.set_baggage(name, text, context)
    fields: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(fields, context)
    W3CBaggagePropagator().inject(fields, context)
    return fields


def read(fields: Mapping[str, str], context: Context | None = None) -> Context:
    """``context`` with what ``fields`` carry; fields that are malformed carry nothing."""
    context = Context() if context is None else context
    here = trace.get_current_span(context).get_span_context()
    read_context = TraceContextTextMapPropagator().extract(fields, context)
    if trace.get_current_span(read_context).get_span_context().trace_id != here.trace_id:
        context = read_context  # else a server span of somebody else's has continued this trace already
    context = W3CBaggagePropagator().extract(fields, context)
    attributes: dict[str, Any] = dict(context.get(ATTRIBUTES_KEY) or {})  # type: ignore[call-overload]
    agent: dict[str, Any] = {}
    for name, value in baggage.get_all(context).items():
        if name in _AGENT:
            agent[name] = value
        elif name == semconv.TAGS:
            attributes[name] = _tags(str(value))
        elif name in _CARRIED or name.startswith(semconv.METADATA_PREFIX):
            attributes[name] = value
    if attributes:
        context = set_value(ATTRIBUTES_KEY, attributes, context)
    return set_value(AGENT_KEY, agent, context) if agent else context


def _tags(text: str) -> list[str]:
    try:
        tags = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return [str(tag) for tag in tags] if isinstance(tags, list) else [text]

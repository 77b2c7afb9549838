"""The keys by which a span inherits from where it runs: context attributes, the nearest agent, the calls around it.

All of it travels in OpenTelemetry's own context, so it follows tasks and threads as spans do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context, create_key, detach
from opentelemetry.trace import propagation

from agentops_sdk import semconv

ATTRIBUTES_KEY = create_key("agentops-attributes")
AGENT_KEY = create_key("agentops-agent")
CALL_KEY = create_key("agentops-call")
LLM_KEY = create_key("agentops-llm-call")
OUTER_LLM_KEY = create_key("agentops-outer-llm-call")
LIMITS_KEY = create_key("agentops-limits")
VENDOR_KEY = create_key("agentops-vendor-call")
"""Set inside a call to a vendor, to the baggage outside of it."""

SPAN_KEY: str = propagation._SPAN_KEY  # noqa: SLF001 - what set_span_in_context() writes; it has no public name

_variable: Any = getattr(otel_context._RUNTIME_CONTEXT, "_current_context", None)  # noqa: SLF001 - behind attach()
_is_variable = type(_variable) is ContextVar
current: Callable[[], Context] = _variable.get if _is_variable else otel_context.get_current
"""OpenTelemetry's current context; where that is in a context variable, without the two functions around it."""
make_current: Callable[[Context], Any] = _variable.set if _is_variable else otel_context.attach
"""OpenTelemetry's ``attach()``; returns the token that :func:`release` wants."""

_AGENT = (semconv.AGENT_NAME, semconv.AGENT_ID, semconv.CONVERSATION_ID)
_OF_A_CALL = (CALL_KEY, AGENT_KEY, LLM_KEY, OUTER_LLM_KEY, VENDOR_KEY)

process_context: Context | None = None
"""What the process that started this one passed on in ``TRACEPARENT``: the parent of root spans. Set by ``init()``."""


call_spans = False
"""Whether there is a :class:`CallSpan` anywhere: where there is none, nobody has to look for one."""


class CallSpan(trace.Span):
    """A span that stands for a call and that somebody else makes current, who knows nothing of our keys.

    Attributes:
        call_context: the context of what runs inside of the call.
    """

    call_context: Context

    def __init__(self, call_context: Context) -> None:
        global call_spans
        call_spans = True
        self.call_context = call_context


def whole(context: Context) -> Context:
    """``context``, and where a :class:`CallSpan` was made current in it by itself, what goes with that."""
    span = trace.get_current_span(context)
    if not isinstance(span, CallSpan) or span.call_context.get(CALL_KEY) is context.get(CALL_KEY):
        return context
    own = span.call_context
    return Context({**context, **{key: own.get(key) for key in _OF_A_CALL}})


def release(token: Any) -> bool:
    """Undo an ``attach``; ``False`` in another task or thread than it, where nothing is attached to undo.

    That happens without anybody's fault: an asynchronous generator that the event loop closes, a
    coroutine that is collected. OpenTelemetry's own ``detach`` logs an error then.
    """
    if type(token) is not Token:
        detach(token)
        return True
    try:
        token.var.reset(token)
    except (ValueError, RuntimeError):
        return False
    return True


def inherit(attributes: dict[str, Any], kind: str, context: Context) -> None:
    """Add to ``attributes`` what ``context`` says of every span below it; what is there already wins."""
    inherited = context.get(ATTRIBUTES_KEY)
    if inherited:
        for name, value in inherited.items():  # type: ignore[attr-defined]  # a context's values are objects
            known = attributes.setdefault(name, value)
            if name == semconv.INVALID and known is not value:
                attributes[name] = sorted({*known, *value})
    agent = context.get(AGENT_KEY)
    if agent and kind != "agent":
        for name, value in agent.copy().items():  # type: ignore[attr-defined]  # a context's values are objects
            attributes.setdefault(name, value)
    elif agent and semconv.CONVERSATION_ID in agent:  # type: ignore[operator]  # as above
        attributes.setdefault(semconv.CONVERSATION_ID, agent[semconv.CONVERSATION_ID])  # type: ignore[index]  # as above


def of_workflow(attributes: dict[str, Any], context: Context) -> dict[str, Any]:
    """The agent of ``context``, if there is one, and the conversation of a workflow that runs in it."""
    agent: Any = context.get(AGENT_KEY) or {}
    conversation = attributes.get(semconv.CONVERSATION_ID)
    return {**agent} if conversation is None else {**agent, semconv.CONVERSATION_ID: conversation}


def known_later(kind: str, attributes: Mapping[str, Any], context: Context) -> None:
    """An agent or a workflow has been told its conversation: what begins in its ``context`` from here on has it."""
    agent: Any = context.get(AGENT_KEY)
    if kind in ("agent", "workflow") and isinstance(agent, dict) and semconv.CONVERSATION_ID in attributes:
        agent[semconv.CONVERSATION_ID] = attributes[semconv.CONVERSATION_ID]


def agent_of(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes by which the spans below an agent name it, and the conversation that it is asked in."""
    return {name: attributes[name] for name in _AGENT if name in attributes}

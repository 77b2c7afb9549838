"""What a span inherits from where it runs: context attributes, the nearest agent, the LLM call around it.

All of it travels in OpenTelemetry's own context, so it follows tasks and threads as spans do.
"""

from __future__ import annotations

from contextvars import Token
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, create_key, detach, get_current, set_value

from agentops_sdk import semconv

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call

ATTRIBUTES_KEY = create_key("agentops-attributes")
AGENT_KEY = create_key("agentops-agent")
CALL_KEY = create_key("agentops-call")
LLM_KEY = create_key("agentops-llm-call")
OUTER_LLM_KEY = create_key("agentops-outer-llm-call")

process_context: Context | None = None
"""What the process that started this one passed on in ``TRACEPARENT``: the parent of root spans. Set by ``init()``."""


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
    ambient = context.get(ATTRIBUTES_KEY)
    if ambient:
        for name, value in ambient.items():  # type: ignore[attr-defined]
            known = attributes.setdefault(name, value)
            if name == semconv.INVALID and known is not value:
                attributes[name] = sorted({*known, *value})
    agent = context.get(AGENT_KEY)
    if agent and kind != "agent":
        for name, value in agent.items():  # type: ignore[attr-defined]
            attributes.setdefault(name, value)


def agent_of(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes by which the spans below an agent name it."""
    return {name: attributes[name] for name in (semconv.AGENT_NAME, semconv.AGENT_ID) if name in attributes}


def current_call() -> Call | None:
    """The innermost call of ours that is current here, or ``None``."""
    return get_current().get(CALL_KEY)  # type: ignore[return-value]


def enclosing_llm_call() -> Call | None:
    """The live LLM call inside of which this code runs, or ``None``.

    A second interception of the same logical call (a framework's model run around a provider's
    client) finds it here and contributes to it instead of opening a span of its own.
    """
    call: Call | None = get_current().get(LLM_KEY)  # type: ignore[assignment]
    return call if call is not None and not call.ended else None


def own_model_calls(context: Context) -> Context:
    """``context`` of a model call that makes calls of its own: those below it are not the same call as it is."""
    return set_value(LLM_KEY, None, set_value(OUTER_LLM_KEY, context.get(LLM_KEY), context))


def note_model_call(context: Context) -> None:
    """A model call begins in ``context``: the one around it that is not the same call counts it."""
    outer: Call | None = context.get(OUTER_LLM_KEY)  # type: ignore[assignment]
    if outer is not None and not outer.ended:
        outer.set(semconv.MODEL_CALLS, outer.span.attributes.get(semconv.MODEL_CALLS, 0) + 1)

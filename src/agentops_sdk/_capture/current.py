"""The live calls around the code that asks: the innermost one, and the model call inside of which it runs."""

from __future__ import annotations

from opentelemetry.context import Context, get_current, set_value

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._propagation import context_keys, privacy
from agentops_sdk._propagation.context_keys import CALL_KEY, LLM_KEY, OUTER_LLM_KEY

__all__ = [
    "current_call",
    "enclosing_llm_call",
    "enclosing_request",
    "name_model",
    "note_model_call",
    "own_model_calls",
]


def current_call() -> Call | None:
    """The innermost current call, or ``None``."""
    return context_keys.whole(get_current()).get(CALL_KEY)  # type: ignore[return-value]  # a context's values are objects


def enclosing_llm_call() -> Call | None:
    """The live LLM call inside which this code runs, or ``None``.

    A second interception of the same logical call (a framework's model run around a provider's
    client) finds it here and contributes to it instead of opening a span of its own.
    """
    context = context_keys.current()
    if context_keys.call_spans:
        context = context_keys.whole(context)
    call: Call | None = context.get(LLM_KEY)  # type: ignore[assignment]  # a context's values are objects
    if call is None or call.ended or (privacy.used and call.hides_here):
        return None
    return call


def enclosing_request(kind: str) -> Call | None:
    """The live call inside of which a client's request of ``kind`` is the same operation, or ``None``."""
    if kind == "llm":
        return enclosing_llm_call()
    call = current_call() if kind == "embedding" else None
    if call is None or call.kind != kind or call.ended or (privacy.used and call.hides_here):
        return None
    return call


def name_model(call: Call, model: str | None, *, over: str | None = None) -> None:
    """The model of a call that somebody began who did not know it yet, or, where it was not ``over``, another one."""
    attributes = call.span.attributes
    if model and (semconv.REQUEST_MODEL not in attributes or over not in (None, call.reporters[0])):
        call.set(semconv.REQUEST_MODEL, model)
        call.rename(f"{attributes.get(semconv.OPERATION_NAME, 'chat')} {model}")


def own_model_calls(context: Context) -> Context:
    """``context`` of a model call that makes calls of its own: those below it are not the same call as it is."""
    return set_value(LLM_KEY, None, set_value(OUTER_LLM_KEY, context.get(LLM_KEY), context))


def note_model_call(context: Context) -> None:
    """A model call begins in ``context``: the one around it that is not the same call counts it."""
    outer: Call | None = context.get(OUTER_LLM_KEY)  # type: ignore[assignment]  # a context's values are objects
    if outer is not None and not outer.ended:
        outer.set(semconv.MODEL_CALLS, outer.span.attributes.get(semconv.MODEL_CALLS, 0) + 1)

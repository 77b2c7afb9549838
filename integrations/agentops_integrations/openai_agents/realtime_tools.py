"""Tools of realtime sessions, for which the SDK has no spans: each is a call in its session, and limits are asked."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import Any

from opentelemetry.context import Context

from agentops_sdk.integration import Begun, Patches, around_async, guard, semconv, start
from agentops_sdk.integration.frameworks import content

_SITE = "openai_agents.realtime_tools"

_session: ContextVar[Context | None] = ContextVar("agentops-openai-agents-session", default=None)
"""Inside of the session whose tool call is handled."""
_failures: ContextVar[list[BaseException] | None] = ContextVar("agentops-openai-agents-failures", default=None)
"""What the tool that runs has raised, also where the model is told in place of the program."""


def install(patches: Patches) -> None:
    """Watch how a session calls functions, and what becomes of their errors."""

    def sessions(module: Any) -> None:
        patches.wrap(module.RealtimeSession, "_handle_tool_call", _handled)
        patches.wrap(module, "invoke_function_tool", _invoked)

    patches.when_imported("agents.realtime.session", sessions)
    patches.when_imported(
        "agents.tool", lambda module: patches.wrap(module, "maybe_invoke_function_tool_failure_error_function", _told)
    )
    patches.when_imported(
        "agents.exceptions", lambda module: patches.wrap(module.ToolTimeoutError, "__init__", _timed_out)
    )


async def _handled(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = None
    with guard(_SITE):
        token = _session.set(getattr(instance.model, "_agentops_context", None))
    try:
        return await wrapped(*args, **kwargs)
    finally:
        if token is not None:
            _session.reset(token)


def _invoked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async(_SITE, wrapped, args, kwargs, partial(_begin, args, kwargs), _accept)


def _begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun:
    tool, context = kwargs["function_tool"], kwargs["context"]
    about = tool.description
    attributes = {
        semconv.TOOL_CALL_ID: context.tool_call_id,
        semconv.TOOL_DESCRIPTION: about if isinstance(about, str) and about else None,
    }
    _failures.set([])
    call: Any = start("tool", tool.name, attributes=attributes, parent=_session.get(), reporter="openai_agents")
    call.update(content(semconv.TOOL_CALL_ARGUMENTS, kwargs["arguments"]))
    return Begun(call, args, kwargs)


def _accept(call: Any, result: Any) -> bool:
    call.update(content(semconv.TOOL_CALL_RESULT, result))
    if failures := _failures.get():
        call.fail(failures[-1])
    return True


def _told(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _failed(kwargs.get("error"))
    return wrapped(*args, **kwargs)


def _timed_out(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    wrapped(*args, **kwargs)
    _failed(instance)


def _failed(error: Any) -> None:
    with guard(_SITE):
        failures = _failures.get()
        if failures is not None and isinstance(error, BaseException):
            failures.append(error)

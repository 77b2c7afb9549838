"""LangGraph's trace policies: what the span of a node, or of a middleware's hook, may hold of its input and output.

LangGraph hands what a policy makes of a payload to LangChain's own tracers only; any other handler gets the payload.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, guard, setting, snapshot

Wrapped = Callable[..., Any]

_FAILED = '"<trace policy failed>"'

_recordable: ContextVar[tuple[int, str] | None] = ContextVar("agentops-langgraph-recordable", default=None)
"""The identity of the payload that is about to be reported in this context, and what is to be recorded in its place."""


def install(patches: Patches) -> None:
    patches.when_imported("langgraph._internal._runnable", lambda module: _payloads(patches, module))


def _payloads(patches: Patches, module: ModuleType) -> None:
    if hasattr(module, "_trace_payload"):  # older graphs have no policies
        patches.wrap(module, "_trace_payload", _processed)


def recordable(payload: Any) -> str | None:
    """JSON text to record in place of ``payload``; ``None`` where no policy says anything of it."""
    entry = _recordable.get()
    if entry is None:
        return None
    _recordable.set(None)
    identity, text = entry
    return text if identity == id(payload) else None


def _processed(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    payload, transform = _arguments(*args, **kwargs)
    if transform is None:
        _recordable.set(None)
        return wrapped(payload, None)
    failed = False

    def process(value: Any) -> Any:
        nonlocal failed
        try:
            return transform(value)
        except BaseException:  # LangGraph goes on with the payload itself; what should be hidden must not show
            failed = True
            raise

    result = wrapped(payload, process)
    with guard("langgraph.trace_policy"):
        _recordable.set(None)
        if failed:
            _recordable.set((id(payload), _FAILED))
        elif result is not payload and setting("capture_content"):
            _recordable.set((id(payload), snapshot(result).decode()))
    return result


def _arguments(value: Any, transform: Callable[[Any], Any] | None = None) -> tuple[Any, Callable[[Any], Any] | None]:
    return value, transform

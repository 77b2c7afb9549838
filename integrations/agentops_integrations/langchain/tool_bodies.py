"""What a tool runs: where that is a function which the program has decorated, both report one call."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, release, tracked_in

Wrapped = Callable[..., Any]

_BODIES = ("func", "coroutine")
_METHODS = ("_run", "_arun")

_running: ContextVar[Any] = ContextVar("agentops-langchain-tool", default=None)
"""The tool whose run is about to be reported in this context."""


def install(patches: Patches) -> None:
    patches.when_imported("langchain_core.tools.base", lambda module: _tools(patches, module))


def _tools(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.BaseTool, "run", _run)
    patches.wrap(module.BaseTool, "arun", _arun)


def bodies() -> tuple[Any, ...]:
    """The decorated functions that the tool which begins here will run; it is asked once."""
    tool = _running.get()
    if tool is None:
        return ()
    _running.set(None)
    own = getattr(tool, "__dict__", {})
    works = [own.get(name) for name in _BODIES]
    works += [vars(base).get(name) for name in _METHODS for base in type(tool).__mro__]
    return tuple(body for work in works if work is not None for body in tracked_in(work) if body.kind == "tool")


def _run(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = _running.set(instance)
    try:
        return wrapped(*args, **kwargs)
    finally:
        release(token)


def _arun(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def run() -> Any:
        token = _running.set(instance)
        try:
            return await wrapped(*args, **kwargs)
        finally:
            release(token)

    return run()

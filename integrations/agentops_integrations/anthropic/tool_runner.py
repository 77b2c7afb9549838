"""Tools that the client runs by itself, in its tool runners: each run is a span, where the model's calls are.

A runner makes a span of its own of each run, through one function, which knows the call's id; where the run is
recorded here, that one does not arise. Runners of older versions have no such spans: there a tool tells of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import partial
from types import ModuleType
from typing import Any, Self

from agentops_sdk.integration import (
    NULL_CALL,
    Begun,
    Call,
    NullCall,
    Patches,
    around,
    around_async,
    guard,
    release,
    semconv,
    snapshot,
    start,
    tracked_in,
)

_SITE = "anthropic.tool_runner"
_REPORTER = "anthropic"
_LIBRARY = "anthropic.lib.tools"

Wrapped = Callable[..., Any]


def install(patches: Patches) -> None:
    """Patch the runners, and the tools, once their modules are imported."""
    for name in ("_beta_runner", "_beta_session_runner"):
        patches.when_imported(f"{_LIBRARY}.{name}", partial(_patch_runner, patches))
    patches.when_imported(f"{_LIBRARY}._beta_functions", partial(_patch_tools, patches))


def _patch_runner(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "tool_use_span", _tool_use_span)


def _patch_tools(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.BetaFunctionTool, "call", _call)
    patches.wrap(module.BetaAsyncFunctionTool, "call", _call_async)


class _Run:
    """One run of a tool by a runner, in place of the object that the library's own function hands out."""

    def __init__(self, call: Call | NullCall, tool: Any) -> None:
        self.tool = tool
        self.error: BaseException | None = None
        self.result: Any = None
        self.content: Any = None
        self.call = call
        self._tokens: tuple[Any, Token[_Run | None]] | None = None

    def __enter__(self) -> Self:
        self._tokens = (self.call.attach(), _running.set(self))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with guard(_SITE):
            if self._tokens is not None:
                attached, running = self._tokens
                release(running)
                self.call.detach(attached)
            self._end(error or self.error)

    def _end(self, error: BaseException | None) -> None:
        result = self.result if isinstance(self.result, dict) else {}
        if self.content is not None or "content" in result:
            self.call.set(semconv.TOOL_CALL_RESULT, snapshot(self.content or result["content"]).decode())
        if error is not None:
            self.call.fail(error)
        elif result.get("is_error") is True:
            self.call.set(semconv.ERROR_TYPE, "tool_error")
            self.call.finish("error")
        else:
            self.call.finish()


_running: ContextVar[_Run | None] = ContextVar("agentops-anthropic-tool-run", default=None)
"""The run that is under way here."""


def _tool_use_span(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard(_SITE):
        tool = args[1] if len(args) > 1 else kwargs.get("tool")
        call = _start(tool, str(kwargs.get("tool_name") or ""), kwargs.get("input"), kwargs.get("tool_use_id"))
        if call is not NULL_CALL:
            return _Run(call, tool)
    return wrapped(*args, **kwargs)


def _start(tool: Any, name: str, arguments: Any, ident: Any = None) -> Call | NullCall:
    about = vars(tool).get("description") if hasattr(tool, "__dict__") else None
    attributes = {
        semconv.TOOL_CALL_ID: ident if isinstance(ident, str) else None,
        semconv.TOOL_DESCRIPTION: about if isinstance(about, str) and about else None,
    }
    bodies = tuple(body for body in tracked_in(getattr(tool, "func", None)) if body.kind == "tool")
    call = start("tool", name, attributes=attributes, reporter=_REPORTER, bodies=bodies)
    if call is not NULL_CALL:
        call.set(semconv.TOOL_CALL_ARGUMENTS, snapshot(arguments).decode())
    return call


class _Body:
    """The function of a tool whose run is recorded: its runner makes a result of an error, which is kept here."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self.call = run.call

    def attach(self) -> None: ...

    def detach(self, token: Any) -> None: ...

    def fail(self, error: BaseException) -> None:
        self._run.error = error

    def finish(self) -> bool:
        return True


def _begin(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    run = _running.get()
    if run is not None and run.tool is tool:
        return Begun(_Body(run), args, kwargs)
    call: Any = _start(tool, str(tool.name), args[0] if args else kwargs.get("input"))
    return None if call is NULL_CALL else Begun(call, args, kwargs)


def _accept(live: Any, result: Any) -> bool:
    if not isinstance(live, _Body):
        live.set(semconv.TOOL_CALL_RESULT, snapshot(result).decode())
    return True


def _call(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around(_SITE, wrapped, args, kwargs, partial(_begin, instance, args, kwargs), _accept)


def _call_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async(_SITE, wrapped, args, kwargs, partial(_begin, instance, args, kwargs), _accept)

"""``@track`` and ``span()``: a person's own code as spans."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from agentops_sdk import semconv
from agentops_sdk._capture import recording
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall, start
from agentops_sdk._capture.content import snapshot
from agentops_sdk._capture.guard import guard
from agentops_sdk.errors import ConfigError

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_INPUT = {"tool": semconv.TOOL_CALL_ARGUMENTS}
_OUTPUT = {"tool": semconv.TOOL_CALL_RESULT}


def _kind(kind: str) -> str:
    if kind not in semconv.KINDS:
        raise ConfigError("kind", kind, "one of " + ", ".join(semconv.KINDS))
    return kind


class span:  # noqa: N801 - a context manager that reads as a statement
    """``with span("name", kind="tool") as s:`` records a block; also ``async with``.

    Args:
        name: of the agent, tool, step …
        kind: ``agent, workflow, task, tool, llm, retriever, plan, guardrail, decision``.
        attributes: recorded as they are; structures become JSON.
    """

    def __init__(self, name: str, *, kind: str = "task", **attributes: Any) -> None:
        self._kind, self._name, self._attributes = _kind(kind), name, attributes
        self._call: Call | NullCall = NULL_CALL
        self._token: Any = None

    def __enter__(self) -> Call | NullCall:
        with guard("span.enter"):
            self._call = start(self._kind, self._name, attributes=self._attributes)
            self._token = self._call.attach()
        return self._call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        call, self._call = self._call, NULL_CALL
        if not call.recording:
            return
        with guard("span.exit"):
            call.detach(self._token)
            if error is None:
                call.finish()
            else:
                call.fail(error)

    async def __aenter__(self) -> Call | NullCall:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


class _Tracked:
    """What is known of a decorated function, and the two ends of one call of it."""

    def __init__(self, function: Callable[..., Any], kind: str, name: str | None, description: str | None) -> None:
        self.kind = kind
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.description = description or (inspect.getdoc(function) if kind in ("tool", "agent") else None)
        self.parameters = _parameter_names(function)

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call | NullCall, Any]:
        call: Call | NullCall = NULL_CALL
        token = None
        with guard("track.begin"):
            call = start(self.kind, self.name)
            token = call.attach()
            if call.recording:
                if recording.active.settings.capture_content:
                    given = dict(zip(self.parameters, args, strict=False))
                    if len(args) > len(self.parameters):
                        given["args"] = args[len(self.parameters) :]
                    given.update(kwargs)
                    given.pop("self", None)
                    given.pop("cls", None)
                    call.set(_INPUT.get(self.kind, semconv.INPUT), snapshot(given).decode())
                if self.description:
                    call.set(semconv.TOOL_DESCRIPTION if self.kind == "tool" else semconv.AGENT_DESCRIPTION,
                             self.description)  # fmt: skip
        return call, token

    def end(self, call: Call | NullCall, token: Any, result: Any) -> None:
        if not call.recording:
            return
        with guard("track.end"):
            call.detach(token)
            if recording.active.settings.capture_content and result is not None:
                call.set(_OUTPUT.get(self.kind, semconv.OUTPUT), snapshot(result).decode())
        call.finish()

    def fail(self, call: Call | NullCall, token: Any, error: BaseException) -> None:
        if call.recording:
            with guard("track.fail"):
                call.detach(token)
            call.fail(error)


def _parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(parameter.name for parameter in parameters if parameter.kind in positional)


@overload
def track(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def track(
    *, kind: str = ..., name: str | None = ..., description: str | None = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def track(
    function: Callable[..., Any] | None = None,
    /,
    *,
    kind: str = "task",
    name: str | None = None,
    description: str | None = None,
) -> Any:
    """Record every call of a function or coroutine function as a span. Bare or called.

    Args:
        kind: what it is: ``agent, workflow, task, tool, llm, retriever, plan, guardrail, decision``.
        name: shown instead of the function's own.
        description: of a tool or agent; its docstring when not given.
    """
    _kind(kind)
    if function is None:
        return lambda target: _decorate(target, kind, name, description)
    return _decorate(function, kind, name, description)


def _decorate(function: Callable[..., Any], kind: str, name: str | None, description: str | None) -> Any:
    tracked = _Tracked(function, kind, name, description)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            call, token = tracked.begin(args, kwargs)
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                tracked.fail(call, token, error)
                raise
            tracked.end(call, token, result)
            return result

        return run_async

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        call, token = tracked.begin(args, kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            tracked.fail(call, token, error)
            raise
        tracked.end(call, token, result)
        return result

    return run


def _spelling(kind: str) -> Any:
    def spelled(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        return track(**options, kind=kind) if function is None else track(kind=kind, **options)(function)

    spelled.__name__ = spelled.__qualname__ = kind
    spelled.__doc__ = f"``track(kind={kind!r})``."
    return spelled


agent = _spelling("agent")
tool = _spelling("tool")
workflow = _spelling("workflow")
task = _spelling("task")
retriever = _spelling("retriever")
guardrail = _spelling("guardrail")

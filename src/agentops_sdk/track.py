"""``@track``: calls of a person's own functions, generators, methods and classes as spans."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypedDict, TypeVar, Unpack, overload

from agentops_sdk import _recorder_port
from agentops_sdk._host import admission
from agentops_sdk._propagation.generators import drive, drive_async
from agentops_sdk._propagation.privacy import awaited_privately, decided_when_called
from agentops_sdk._track.callable_kind import decorate, finish, is_built_in, shape_of
from agentops_sdk._track.function_call import MARK, CostOfCall, Options, Tracked
from agentops_sdk._track.generator_call import Yielded
from agentops_sdk.errors import ConfigError

__all__ = ["agent", "guardrail", "memory", "operation", "retriever", "task", "tool", "track", "workflow"]

T = TypeVar("T", bound="Callable[..., Any] | property | staticmethod[..., Any] | classmethod[Any, ..., Any]")


class TrackOptions(TypedDict, total=False):
    """The options of :func:`track` beside ``kind``; they are explained there."""

    name: str | None
    description: str | None
    capture_input: bool
    capture_output: bool
    capture_defaults: bool
    ignore: Collection[str]
    process_input: Callable[[dict[str, Any]], Any] | None
    process_output: Callable[[Any], Any] | None
    cost: CostOfCall | None
    attributes: Mapping[str, Any] | None
    options: Iterable[Any] | None
    operation: str | None


@overload
def track(target: T, /) -> T: ...
@overload
def track(*, kind: str = ..., **options: Unpack[TrackOptions]) -> Callable[[T], T]: ...
def track(target: Any = None, /, *, kind: str = "task", **options: Any) -> Any:
    """Record every call as a span. Bare (``@track``) or called (``@track(kind="tool")``).

    For functions, coroutine functions, generators, asynchronous generators, methods of every kind (in
    either order with ``staticmethod`` and ``classmethod``), properties, partials, callable objects, and
    classes, whose public methods are then tracked. What comes back is of the same kind, with the same
    signature.

    Args:
        kind: what it is: ``agent, workflow, task, tool, llm, embedding, retriever, memory, plan, guardrail …``.
        name: shown instead of the function's own.
        description: of a tool or agent; its docstring when not given.
        capture_input: whether arguments are recorded.
        capture_output: whether the result is recorded.
        capture_defaults: whether arguments that were not given are recorded with their defaults.
        ignore: names of arguments that are not recorded.
        process_input: given the arguments by name, returns what is recorded in their place.
        process_output: the same for the result; for a generator, for the list of what it yielded.
        cost: of one call in US dollars: an amount, or a function of the result that gives it.
        attributes: further attributes of every span.
        options: with ``kind="decision"``: what can be chosen; what the function returns is the choice, and
            ``None`` is a decision given up.
        operation: with ``kind="memory"``: what is done with it, ``search_memory`` when not given; ``name`` is then
            the store's id.

    Raises:
        ConfigError: an option is unknown or has a value that cannot work.
        TypeError: the target is built in, or nothing that can be called.
    """
    known = {field.name for field in fields(Options)}
    for name, value in options.items():
        if name not in known:
            raise ConfigError(name, value, "an option of track(): " + ", ".join(sorted(known)))
    chosen = Options(kind=kind, **options)
    if target is None:
        return functools.partial(_decorate, options=chosen)
    return _decorate(target, chosen)


class _Spelling:
    """``track(kind=…)`` under the kind's own name."""

    def __init__(self, kind: str, name: str) -> None:
        self._kind = kind
        self.__name__ = self.__qualname__ = name
        self.__doc__ = f"``track(kind={kind!r})``: see :func:`track` for the options."

    @overload
    def __call__(self, target: T, /) -> T: ...
    @overload
    def __call__(self, **options: Unpack[TrackOptions]) -> Callable[[T], T]: ...
    def __call__(self, target: Any = None, /, **options: Any) -> Any:  # type: ignore[misc]  # mypy: Unpack and **Any
        decorate = track(kind=self._kind, **options)
        return decorate if target is None else decorate(target)

    def __repr__(self) -> str:
        return f"agentops_sdk.{self.__name__}"


agent = _Spelling("agent", "agent")
guardrail = _Spelling("guardrail", "guardrail")
memory = _Spelling("memory", "memory")
retriever = _Spelling("retriever", "retriever")
task = operation = _Spelling("task", "task")  # ``operation``: as some know it from elsewhere
tool = _Spelling("tool", "tool")
workflow = _Spelling("workflow", "workflow")


def _decorate(target: Any, options: Options) -> Any:
    if isinstance(target, str):
        raise ConfigError("name", target, f"a keyword: name={target!r}")
    if isinstance(target, type):
        return _track_class(target, options)
    return decorate(target, lambda function: _track_callable(function, Tracked(function, options)), "track()")


def _track_callable(function: Any, tracked: Tracked) -> Any:
    shape = shape_of(function)
    if shape == "async generator":
        run = drive_async(function, functools.partial(Yielded, tracked))
    elif shape == "generator":
        run = drive(function, functools.partial(Yielded, tracked))
    else:
        run = _coroutine(function, tracked) if shape == "coroutine" else _plain(function, tracked)
    setattr(run, MARK, tracked)
    return finish(run, function, tracked.name)


def _plain(function: Callable[..., Any], tracked: Tracked) -> Any:
    begin, end, fail, kind, name = tracked.begin, tracked.end, tracked.fail, tracked.kind, tracked.name

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not _recorder_port.active.enabled:
            return function(*args, **kwargs)
        call, token = begin(args, kwargs)
        if admission.ask is not None:
            tracked.insist(call, token)
        work = (
            function if _recorder_port.stand_in is None else _recorder_port.stand_in(kind, name, function, args, kwargs)
        )
        try:
            result = work(*args, **kwargs)
        except BaseException as error:
            fail(call, token, error)
            raise
        end(call, token, result)
        return result

    return run


def _coroutine(function: Callable[..., Any], tracked: Tracked) -> Any:
    begin, end, fail, kind, name = tracked.begin, tracked.end, tracked.fail, tracked.kind, tracked.name

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        if not _recorder_port.active.enabled:
            return await function(*args, **kwargs)
        call, token = begin(args, kwargs)
        if admission.ask is not None:
            await tracked.insist_async(call, token)
        work = (
            function if _recorder_port.stand_in is None else _recorder_port.stand_in(kind, name, function, args, kwargs)
        )
        try:
            result = await work(*args, **kwargs)
        except BaseException as error:
            fail(call, token, error)
            raise
        end(call, token, result)
        return result

    return decided_when_called(run, awaited_privately(run))


def _track_class(cls: type, options: Options) -> type:
    """Track the public methods that ``cls`` itself defines, in place: pickling and subclasses see no difference."""
    if is_built_in(cls):
        raise TypeError(
            f"track() cannot wrap {cls.__qualname__}: it is a built-in class. Decorate a subclass of it instead."
        )
    for name, member in list(vars(cls).items()):
        if name.startswith("_") and name != "__call__":
            continue
        function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
        if not isinstance(function, types.FunctionType) or hasattr(function, MARK):
            continue
        run = _track_callable(function, _method(cls, name, function, options, isinstance(member, staticmethod)))
        setattr(cls, name, type(member)(run) if function is not member else run)
    return cls


def _method(cls: type, name: str, function: Any, options: Options, static: bool) -> Tracked:
    step = f"{cls.__name__}.{name}"
    if options.kind != "agent":
        return Tracked(function, replace(options, name=name if options.kind == "tool" else step))
    if static:  # belongs to no object, so to no agent of this class in particular
        return Tracked(function, replace(options, kind="task", name=step, description=None))
    named = replace(options, name=options.name or cls.__name__, description=options.description or inspect.getdoc(cls))
    return Tracked(function, named, owner=True, step=step)

"""A block inside of which a context of OpenTelemetry's is current: by ``with``, ``async with``, or as a decorator."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from opentelemetry.context import Context, attach, create_key, get_current, set_value

from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import release
from agentops_sdk._propagation.generators import drive, drive_async
from agentops_sdk._propagation.privacy import awaited_privately, decided_when_called
from agentops_sdk._track.callable_kind import decorate, finish, shape_of

__all__ = ["Block", "DecoratingBlock"]

T = TypeVar("T", bound="Callable[..., Any] | property | staticmethod[..., Any] | classmethod[Any, ..., Any]")


class Block:
    """A context that is current inside a block; may be entered many times, also by many tasks and threads at once.

    Args:
        verb: what a user writes for it, for errors: ``"context()"``.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb
        # What was entered is found again through the context itself, which every task and thread has its own of.
        self._key = create_key("agentops-block")

    def make(self) -> Context:
        """The context, made anew each time that the block is entered. Guarded by whoever calls it."""
        raise NotImplementedError

    def left_by(self, error: BaseException) -> None:
        """An exception leaves the block. Guarded by whoever calls it."""

    def __enter__(self) -> Self:
        with guard("context.enter"):
            held: list[Any] = []
            held.append(attach(set_value(self._key, held, self.make())))
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with guard("context.exit"):
            held: Any = get_current().get(self._key)
            if held:
                release(held.pop())
            if error is not None:
                self.left_by(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


class DecoratingBlock(Block):
    """A block that may stand above a function as well: every call of it runs inside."""

    def __call__(self, target: T) -> T:
        """Decorate a function, method or generator function: every call runs inside."""
        decorated: T = decorate(target, self._wrap, self._verb)
        return decorated

    def _wrap(self, function: Any) -> Any:
        shape = shape_of(function)
        run: Any
        if shape == "async generator":
            run = drive_async(function, self._steps)
        elif shape == "generator":
            run = drive(function, self._steps)
        elif shape == "coroutine":

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            run = decided_when_called(run_async, awaited_privately(run_async))
        else:

            @functools.wraps(function)
            def run_sync(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

            run = run_sync

        return finish(run, function, type(function).__name__)

    def _steps(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Steps:
        values: Context | None = None
        with guard("context.enter"):
            values = self.make()
        return _Steps(values, self.left_by)


class _Steps:
    """A generator's run that only has a context."""

    __slots__ = ("_left_by", "context")

    live = None
    stops = False

    def __init__(self, context: Context | None, left_by: Callable[[BaseException], None]) -> None:
        self.context = context
        self._left_by = left_by

    def cut_off(self) -> Exception | None: ...
    def item(self, value: Any) -> None: ...
    def end(self, result: Any) -> None: ...
    def abandon(self) -> None: ...

    def fail(self, error: BaseException) -> None:
        with guard("context.exit"):
            self._left_by(error)

"""Whether what runs here is private; and functions whose body begins later than they are called.

The body of a generator or a coroutine function begins with its first step, wherever that is. Whether it is private is
decided where it is *called*: what was called inside of ``private()`` is private, whoever advances it.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from opentelemetry.context import Context, set_value

from agentops_sdk import semconv
from agentops_sdk._propagation.context_keys import ATTRIBUTES_KEY, current, make_current, release

__all__ = [
    "awaited_privately",
    "decided_when_called",
    "is_private",
    "made_private",
    "make_everything",
    "mark",
    "marked",
    "private_part",
    "privately",
]

_LATER: Final = 0x20 | 0x80 | 0x100 | 0x200
"""``CO_GENERATOR``, ``CO_COROUTINE``, ``CO_ITERABLE_COROUTINE``, ``CO_ASYNC_GENERATOR``."""
_MARK: Final = "_agentops_private"
_own: Callable[[BaseException], dict[str, Any]] = BaseException.__dict__["__dict__"].__get__
"""An exception's own attributes, without asking its class, which may be the program's."""

T = TypeVar("T")

everything = False
"""Whether all that begins is private, wherever it does."""
used = False
"""Whether anything private has ever begun in this process: where nothing has, nobody has to look for it."""


def made_private(context: Context) -> Context:
    """``context``, in which everything is private."""
    global used
    used = True
    around: Any = context.get(ATTRIBUTES_KEY) or {}
    return set_value(ATTRIBUTES_KEY, {**around, semconv.PRIVATE: True}, context)


def is_private(context: Context | None = None) -> bool:
    """Whether what runs in a context, the current one when not given, is private."""
    around: Any = (current() if context is None else context).get(ATTRIBUTES_KEY)
    return bool(around) and semconv.PRIVATE in around


def make_everything(private: bool) -> None:
    """From now on all that begins is private, or only what is inside of something private."""
    global everything, used
    everything = private
    used = used or private


def mark(error: BaseException) -> None:
    """An exception comes out of something private: of it, and of what it leads to, only the type is told.

    The mark is on the exception itself, for it may come up anywhere: in another thread, or in another process.
    """
    _own(error)[_MARK] = True


def marked(error: BaseException) -> bool:
    """Whether :func:`mark` was called for an exception."""
    return used and _MARK in _own(error)


@contextmanager
def private_part() -> Iterator[None]:
    """What begins inside is private; never around a generator's ``yield``."""
    token = make_current(made_private(current()))
    try:
        yield
    finally:
        release(token)


def privately(begin: Callable[..., T]) -> Callable[..., T]:
    """``begin``, so that what it begins is private."""

    def begun(*args: Any, **kwargs: Any) -> T:
        with private_part():
            return begin(*args, **kwargs)

    return begun


def awaited_privately(function: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function like ``function``, all of which is private."""

    async def run(*args: Any, **kwargs: Any) -> Any:
        with private_part():
            return await function(*args, **kwargs)

    return run


def decided_when_called(usual: Callable[..., Any], hidden: Callable[..., Any]) -> Callable[..., Any]:
    """``usual``, a generator or coroutine function; where its call is private, ``hidden`` takes its place.

    What comes back is a plain function for the interpreter, so that it can look around when it is called, and of
    ``usual``'s kind for everybody who asks with ``inspect``, as the libraries do that treat the kinds differently.
    """
    if sys.implementation.name != "cpython":
        return usual  # there the flags of a code object say how it is run

    def call(*args: Any, **kwargs: Any) -> Any:
        return hidden(*args, **kwargs) if used and is_private() else usual(*args, **kwargs)

    code = call.__code__.replace(co_flags=call.__code__.co_flags | _code(usual).co_flags & _LATER)
    # Made anew: giving a function a code of another kind is deprecated.
    made = functools.update_wrapper(types.FunctionType(code, call.__globals__, "", None, call.__closure__), usual)
    made.__dict__["__wrapped__"] = usual.__dict__["__wrapped__"]
    return made


def _code(function: Any) -> types.CodeType:
    code: types.CodeType = function.__code__
    return code

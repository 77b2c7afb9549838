"""Decorating whatever a decorator may be put on: finds the function inside, and says of what shape it is."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, Literal

__all__ = ["Shape", "decorate", "finish", "is_built_in", "shape_of"]

Shape = Literal["function", "coroutine", "generator", "async generator"]

_HEAP_TYPE = 1 << 9


def decorate(target: Any, wrap: Callable[[Any], Any], verb: str) -> Any:
    """``wrap`` applied to the function inside ``target``; what comes back is of ``target``'s own kind.

    Args:
        target: a function, method, ``staticmethod``, ``classmethod``, property, partial or callable object.
        wrap: given the function.
        verb: what is being done, for the error: ``"track()"``.

    Raises:
        TypeError: ``target`` is built in, or cannot be called.
    """
    if isinstance(target, staticmethod | classmethod):
        return type(target)(decorate(target.__func__, wrap, verb))
    if isinstance(target, property):
        if target.fget is None:
            raise TypeError(f"{verb} needs a property with a getter")
        return target.getter(decorate(target.fget, wrap, verb))
    if isinstance(target, functools.cached_property):
        ours = copy.copy(target)
        ours.func = decorate(target.func, wrap, verb)
        return ours
    _require_python(target, verb)
    return wrap(target)


def is_built_in(cls: type) -> bool:
    """Whether a class is one of the interpreter's or of a compiled module's own, which cannot be changed."""
    return not cls.__flags__ & _HEAP_TYPE


def shape_of(function: Any) -> Shape:
    """What calling ``function`` gives. An object is what its class's ``__call__`` is."""
    own = None if hasattr(function, "__code__") else inspect.getattr_static(type(function), "__call__", None)

    def is_a(test: Callable[[Any], bool]) -> bool:
        return test(function) or (isinstance(own, types.FunctionType) and test(own))

    if is_a(inspect.isasyncgenfunction):
        return "async generator"
    if is_a(inspect.iscoroutinefunction):
        return "coroutine"
    return "generator" if is_a(inspect.isgeneratorfunction) else "function"


def finish(run: Any, function: Any, name: str) -> Any:
    """``run``, a wrapper around ``function``, with what :func:`functools.wraps` leaves out."""
    if not hasattr(function, "__name__"):
        run.__name__ = run.__qualname__ = name
    if _is_cache(function):
        for method in ("cache_info", "cache_clear", "cache_parameters"):
            setattr(run, method, getattr(function, method))
    return run


def _require_python(target: Any, verb: str) -> None:
    kind = type(target)
    if isinstance(target, types.FunctionType | types.MethodType | functools.partial) or _is_cache(target):
        return
    if callable(target) and not is_built_in(kind) and kind.__name__ != "cython_function_or_method":
        return
    name = getattr(target, "__qualname__", kind.__name__)
    reason = "is built in or compiled" if callable(target) else "cannot be called"
    reason = "is a class" if isinstance(target, type) and not is_built_in(target) else reason
    raise TypeError(f"{verb} cannot wrap {name}: it {reason}. Write a function that calls it and decorate that.")


def _is_cache(target: Any) -> bool:
    return callable(getattr(target, "cache_info", None)) and hasattr(target, "__wrapped__")

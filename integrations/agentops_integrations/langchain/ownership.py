"""Whose step a run is: one of the program's own, or one that a library puts between the program's steps.

LangChain reports a run by its name alone. What the name stands for, the function or the class, is read from the
runnable that is about to run: the nearest one on the stack that reports the start.
"""

from __future__ import annotations

import functools
import sys
from types import FrameType
from typing import Any

from langchain_core.runnables.base import Runnable

_FRAMEWORK = frozenset(("langchain", "langchain_classic", "langchain_community", "langchain_core", "langgraph"))
_PARTNERS = ("langchain_", "langgraph_")
_OURS = "agentops_"
_INSTALLED = ("site-packages", "dist-packages")
_FUNCTIONS = ("func", "afunc", "_transform", "_atransform")
"""Where the runnables that wrap a function keep it."""

_MAX_FRAMES = 16
_MAX_PARTIALS = 8


def is_of_a_library(name: str) -> bool:
    """Whether the run that starts now, called ``name``, is a library's own step; to be asked by a callback handler.

    That is a private function or class of an installed library, or any function of LangChain and its partners
    that nobody gave another name. A private function of the program itself is the program's step.
    """
    runnable = _runnable(sys._getframe(1))  # noqa: SLF001 - LangChain hands the runnable to nobody
    if runnable is None:
        return False
    function = _function(runnable)
    owner = type(runnable) if function is None else function
    own_name = getattr(owner, "__name__", "")
    module = getattr(owner, "__module__", "")
    if type(own_name) is not str or type(module) is not str:
        return False
    if own_name.startswith("_"):
        return is_library(module)
    return function is not None and own_name == name and is_library(module) and _is_framework(module)


def _runnable(frame: FrameType | None) -> Any:
    """The runnable that reports the start: the first one above us with nothing but the framework in between."""
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return None
        if "self" in frame.f_code.co_varnames:
            runnable = frame.f_locals.get("self")
            if issubclass(type(runnable), Runnable):
                return runnable
        module = frame.f_globals.get("__name__", "")
        if not _is_framework(module) and not module.startswith(_OURS):
            return None
        frame = frame.f_back
    return None


def _function(runnable: Any) -> Any:
    """The function that a runnable wraps, out of its partials; None where it wraps none."""
    own = vars(runnable)
    function = next((own[name] for name in _FUNCTIONS if callable(own.get(name))), None)
    for _ in range(_MAX_PARTIALS):
        if not isinstance(function, functools.partial):
            break
        function = function.func
    return function if function is None or hasattr(function, "__name__") else type(function)


def is_library(module: str) -> bool:
    """Whether a module is installed rather than the program's own; one that has no file is judged by its name."""
    file = vars(sys.modules[module]).get("__file__") if module in sys.modules else None
    if type(file) is not str:
        return _is_framework(module)
    return module.partition(".")[0] in _FRAMEWORK or any(part in file for part in _INSTALLED)


def _is_framework(module: str) -> bool:
    package = module.partition(".")[0]
    return package in _FRAMEWORK or package.startswith(_PARTNERS)

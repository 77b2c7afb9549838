"""The arguments of one call by their names, as the function's own signature gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Arguments:
    """Names arguments; made once per decorated function.

    Args:
        function: whose signature counts.
        ignore: names that are left out.
        defaults: whether parameters that were not given are shown with their defaults.
    """

    __slots__ = ("_keywords", "_left_out", "_names", "_rest", "count", "defaults", "names_alone")

    def __init__(self, function: Callable[..., Any], *, ignore: Collection[str] = (), defaults: bool = False) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        self._names = tuple(parameter.name for parameter in parameters if parameter.kind in _POSITIONAL)
        self.count = len(self._names)
        self._rest = _named(parameters, inspect.Parameter.VAR_POSITIONAL, "args")
        self._keywords = _named(parameters, inspect.Parameter.VAR_KEYWORD, "kwargs")
        left_out = set(ignore)
        if self._names[:1] in (("self",), ("cls",)):
            left_out.add(self._names[0])
        self._left_out = tuple(left_out)
        self.defaults = {
            parameter.name: parameter.default
            for parameter in parameters
            if defaults and parameter.default is not inspect.Parameter.empty
        }
        self.names_alone = None if left_out or self.defaults else self._names
        """What up to ``count`` arguments by position alone are called; ``None`` where there is more to it."""

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Name to value, in the order given. Runs no code of the user's."""
        names = self._names
        arguments = dict(zip(names, args))  # noqa: B905 - said aloud, it takes longer than all the rest
        if rest := args[self.count :]:
            arguments[self._rest] = rest
        if kwargs:
            for name, value in kwargs.items():
                if name in arguments:  # f(a, /, **kwargs) called as f(1, a=2)
                    arguments.setdefault(self._keywords, {})[name] = value
                else:
                    arguments[name] = value
        if self.defaults:
            for name, default in self.defaults.items():
                arguments.setdefault(name, default)
        for name in self._left_out:
            arguments.pop(name, None)
        return arguments


def _named(parameters: list[inspect.Parameter], kind: Any, otherwise: str) -> str:
    return next((parameter.name for parameter in parameters if parameter.kind is kind), otherwise)

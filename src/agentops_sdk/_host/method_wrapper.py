"""The wrapper of a method. Apart from the patches, so that wrapt is loaded with the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wrapt

__all__ = ["MethodWrapper"]


class MethodWrapper(wrapt.FunctionWrapper):  # type: ignore[type-arg] # generic for type checkers only
    """wrapt's wrapper around a method of ``owner``, that knows its instance also where it is called as a function.

    A function of somebody else's around ours hands the instance on as it got it: as the first argument.
    """

    def __init__(self, target: Any, wrapper: Callable[..., Any], enabled: Callable[[], Any], owner: type[Any]) -> None:
        super().__init__(target, wrapper, enabled)
        self._self_method_of = owner

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Not passed by calls of a method that was looked up on its instance or class."""
        if args and isinstance(args[0], self._self_method_of):
            return self.__get__(args[0], type(args[0]))(*args[1:], **kwargs)
        return super().__call__(*args, **kwargs)

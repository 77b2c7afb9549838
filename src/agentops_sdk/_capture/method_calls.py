"""Methods of a library that are operations: one line for each, in an integration that wraps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.call_steps import around_generator, around_generator_async
from agentops_sdk._host.guard import guard
from agentops_sdk._host.intercept import Begun, around, around_async
from agentops_sdk._host.patches import Patches

__all__ = ["MethodCalls"]

Started = Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Call | NullCall | None]
"""Starts the call, given the object and the arguments; ``None`` where it is none."""
Ended = Callable[..., None]
"""Adds what the result tells, given the call and the result; where it ``asks``, the object and the arguments too."""
Failed = Callable[[Call, Exception], bool]
"""Given the call and what its method raised: whether that is an answer, of which it tells, and no error."""
Each = Callable[[Call, Any], None]


class MethodCalls:
    """Wraps methods of one library.

    Args:
        site: what errors of ours are counted under.
        patches: where the wrappers are kept.
    """

    def __init__(self, site: str, patches: Patches) -> None:
        self._site = site
        self._patches = patches

    def wrap(
        self, owner: Any, name: str, begin: Started, end: Ended, failed: Failed | None = None, *, asks: bool = False
    ) -> None:
        """A method that returns when its work is done."""

        def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            accept = partial(_accept, partial(end, instance, args, kwargs) if asks else end)
            return around(
                self._site, wrapped, args, kwargs, partial(_begin, begin, failed, instance, args, kwargs), accept
            )

        self._patches.wrap(owner, name, wrapper)

    def wrap_async(
        self, owner: Any, name: str, begin: Started, end: Ended, failed: Failed | None = None, *, asks: bool = False
    ) -> None:
        """A coroutine method."""

        def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            begun = partial(_begin, begin, failed, instance, args, kwargs)
            accept = partial(_accept, partial(end, instance, args, kwargs) if asks else end)
            return around_async(self._site, wrapped, args, kwargs, begun, accept)

        self._patches.wrap(owner, name, wrapper)

    def wrap_below(
        self, base: type[Any], methods: Mapping[str, tuple[Started, Ended] | tuple[Started, Ended, Failed]]
    ) -> None:
        """Methods, coroutines or not, of each class that implements ``base``'s, now and later, by name."""

        def visit(cls: type[Any]) -> None:
            for name, how in methods.items():
                method = vars(cls).get(name)
                if callable(method) and not getattr(method, "__isabstractmethod__", False):
                    wrap = self.wrap_async if iscoroutinefunction(method) else self.wrap
                    wrap(cls, name, *how)

        self._patches.each_subclass(base, visit)

    def wrap_generator(self, owner: Any, name: str, begin: Started, end: Ended) -> None:
        """A generator method; ``end`` is given what it returned, else its last item."""

        def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return around_generator(self._site, wrapped, args, kwargs, partial(begin, instance, args, kwargs), end)

        self._patches.wrap(owner, name, wrapper)

    def wrap_generator_async(
        self, owner: Any, name: str, begin: Started, end: Ended, *, each: Each | None = None
    ) -> None:
        """An asynchronous generator method; ``each`` is given every item on its way."""

        def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            started = partial(begin, instance, args, kwargs)
            return around_generator_async(self._site, wrapped, args, kwargs, started, end, each)

        self._patches.wrap(owner, name, wrapper)


def _begin(begin: Started, failed: Failed | None, instance: Any, args: Any, kwargs: Any) -> Begun | None:
    call = begin(instance, args, kwargs)
    if not isinstance(call, Call):
        return None
    return Begun(call if failed is None else _Answer(call, failed), args, kwargs)


def _accept(end: Ended, live: Any, result: Any) -> bool:
    end(live.call if isinstance(live, _Answer) else live, result)
    return True


class _Answer:
    """A call that may end well although its method raises: that is how the method says no."""

    def __init__(self, call: Call, failed: Failed) -> None:
        self.call = call
        self._failed = failed

    def attach(self) -> Any:
        return self.call.attach()

    def detach(self, token: Any) -> None:
        self.call.detach(token)

    def fail(self, error: BaseException) -> None:
        answered = False
        if isinstance(error, Exception):
            with guard("method_calls.failed"):
                answered = self._failed(self.call, error)
        if answered:
            self.call.finish()
        else:
            self.call.fail(error)

    def finish(self) -> bool:
        return self.call.finish()

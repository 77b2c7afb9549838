"""Runs a vendor's method inside a live call: our code before it and after it, never around it in one ``try``.

It is the one place as well where a limit keeps the method from being called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from agentops_sdk._host import admission
from agentops_sdk._host.guard import guard

__all__ = ["Accept", "Begin", "Begun", "Interception", "around", "around_async"]


class Interception(Protocol):
    """What stands around a vendor's method while it runs: a call, or what stands in for one. Guards itself."""

    def attach(self) -> Any:
        """Make it current; returns what :meth:`detach` takes."""
        ...

    def detach(self, token: Any) -> None: ...

    def fail(self, error: BaseException) -> None:
        """The method raised."""
        ...

    def finish(self) -> bool: ...


class Begun(NamedTuple):
    """What was started, and the arguments for the vendor's method (the caller's own, or a changed copy)."""

    live: Interception
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


Begin = Callable[[], Begun | None]
"""Looks at the request; ``None`` leaves the vendor's method alone."""

Accept = Callable[[Any, Any], bool]
"""Looks at the result. Returns whether the call is over; ``False`` where a stream goes on and will finish it.

It may change a stream in place but never replaces what the caller gets.
"""


def around(site: str, wrapped: Callable[..., Any], args: Any, kwargs: Any, begin: Begin, accept: Accept) -> Any:
    """Call ``wrapped`` inside the call that ``begin`` started; its result and its exception pass untouched.

    Raises:
        LimitExceeded: in place of the call, where a limit that the program has set does not allow it.
    """
    begun: Begun | None = None
    with guard(site):
        begun = begin()
    if begun is None:
        return wrapped(*args, **kwargs)
    live = begun.live
    if admission.ask is not None:
        answer: admission.Answer = None
        with guard(site):
            answer = admission.ask(live)
        if answer is not None:
            admission.insist(site, answer, live.fail)
    token = live.attach()
    try:
        result = wrapped(*begun.args, **begun.kwargs)
    except BaseException as error:
        live.detach(token)
        live.fail(error)
        raise
    live.detach(token)
    _accepted(site, live, result, accept)
    return result


async def around_async(
    site: str, wrapped: Callable[..., Awaitable[Any]], args: Any, kwargs: Any, begin: Begin, accept: Accept
) -> Any:
    """The same around a coroutine function; begins when it is awaited, not when it is called.

    Where a limit has to wait for what other processes have used, that is awaited: the event loop goes on.
    """
    begun: Begun | None = None
    with guard(site):
        begun = begin()
    if begun is None:
        return await wrapped(*args, **kwargs)
    live = begun.live
    if admission.ask is not None:
        answer: admission.Answer = None
        with guard(site):
            answer = admission.ask(live)
        if answer is not None:
            await admission.insist_async(site, answer, live.fail)
    token = live.attach()
    try:
        result = await wrapped(*begun.args, **begun.kwargs)
    except BaseException as error:
        live.detach(token)
        live.fail(error)
        raise
    live.detach(token)
    _accepted(site, live, result, accept)
    return result


def _accepted(site: str, live: Interception, result: Any, accept: Accept) -> None:
    over = True
    with guard(site):
        over = accept(live, result)
    if over:
        with guard(site):
            live.finish()

"""Runs a vendor's method with a live call around it: ours before, theirs alone, ours after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.guard import guard


class Begun(NamedTuple):
    """A started call and the arguments to hand to the vendor's method (the caller's own, or a changed copy)."""

    call: Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


Begin = Callable[[], Begun | None]
"""Looks at the request; ``None`` leaves the vendor's method alone."""

Accept = Callable[[Call, Any], bool]
"""Looks at the result. Returns whether the call is over; ``False`` where a stream goes on and will finish it.

It may change a stream in place but never replaces what the caller gets.
"""


def around(site: str, wrapped: Callable[..., Any], args: Any, kwargs: Any, begin: Begin, accept: Accept) -> Any:
    """Call ``wrapped`` inside the call that ``begin`` started; its result and its exception pass untouched."""
    begun: Begun | None = None
    with guard(site):
        begun = begin()
    if begun is None:
        return wrapped(*args, **kwargs)
    call = begun.call
    token = call.attach()
    try:
        result = wrapped(*begun.args, **begun.kwargs)
    except BaseException as error:
        call.detach(token)
        call.fail(error)
        raise
    call.detach(token)
    _accepted(site, call, result, accept)
    return result


async def around_async(
    site: str, wrapped: Callable[..., Awaitable[Any]], args: Any, kwargs: Any, begin: Begin, accept: Accept
) -> Any:
    """The same around a coroutine function; begins when it is awaited, not when it is called."""
    begun: Begun | None = None
    with guard(site):
        begun = begin()
    if begun is None:
        return await wrapped(*args, **kwargs)
    call = begun.call
    token = call.attach()
    try:
        result = await wrapped(*begun.args, **begun.kwargs)
    except BaseException as error:
        call.detach(token)
        call.fail(error)
        raise
    call.detach(token)
    _accepted(site, call, result, accept)
    return result


def _accepted(site: str, call: Call | NullCall, result: Any, accept: Callable[[Any, Any], bool]) -> None:
    over = True
    with guard(site):
        over = accept(call, result)
    if over:
        with guard(site):
            call.finish()

"""The method in which a client reads a reply that one of its doors has given: whether it could is how the call ended.

Clients that ask in one method and read in another may refuse there what was a good reply to HTTP: an operation whose
reply they cannot read has failed. So the end of a whole reply waits for that method's, wherever one is around it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextvars import ContextVar, Token
from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches
from agentops_sdk._http.exchange import Exchange
from agentops_sdk._propagation.context_keys import release

__all__ = ["ReplyFrame", "frame_methods", "reading"]

_SITE = "http.reply_frame"


class ReplyFrame:
    """One call of such a method, and the exchanges whose replies it reads."""

    __slots__ = ("_held", "_token")

    def __init__(self) -> None:
        self._held: list[Exchange] | None = []
        self._token: Token[ReplyFrame | None] | None = None

    def hold(self, exchange: Exchange) -> bool:
        """Whether the exchange will be ended here. One that has failed already needs no reader to say so."""
        if self._held is None or exchange.failed_body():
            return False
        self._held.append(exchange)
        return True

    def __enter__(self) -> None:
        self._token = reading.set(self)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        held, self._held = self._held, None  # a task that was begun here may outlive it
        with guard(_SITE):
            if self._token is not None:
                release(self._token)
            for exchange in held or ():
                if error is None:
                    exchange.finish()
                else:
                    exchange.fail(error)


reading: ContextVar[ReplyFrame | None] = ContextVar("agentops-reply-frame", default=None)
"""The frame that reads the replies of the doors in it."""


def frame_methods(patches: Patches, module: str, owners: Iterable[str], names: Iterable[str]) -> None:
    """Patch methods of a client that ask through a door and read its reply, once their module is imported.

    What a version lacks is left out, and ``status()`` says so.
    """
    patches.when_imported(module, partial(_patch, patches, tuple(owners), tuple(names)))


def _patch(patches: Patches, owners: tuple[str, ...], names: tuple[str, ...], module: ModuleType) -> None:
    for name in owners:
        owner = getattr(module, name, None)
        if owner is None:
            patches.missing.append(name)
            continue
        for method in names:
            patches.wrap(owner, method, _framed)


def _framed(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(wrapped):
        return _framed_async(wrapped, args, kwargs)
    with ReplyFrame():
        return wrapped(*args, **kwargs)


async def _framed_async(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with ReplyFrame():
        return await wrapped(*args, **kwargs)

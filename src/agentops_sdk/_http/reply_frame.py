"""The method in which a client reads a reply that one of its doors has given: whether it could is how the call ended.

Clients that ask in one method and read in another may refuse there what was a good reply to HTTP: an operation whose
reply they cannot read has failed. So an end that was good so far waits for that method's, wherever one is around it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
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
    """One call of such a method, and the exchanges of its client that began in it.

    Args:
        client: the integration's name. What others ask meanwhile, or the caller's own functions do, is not read here.
    """

    __slots__ = ("_exchanges", "_token", "client")

    def __init__(self, client: str) -> None:
        self.client = client
        self._exchanges: list[Exchange] | None = []
        self._token: Token[ReplyFrame | None] | None = None

    def begun(self, exchange: Exchange) -> None:
        """An exchange begins whose reply will be read here. What was asked before it has been read by now."""
        if self._exchanges is not None:
            for earlier in self._exchanges:
                earlier.read(None)
            self._exchanges = [exchange]
            exchange.read_later = True

    def __enter__(self) -> None:
        self._token = reading.set(self)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        exchanges, self._exchanges = self._exchanges, None  # a task that was begun here may outlive it
        with guard(_SITE):
            if self._token is not None:
                release(self._token)
            for exchange in exchanges or ():
                exchange.read(error)


reading: ContextVar[ReplyFrame | None] = ContextVar("agentops-reply-frame", default=None)
"""The frame that reads the replies of the doors in it."""


def frame_methods(patches: Patches, client: str, module: str, *, leave: Collection[str] = ()) -> None:
    """Patch the methods of a client that ask through a door and read its reply, once their module is imported.

    Args:
        patches: where they are kept.
        client: the integration's name.
        module: where their classes are: all public methods of all classes that are written there.
        leave: names of methods that do more than to ask and to read, such as to call functions of the program's.
    """
    patches.when_imported(module, partial(_patch, patches, client, leave))


def _patch(patches: Patches, client: str, leave: Collection[str], module: ModuleType) -> None:
    framed = partial(_framed, client)
    for owner in [each for each in vars(module).values() if isinstance(each, type)]:
        if owner.__module__ == module.__name__:
            for name in [name for name, value in vars(owner).items() if _is_method(name, value) and name not in leave]:
                patches.wrap(owner, name, framed)


def _is_method(name: str, value: Any) -> bool:
    """Whether it is one that does its work where it is called: not a generator, nor what makes one to be entered."""
    if name.startswith("_") or isinstance(value, type | staticmethod | classmethod) or not callable(value):
        return False
    method = inspect.unwrap(value)
    return not (inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method))


def _framed(
    client: str, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    outer = reading.get()
    if outer is not None and outer.client == client:  # it goes on with what this one has read
        return wrapped(*args, **kwargs)
    if inspect.iscoroutinefunction(wrapped):
        return _framed_async(client, wrapped, args, kwargs)
    with ReplyFrame(client):
        return wrapped(*args, **kwargs)


async def _framed_async(client: str, wrapped: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    with ReplyFrame(client):
        return await wrapped(*args, **kwargs)

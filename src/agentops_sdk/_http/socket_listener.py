"""A WebSocket that a client has opened: who listens is told what is sent, what is received, and its end.

Clients send and receive from several places; all of it meets in the socket, whose methods are shadowed while it lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

import orjson

from agentops_sdk._host import admission
from agentops_sdk._host.guard import guard

__all__ = ["Listener", "Stop", "Watched", "listen"]

_SITE = "http.socket_listener"

Wrapped = Callable[..., Any]


class Listener(Protocol):
    """What is told of a socket: each call is guarded, and on the thread of the program."""

    def sent(self, data: Any) -> Any:
        """A message is about to be sent; what is returned is handed to :meth:`unsent`.

        Where it has a ``call``, limits are asked about that, and may keep the message from being sent.
        """
        ...

    def unsent(self, message: Any, error: BaseException) -> None:
        """The message could not be sent."""
        ...

    def received(self, data: Any) -> None:
        """A message came, and is handed to the program."""
        ...

    def lost(self, error: BaseException) -> None:
        """Receiving raised: the connection was closed, or a wait for the next message was cut short."""
        ...

    def closed(self) -> None:
        """The program closes the connection."""
        ...


class Stop(NamedTuple):
    """What a limit has done in place of receiving more.

    Attributes:
        message: what the server is sent first, if anything: the members of a JSON object.
        closes: whether the connection is closed.
        error: what receiving raises.
        data: what is received in place of what would come; with neither, receiving goes on.
    """

    message: Mapping[str, Any] | None = None
    closes: bool = False
    error: Exception | None = None
    data: bytes | None = None


def listen(socket: Any, listener: Listener) -> None:
    """Have ``listener`` told of a connection of ``websockets``, which stays the very object that it is.

    Where the listener has a method ``stop``, that says before each message of an asynchronous connection whether a
    limit ends it: a :class:`Stop`, or ``None``.
    """
    here, send, receive, close = vars(socket), socket.send, socket.recv, socket.close
    if not hasattr(socket, "__aiter__"):
        here["send"], here["recv"] = partial(_send, listener, send), partial(_recv, listener, receive)
    else:
        here["send"], here["recv"] = partial(_asend, listener, send), partial(_arecv, listener, receive)
        if hasattr(listener, "stop"):
            here["recv"] = partial(_arecv_or_stop, listener, send, close, receive)
    here["close"] = partial(_close, listener, close)


# --- what stands in for the methods of one socket: its own first and alone, then a guarded look ----


class Watched:
    """A call of the socket's own method: an error of it is told, and passes."""

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None: ...

    def fail(self, error: BaseException) -> None:
        """It is raised in place of the call."""
        with guard(_SITE):
            self._tell(error)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.fail(error)


def _sending(listener: Listener, message: Any) -> tuple[admission.Answer, Watched]:
    """What limits say to a message that is about to be sent, and who is told where it could not be."""
    begun: Any = None
    with guard(_SITE):
        begun = listener.sent(message)
    answer = None if begun is None else admission.answered(_SITE, begun)
    return answer, Watched(partial(listener.unsent, begun))


def _received(listener: Listener, data: Any) -> Any:
    with guard(_SITE):
        listener.received(data)
    return data


def _send(listener: Listener, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    answer, watched = _sending(listener, message)
    if answer is not None:
        admission.insist(_SITE, answer, watched.fail)
    with watched:
        return original(message, *args, **kwargs)


async def _asend(listener: Listener, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    answer, watched = _sending(listener, message)
    if answer is not None:
        await admission.insist_async(_SITE, answer, watched.fail)
    with watched:
        return await original(message, *args, **kwargs)


def _recv(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with Watched(listener.lost):
        data = original(*args, **kwargs)
    return _received(listener, data)


async def _arecv(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with Watched(listener.lost):
        data = await original(*args, **kwargs)
    return _received(listener, data)


async def _arecv_or_stop(
    listener: Any, send: Wrapped, close: Wrapped, receive: Wrapped, *args: Any, **kwargs: Any
) -> Any:
    stop: Stop | None = None
    with guard(_SITE):
        stop = listener.stop()
    if stop is not None:
        if stop.message is not None:
            with guard(_SITE):
                await send(orjson.dumps(stop.message).decode())
        if stop.closes:
            with guard(_SITE):
                await _hang_up(close, receive)
        if stop.error is not None:
            raise stop.error
        if stop.data is not None:
            return stop.data
    return await _arecv(listener, receive, *args, **kwargs)


async def _hang_up(close: Wrapped, receive: Wrapped) -> None:
    """Close, and read on meanwhile: the farewell is behind what is unread, and is waited for until then."""
    import asyncio  # whoever has such a connection has imported it

    closing = asyncio.ensure_future(close())
    with suppress(Exception):  # the connection is closed
        while True:
            await receive()
    await closing


def _close(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with guard(_SITE):
        listener.closed()
    return original(*args, **kwargs)  # of the asynchronous one, its coroutine

"""The client's WebSocket connections: whoever listens to one is told what is sent, what is received, and its end.

The client sends from several places (the connection, its queue, the lanes of a session), and reconnects by itself; all
of that meets in the socket, whose methods are shadowed while it lives.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from agentops_sdk.integration import Patches, guard, refusal, semconv, start
from agentops_sdk.integration.clients import Attributes, address, provider_of

_SITE = "openai.connections"

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


Listen = Callable[[Any, Attributes], Listener]
"""Makes the listener to a socket of a connection manager, with what is known of the server."""


def install(patches: Patches, module: str, name: str, operation: str, listen: Listen) -> None:
    """Listen to the sockets that the ``NameConnectionManager`` classes of ``module`` open, once it is imported."""
    patches.when_imported(module, partial(_patch, patches, name, operation, listen))


def _patch(patches: Patches, name: str, operation: str, listen: Listen, module: Any) -> None:
    def connect(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with _Watched(partial(_unreachable, instance, operation)):
            socket = wrapped(*args, **kwargs)
        return _watch(instance, listen, socket)

    async def connect_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with _Watched(partial(_unreachable, instance, operation)):
            socket = await wrapped(*args, **kwargs)
        return _watch(instance, listen, socket)

    for prefix, opens in (("", connect), ("Async", connect_async)):
        manager = getattr(module, f"{prefix}{name}ConnectionManager", None)
        if manager is not None:  # older versions have fewer
            patches.wrap(manager, "_connect_ws", opens)


def private(manager: Any, name: str) -> Any:
    """A name-mangled attribute of a connection manager, sync or async."""
    return next((value for key, value in vars(manager).items() if key.endswith(f"Manager__{name}")), None)


def server_of(manager: Any) -> Attributes:
    """The provider, and its address."""
    client = private(manager, "client")
    where = address(str(getattr(client, "websocket_base_url", None) or getattr(client, "base_url", "")))
    provider = provider_of(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], type(client))
    return {semconv.PROVIDER_NAME: provider, **where}


def _unreachable(manager: Any, operation: str, error: BaseException) -> None:
    """A connection that fails is told; one that opens asks for nothing yet, and what follows speaks for itself."""
    attributes = {**server_of(manager), semconv.OPERATION_NAME: operation}
    start("span", span_name=operation, attributes=attributes, to_vendor=True).fail(error)


def _watch(manager: Any, listen: Listen, socket: Any) -> Any:
    with guard(_SITE):
        here, coroutines = vars(socket), hasattr(socket, "__aiter__")
        listener = listen(manager, server_of(manager))
        shadows = {"send": _asend, "recv": _arecv} if coroutines else {"send": _send, "recv": _recv}
        for name, shadow in {**shadows, "close": _close}.items():
            here[name] = partial(shadow, listener, getattr(socket, name))
    return socket


# --- what stands in for the methods of one socket: its own first and alone, then a guarded look ----


class _Watched:
    """A call of the socket's own method: an error of it is told, and passes."""

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            with guard(_SITE):
                self._tell(error)


def _sending(listener: Listener, message: Any) -> _Watched:
    begun: Any = None
    with guard(_SITE):
        begun = listener.sent(message)
    if begun is not None and (refused := refusal(_SITE, begun)) is not None:
        with guard(_SITE):
            listener.unsent(begun, refused)
        raise refused
    return _Watched(partial(listener.unsent, begun))


def _received(listener: Listener, data: Any) -> Any:
    with guard(_SITE):
        listener.received(data)
    return data


def _send(listener: Listener, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    with _sending(listener, message):
        return original(message, *args, **kwargs)


async def _asend(listener: Listener, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    with _sending(listener, message):
        return await original(message, *args, **kwargs)


def _recv(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with _Watched(listener.lost):
        data = original(*args, **kwargs)
    return _received(listener, data)


async def _arecv(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with _Watched(listener.lost):
        data = await original(*args, **kwargs)
    return _received(listener, data)


def _close(listener: Listener, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with guard(_SITE):
        listener.closed()
    return original(*args, **kwargs)  # of the asynchronous one, its coroutine

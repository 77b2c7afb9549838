"""The client's WebSocket connections, each with somebody who listens to its socket.

The client sends from several places (the connection, its queue, the lanes of a session), and reconnects by itself; all
of that meets in the socket.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from agentops_sdk.integration import Patches, guard, refusal, semconv, start
from agentops_sdk.integration.clients import Attributes, Listener, Watched, address, listen, provider_of

_SITE = "openai.connections"

Wrapped = Callable[..., Any]


Listen = Callable[[Any, Attributes], Listener]
"""Makes the listener to a socket of a connection manager, with what is known of the server."""


def install(patches: Patches, module: str, name: str, operation: str, listener_to: Listen) -> None:
    """Listen to the sockets that the ``NameConnectionManager`` classes of ``module`` open, once it is imported."""
    patches.when_imported(module, partial(_patch, patches, name, operation, listener_to))


def _patch(patches: Patches, name: str, operation: str, listener_to: Listen, module: Any) -> None:
    def connect(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Watched(partial(_unreachable, instance, operation)):
            socket = wrapped(*args, **kwargs)
        if (refused := _watch(instance, listener_to, socket)) is not None:
            socket.close()
            raise refused
        return socket

    async def connect_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Watched(partial(_unreachable, instance, operation)):
            socket = await wrapped(*args, **kwargs)
        if (refused := _watch(instance, listener_to, socket)) is not None:
            await socket.close()
            raise refused
        return socket

    for prefix, opens in (("", connect), ("Async", connect_async)):
        manager = getattr(module, f"{prefix}{name}ConnectionManager", None)
        if manager is not None:  # older versions have fewer
            patches.wrap(manager, "_connect_ws", opens)


def install_model(
    patches: Patches,
    module: str,
    name: str,
    operation: str,
    listener_to: Listen,
    method: str = "_open_websocket_connection",
) -> None:
    """Listen to the sockets that a model of the Agents SDK opens, which asks ``websockets`` itself."""

    async def opens(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        server: Attributes = {}
        with guard(_SITE):
            client = getattr(instance, "_client", None)  # the model has no public one, or none at all
            server = _server_at(args[0] if args else kwargs.get("url"), type(client))
        with Watched(partial(_failed, server, operation)):
            socket = await wrapped(*args, **kwargs)
        with guard(_SITE):
            listen(socket, listener_to(instance, server))
        return socket

    patches.when_imported(module, lambda imported: patches.wrap(getattr(imported, name), method, opens))


def private(manager: Any, name: str) -> Any:
    """A name-mangled attribute of a connection manager, sync or async."""
    return next((value for key, value in vars(manager).items() if key.endswith(f"Manager__{name}")), None)


def server_of(manager: Any) -> Attributes:
    """The provider, and its address."""
    client = private(manager, "client")
    return _server_at(getattr(client, "websocket_base_url", None) or getattr(client, "base_url", ""), type(client))


def _server_at(url: Any, client: type[Any]) -> Attributes:
    where = address(str(url))
    return {
        semconv.PROVIDER_NAME: provider_of(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], client),
        **where,
    }


def _unreachable(manager: Any, operation: str, error: BaseException) -> None:
    _failed(server_of(manager), operation, error)


def _failed(server: Attributes, operation: str, error: BaseException) -> None:
    """A connection that fails is told; one that opens asks for nothing yet, and what follows speaks for itself."""
    attributes = {**server, semconv.OPERATION_NAME: operation}
    start("span", span_name=operation, attributes=attributes, to_vendor=True).fail(error)


def _watch(manager: Any, listener_to: Listen, socket: Any) -> Exception | None:
    """Listen; where the connection is itself a call, why it must not be made."""
    refused: Exception | None = None
    with guard(_SITE):
        listener = listener_to(manager, server_of(manager))
        call = getattr(listener, "call", None)
        refused = refusal(_SITE, listener) if call is not None else None
        if call is not None and refused is not None:
            call.fail(refused)
        listen(socket, listener)
    return refused

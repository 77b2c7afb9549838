"""Sessions, which no span tells of: how long each lasted, as a metric of the end that we are on."""

from __future__ import annotations

import sys
import time
from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from agentops_integrations.mcp import transports
from agentops_integrations.mcp.sent_requests import agreed
from agentops_sdk.integration import Patches, guard, measure, semconv

_begun: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
"""By session when it began, in seconds of the monotonic clock."""


def install(patches: Patches, *, first: bool) -> None:
    """Version 1 begins and ends those of both ends in one class, version 2 a client's; its servers have connections."""
    module, session = ("mcp.shared.session", "BaseSession") if first else ("mcp.client.session", "ClientSession")
    patches.when_imported(module, partial(_wrap, patches, session))
    if not first:
        patches.when_imported("mcp.server.runner", partial(_connections, patches))


def _wrap(patches: Patches, session: str, module: ModuleType) -> None:
    cls = getattr(module, session)
    patches.wrap(cls, "__aenter__", _enter)
    patches.wrap(cls, "__aexit__", _exit)


def _enter(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("mcp.session"):
        _begun[instance] = time.monotonic()
    return wrapped(*args, **kwargs)


async def _exit(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return await wrapped(*args, **kwargs)
    finally:
        with guard("mcp.session"):
            _ended(instance, args[0] if args else None)


def _connections(patches: Patches, module: ModuleType) -> None:
    """A connection that is asked by one request after the other; where each stands alone, there is no session."""
    patches.wrap(module.Connection, "for_loop", _connect)
    patches.wrap(module, "aclose_shielded", _disconnect)


def _connect(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    connection = wrapped(*args, **kwargs)
    with guard("mcp.session"):
        _begun[connection] = time.monotonic()
    return connection


def _disconnect(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("mcp.session"):
        connection = args[0] if args else None
        begun = _begun.pop(connection, None)
        if begun is not None:
            _measure("server", connection, time.monotonic() - begun, sys.exc_info()[0])
    return wrapped(*args, **kwargs)


def _ended(session: Any, raised: Any) -> None:
    begun = _begun.pop(session, None)
    if begun is not None:
        server = any(cls.__name__ == "ServerSession" for cls in type(session).__mro__)
        _measure("server" if server else "client", session, time.monotonic() - begun, raised)


def _measure(end: str, session: Any, seconds: float, raised: Any) -> None:
    failed = isinstance(raised, type) and issubclass(raised, Exception)
    error = None
    if failed:
        error = raised.__qualname__ if raised.__module__ == "builtins" else f"{raised.__module__}.{raised.__qualname__}"
    measure(
        f"mcp.{end}.session.duration",
        seconds,
        {**agreed(session), **transports.of_session(session), semconv.ERROR_TYPE: error},
    )

"""What a session's messages go over: found by the streams that its transport hands out. Version 1 of the SDK.

A session knows two streams of memory and nothing of what lies behind them; each transport is watched where it is handed
the other ends of the same streams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from agentops_sdk.integration import Patches, guard, semconv

__all__ = ["install", "of_request", "of_session"]

_STDIO = (
    ("mcp.client.stdio", "stdio_client"), ("mcp", "stdio_client"), ("mcp.server.stdio", "stdio_server"),
    ("mcp", "stdio_server"), ("mcp.server.fastmcp.server", "stdio_server"),
)  # fmt: skip
"""Each place where the SDK holds one of the two functions."""
_PORTS = {"http": 80, "https": 443}
_PIPE = {semconv.NETWORK_TRANSPORT: "pipe"}
_HTTP = {semconv.NETWORK_TRANSPORT: "tcp", semconv.NETWORK_PROTOCOL_NAME: "http"}

_transports: WeakKeyDictionary[Any, Callable[[], Mapping[str, Any]]] = WeakKeyDictionary()
"""By what both ends of a stream share: what is known of the transport."""


def install(patches: Patches) -> None:
    """Watch the transports that are imported, now and later."""
    patches.when_imported("mcp.client.streamable_http", partial(_streamable_http, patches))
    for module, name in _STDIO:
        patches.when_imported(module, partial(_stdio, patches, name))


def of_session(session: Any) -> dict[str, Any]:
    """Attributes of the transport of a session; empty where it is none that is known."""
    state = getattr(getattr(session, "_read_stream", None), "_state", None)
    tell = _transports.get(state) if state is not None else None
    return dict(tell()) if tell is not None else {}


def of_request(request: Any) -> dict[str, Any]:
    """Attributes of the HTTP request, Starlette's, that brought a message to a server."""
    scope = getattr(request, "scope", None)
    if not isinstance(scope, dict) or scope.get("type") != "http":
        return {}
    address, port = (*(scope.get("client") or ()), None, None)[:2]
    return {
        **_HTTP,
        semconv.NETWORK_PROTOCOL_VERSION: scope.get("http_version"),
        semconv.CLIENT_ADDRESS: address,
        semconv.CLIENT_PORT: port,
    }


def _streamable_http(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.StreamableHTTPTransport, "post_writer", _post_writer)


def _post_writer(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("mcp.transport"):
        writer = kwargs.get("read_stream_writer", args[2] if len(args) > 2 else None)
        state = getattr(writer, "_state", None)
        if state is not None:
            _transports[state] = partial(_of_http, instance)
    return wrapped(*args, **kwargs)


def _of_http(transport: Any) -> dict[str, Any]:
    parts = urlsplit(str(transport.url))
    version = getattr(transport, "protocol_version", None)
    return {
        **_HTTP,
        semconv.SERVER_ADDRESS: parts.hostname,
        semconv.SERVER_PORT: parts.port or _PORTS.get(parts.scheme),
        semconv.MCP_SESSION_ID: getattr(transport, "session_id", None),
        semconv.MCP_PROTOCOL_VERSION: None if version is None else str(version),
    }


def _stdio(patches: Patches, name: str, module: ModuleType) -> None:
    patches.wrap(module, name, _stdio_streams)


def _stdio_streams(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    manager = wrapped(*args, **kwargs)
    noted = manager
    with guard("mcp.transport"):
        noted = manager if isinstance(manager, _Noted) else _Noted(manager)
    return noted


class _Noted:
    """A context manager that gives a pair of streams, and notes what they are."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> Any:
        streams = await self._manager.__aenter__()
        with guard("mcp.transport"):
            _transports[streams[0]._state] = lambda: _PIPE  # noqa: SLF001 - there is no other link between the ends
        return streams

    async def __aexit__(self, *error: object) -> Any:
        return await self._manager.__aexit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

"""What a session's messages go over: found by the streams that its transport hands out.

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


_STDIO_2 = (
    ("mcp.client.stdio", "stdio_client"), ("mcp", "stdio_client"), ("mcp.client.client", "stdio_client"),
    ("mcp.server.stdio", "stdio_server"), ("mcp", "stdio_server"), ("mcp.server.mcpserver.server", "stdio_server"),
)  # fmt: skip
"""The same of version 2."""
_HOLDERS = ("_dispatcher", "_connection", "outbound", "_outbound")
"""In version 2, what leads from a session to what reads its messages."""


def install(patches: Patches, *, first: bool) -> None:
    """Watch the transports that are imported, now and later."""
    patches.when_imported("mcp.client.streamable_http", partial(_streamable_http, patches))
    for module, name in _STDIO if first else _STDIO_2:
        patches.when_imported(module, partial(_stdio, patches, name))
    if not first:
        patches.when_imported("mcp.server.runner", partial(_relays, patches))


def of_session(session: Any) -> dict[str, Any]:
    """Attributes of the transport of a session; empty where it is none that is known."""
    for name in _HOLDERS:
        session = getattr(session, name, session)
    state = _state(getattr(session, "_read_stream", None))
    tell = _transports.get(state) if state is not None else None
    return {name: value for name, value in tell().items() if value is not None} if tell is not None else {}


def _state(stream: Any) -> Any:
    """What both ends of a stream share; version 2 wraps some of them."""
    return getattr(getattr(stream, "_inner", stream), "_state", None)


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
        state = _state(writer)
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


def _relays(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "_replay_from_opening_request", _relayed)


def _relayed(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A server that has looked at the first message reads from another stream, which goes over the same."""
    manager = wrapped(*args, **kwargs)
    noted = manager
    with guard("mcp.transport"):
        tell = _transports.get(_state(args[0] if args else kwargs.get("read_stream")))
        if tell is not None:
            noted = _Noted(manager, 1, tell)
    return noted


class _Noted:
    """A context manager that gives a pair of which one is a stream, and notes what that goes over."""

    def __init__(self, manager: Any, position: int = 0, tell: Callable[[], Mapping[str, Any]] = lambda: _PIPE) -> None:
        self._manager, self._position, self._tell = manager, position, tell

    async def __aenter__(self) -> Any:
        streams = await self._manager.__aenter__()
        with guard("mcp.transport"):
            _transports[_state(streams[self._position])] = self._tell
        return streams

    async def __aexit__(self, *error: object) -> Any:
        return await self._manager.__aexit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

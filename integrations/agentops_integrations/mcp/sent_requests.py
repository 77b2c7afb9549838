"""Requests as they are sent: by a client to its server, and by a server to its client. The trace goes along."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentops_integrations.mcp import replayed_tools, request_spans, transports
from agentops_integrations.mcp.progress import watched
from agentops_integrations.mcp.request_spans import RequestSpan
from agentops_sdk.integration import Begun, Patches, Wrapper, around_async, current_call, guard, semconv

_SITE = "mcp.send_request"

_versions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""By session the version of the protocol that its handshake has agreed on."""
_servers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""By session what its handshake has told of the server; by a server's connection the server."""


def install(patches: Patches, *, first: bool) -> None:
    """Version 1 sends on one class, and has no trace to send along; version 2 sends on two, and does it itself."""
    sessions = {"mcp.client.session": "ClientSession", "mcp.server.session": "ServerSession"}
    wrapper = _send_1 if first else _send_2
    for module, session in ({"mcp.shared.session": "BaseSession"} if first else sessions).items():
        patches.when_imported(module, partial(_wrap, patches, session, wrapper))
    check = "_validate_tool_result" if first else "validate_tool_result"
    patches.when_imported(
        "mcp.client.session", lambda module: patches.wrap(module.ClientSession, check, replayed_tools.checked)
    )
    if not first:
        patches.when_imported("mcp.shared.jsonrpc_dispatcher", partial(_numbers, patches))


def _wrap(patches: Patches, session: str, wrapper: Wrapper, module: ModuleType) -> None:
    patches.wrap(getattr(module, session), "send_request", wrapper)


def _send_1(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    begin = partial(_begin, args, kwargs, carry=True, session=instance)
    send = wrapped
    with guard(_SITE):
        send = replayed_tools.sender(wrapped)
    return around_async(_SITE, send, args, kwargs, begin, partial(_answered, instance))


def _answered(session: Any, span: RequestSpan, result: Any) -> bool:
    """By now the handshake has told what was agreed."""
    if span.method == "initialize" and (version := getattr(result, "protocolVersion", None)) is not None:
        _versions[session] = str(version)
        _servers[session] = getattr(result, "serverInfo", None)
    with guard("mcp.transport"):
        span.call.update({**agreed(session), **server_of(session), **transports.of_session(session)})
    return request_spans.answered(span, result)


def agreed(session: Any) -> dict[str, Any]:
    """What the handshake of a session has settled."""
    told = getattr(session, "protocol_version", None)  # version 2 keeps it itself
    return {semconv.MCP_PROTOCOL_VERSION: _versions.get(session, told)}


def server_of(session: Any) -> dict[str, Any]:
    """The server that a session is with, once the handshake is over; on its own end, itself."""
    told = _servers.get(session) or getattr(session, "server_info", None)  # version 2 keeps it itself
    if told is None and (connection := getattr(session, "_connection", None)) is not None:
        told = _servers.get(connection)
    if told is None and (options := getattr(session, "_init_options", None)) is not None:  # of a server of version 1
        told = {"name": options.server_name, "version": options.server_version}
    return request_spans.of_server(told)


def serves(server: Any, connection: Any) -> None:
    """A server of version 2 has been asked something over a connection, over which it may ask in turn."""
    if server is not None and connection is not None:
        _servers[connection] = server


def _send_2(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    begin = partial(_begin, args, kwargs, carry=False, session=instance)
    send = wrapped
    with guard(_SITE):
        send = replayed_tools.sender(wrapped)
    return around_async(_SITE, send, args, kwargs, begin, partial(_answered, instance))


def _numbers(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.JSONRPCDispatcher, "_allocate_id", _numbered)


def _numbered(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Which number a request has: it is given as it is sent, inside of its span."""
    number = wrapped(*args, **kwargs)
    with guard("mcp.number"):
        call = current_call()
        if call is not None and semconv.MCP_METHOD_NAME in call.span.attributes:
            call.set(semconv.JSONRPC_REQUEST_ID, str(number))
    return number


def _begin(args: tuple[Any, ...], kwargs: dict[str, Any], *, carry: bool, session: Any = None) -> Begun | None:
    request = args[0] if args else kwargs.get("request")
    inner = getattr(request, "root", request)
    method = getattr(inner, "method", None)
    if type(method) is not str:
        return None
    number = getattr(session, "_request_id", None)  # which it gives the request that it sends now
    span = request_spans.begin(
        method, getattr(inner, "params", None), kind=SpanKind.CLIENT,
        JSONRPC_REQUEST_ID=None if number is None else str(number),
    )  # fmt: skip
    if span is None:
        return None
    if session is not None:
        span.call.update({**agreed(session), **server_of(session), **transports.of_session(session)})
    if carry:
        with guard("mcp.carry"):
            sent = _with_trace(request, inner, span)
            if args:
                args = (sent, *args[1:])
            else:
                kwargs = {**kwargs, "request": sent}
    callback = kwargs.get("progress_callback")
    if callback is not None:
        kwargs = {**kwargs, "progress_callback": watched(callback, span.call)}
    return Begun(span, args, kwargs)


def _with_trace(request: Any, inner: Any, span: RequestSpan) -> Any:
    """A copy of the request whose ``_meta`` carries the trace; what the program handed over stays as it is.

    Only ids go along, no baggage: whose server it is we do not know. Requests without parameters have no place for it.
    """
    params = getattr(inner, "params", None)
    if params is None:
        return request
    fields: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(fields, span.call.context)
    meta = params.meta
    if meta is None:
        meta_type = type(params).model_fields["meta"].annotation
        meta = next(each for each in getattr(meta_type, "__args__", (meta_type,)) if each is not type(None))()
    carried = params.model_copy(update={"meta": meta.model_copy(update=fields)})
    changed = inner.model_copy(update={"params": carried})
    return changed if inner is request else request.model_copy(update={"root": changed})

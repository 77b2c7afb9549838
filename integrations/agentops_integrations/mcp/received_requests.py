"""Requests as they are handled: a server's tools, resources and prompts, a client's answers to its server."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentops_integrations.mcp import request_spans, sent_requests, transports
from agentops_integrations.mcp.request_spans import RequestSpan
from agentops_sdk.integration import Begun, Patches, Wrapper, around_async, current_call, guard, release, semconv

_SITE = "mcp.handle_request"

_handled: ContextVar[RequestSpan | None] = ContextVar("agentops-mcp-handled", default=None)
"""The request that is being handled here: in version 1, its response is sent inside."""


def install(patches: Patches, *, first: bool) -> None:
    """In version 1 the handlers' dispatch, and what sends their responses; in version 2 what composes middleware."""
    for module, owner, name, wrapper in _VERSION_1 if first else _VERSION_2:
        patches.when_imported(module, partial(_wrap, patches, owner, name, wrapper))


def _wrap(patches: Patches, owner: str, name: str, wrapper: Wrapper, module: ModuleType) -> None:
    patches.wrap(getattr(module, owner), name, wrapper)


# --- version 1 ----------------------------------------------------------------------------------------


def _handle_request(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    responder = args[0] if args else kwargs.get("message")
    return around_async(_SITE, wrapped, args, kwargs, partial(_begin_1, responder, args, kwargs, instance), _over)


def _received_request(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    responder = args[0] if args else kwargs.get("responder")
    return around_async(_SITE, wrapped, args, kwargs, partial(_begin_1, responder, args, kwargs), _over)


def _begin_1(responder: Any, args: tuple[Any, ...], kwargs: dict[str, Any], server: Any = None) -> Begun | None:
    request = responder.request.root
    headers = getattr(getattr(responder.message_metadata, "request_context", None), "headers", None)
    session_id = headers.get("mcp-session-id") if isinstance(headers, Mapping) else None
    span = _begin(
        request.method, getattr(request, "params", None), _extra(responder.request_meta),
        JSONRPC_REQUEST_ID=str(responder.request_id), MCP_SESSION_ID=session_id,
    )  # fmt: skip
    if span is not None:
        with guard("mcp.transport"):
            session = getattr(responder, "_session", None)
            carried = getattr(responder.message_metadata, "request_context", None)
            span.call.update(sent_requests.server_of(session) if server is None else request_spans.of_server(server))
            span.call.update({**_agreed(session), **transports.of_session(session), **transports.of_request(carried)})
    return None if span is None else Begun(_Handled(span), args, kwargs)


def _agreed(session: Any) -> dict[str, Any]:
    """Of a server's session: the version of the protocol that the client has asked for in its handshake."""
    version = getattr(getattr(session, "_client_params", None), "protocolVersion", None)
    return {} if version is None else {semconv.MCP_PROTOCOL_VERSION: str(version)}


class _Handled(RequestSpan):
    """A request of version 1 while it is handled: its response, which is sent inside, ends it."""

    __slots__ = ()

    def __init__(self, span: RequestSpan) -> None:
        super().__init__(span.call, span.method)

    def attach(self) -> Any:
        return _handled.set(self), super().attach()

    def detach(self, token: Any) -> None:
        release(token[0])
        super().detach(token[1])


def _over(span: RequestSpan, result: Any) -> bool:
    """Whatever was not answered: the client has cancelled it, and is told nothing more."""
    if not span.call.ended:
        span.call.finish("cancelled")
    return False


def _respond(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("mcp.respond"):
        span = _handled.get()
        if span is not None:
            response = args[0] if args else kwargs.get("response")
            result = getattr(response, "root", response)
            if type(result).__name__ == "ErrorData":
                request_spans.declined(span, result)
            else:
                request_spans.answered(span, result)
    return wrapped(*args, **kwargs)


def _extra(meta: Any) -> Mapping[str, Any] | None:
    return getattr(meta, "__pydantic_extra__", None) if meta is not None else None


# --- version 2 ----------------------------------------------------------------------------------------


def _compose(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a server runs for a message is composed anew each time, of a list of middleware that others may replace."""
    handle = wrapped(*args, **kwargs)
    recorded = handle
    with guard(_SITE):
        recorded = partial(_handle, handle, getattr(instance, "server", None))
    return recorded


async def _handle(handle: Any, server: Any, context: Any) -> Any:
    return await around_async(
        _SITE, handle, (context,), {}, partial(_begin_2, context, (context,), {}, server), request_spans.answered
    )


def _begin_2(context: Any, args: tuple[Any, ...], kwargs: dict[str, Any], server: Any) -> Begun | None:
    if context.request_id is None:  # a notification
        return None
    connection = getattr(context.session, "_connection", None)
    span = _begin(
        context.method, context.params, context.meta, JSONRPC_REQUEST_ID=str(context.request_id),
        MCP_SESSION_ID=getattr(connection, "session_id", None), MCP_PROTOCOL_VERSION=context.protocol_version,
    )  # fmt: skip
    if span is not None:
        with guard("mcp.transport"):
            carried = getattr(context, "request", None)
            sent_requests.serves(server, connection)
            span.call.update(request_spans.of_server(server))
            span.call.update({**transports.of_session(context.session), **transports.of_request(carried)})
    return None if span is None else Begun(span, args, kwargs)


def _input_request(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    context, request = (*args, kwargs.get("ctx"), kwargs.get("request"))[:2]

    def begin() -> Begun | None:
        span = _begin(request.method, request.params, context.meta, JSONRPC_REQUEST_ID=str(context.request_id))
        if span is not None:
            span.call.update(sent_requests.server_of(instance))
        return None if span is None else Begun(span, args, kwargs)

    return around_async(_SITE, wrapped, args, kwargs, begin, _input_answered)


def _input_answered(span: RequestSpan, response: Any) -> bool:
    if type(response).__name__ == "ErrorData":
        request_spans.declined(span, response)
        return False
    return request_spans.answered(span, response)


# --- both ---------------------------------------------------------------------------------------------


def _begin(method: str, params: Any, meta: Any, **attributes: Any) -> RequestSpan | None:
    parent = _caller(meta)
    around = current_call() if parent is None else None
    repeats = parent is not None or (around is not None and semconv.MCP_METHOD_NAME in around.span.attributes)
    return request_spans.begin(method, params, kind=SpanKind.SERVER, parent=parent, repeats=repeats, **attributes)


def _caller(meta: Any) -> Context | None:
    """The trace of the caller, where the request carries it: what is current here is the life of the server."""
    if not isinstance(meta, Mapping) or type(meta.get("traceparent")) is not str:
        return None
    fields = {name: value for name in ("traceparent", "tracestate") if type(value := meta.get(name)) is str}
    caller = TraceContextTextMapPropagator().extract(fields, Context())
    span = get_current_span(caller).get_span_context()
    if not span.is_valid:
        return None
    here = get_current_span(get_current()).get_span_context()
    return None if here.span_id == span.span_id else caller  # in one process and task, the context tells more


_VERSION_1 = (
    ("mcp.server.lowlevel.server", "Server", "_handle_request", _handle_request),
    ("mcp.shared.session", "RequestResponder", "respond", _respond),
    ("mcp.client.session", "ClientSession", "_received_request", _received_request),
)
_VERSION_2 = (
    ("mcp.server.runner", "ServerRunner", "_compose_server_middleware", _compose),
    ("mcp.client.session", "ClientSession", "dispatch_input_request", _input_request),
)

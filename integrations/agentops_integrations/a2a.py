"""The Agent2Agent protocol: requests to another agent and their handling there, as one trace.

The library makes spans of its own, many for each request and without the conventions' names: none begins while this
integration is installed. The file is long, as both ends speak of one exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, get_current
from opentelemetry.trace import NoOpTracer, SpanKind

from agentops_sdk.integration import Call, Patches, current_call, guard, semconv, setting, snapshot, start
from agentops_sdk.integration.frameworks import MethodCalls, content, error_text, read_headers, write_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

_REPORTER = "a2a"
_FIELDS = ("traceparent", "tracestate", "baggage")
_SENT = ("SendMessage", "SendStreamingMessage")
_METHODS = {  # as the library calls them, and the protocol
    "send_message": "SendMessage",
    "send_message_streaming": "SendStreamingMessage",
    "subscribe": "SubscribeToTask",
}
_OUTCOMES = {
    "TASK_STATE_FAILED": "error",
    "TASK_STATE_REJECTED": "error",
    "TASK_STATE_CANCELED": "cancelled",
    "TASK_STATE_INPUT_REQUIRED": "interrupted",
    "TASK_STATE_AUTH_REQUIRED": "interrupted",
}
_HANDLED = ("get_task", "cancel_task", "list_tasks")
_MOST_PARTS = 100

Events = WeakKeyDictionary[Call, list[Any]]
"""What the agent has written so far, by the call whose stream it comes in."""


class A2AIntegration:
    """Wraps what the client's requests go through, the server's handlers, and what makes the headers."""

    name = "a2a"
    target = "a2a"
    distribution = "a2a-sdk"
    requires = ">=1.0,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls, events = MethodCalls(_REPORTER, patches), Events()
        patches.when_imported("a2a.utils.telemetry", partial(_silence, patches))
        patches.when_imported("a2a.client.base_client", partial(_client, calls, events))
        for transport in ("jsonrpc", "rest"):
            patches.when_imported(
                f"a2a.client.transports.{transport}", lambda part: patches.wrap(part, "get_http_args", _with_trace)
            )
        patches.when_imported(
            "a2a.client.transports.grpc",
            lambda part: patches.wrap(part.GrpcTransport, "_get_grpc_metadata", _with_trace),
        )
        for handlers, name in (
            ("default_request_handler", "LegacyRequestHandler"),
            ("default_request_handler_v2", "DefaultRequestHandlerV2"),
        ):
            patches.when_imported(f"a2a.server.request_handlers.{handlers}", partial(_server, calls, events, name))


def _silence(patches: Patches, telemetry: ModuleType) -> None:
    """Each of its spans begins with the tracer that this one module asks for."""
    theirs = telemetry.trace
    ours = telemetry.trace = SimpleNamespace(get_tracer=lambda *_: _Silent())  # type: ignore[attr-defined]  # a module's name

    def undo() -> bool:
        if telemetry.trace is not ours:
            return False
        telemetry.trace = theirs  # type: ignore[attr-defined]  # a module's name
        return True

    patches.on_undo(undo)


class _Silent(NoOpTracer):
    """Makes spans that are not recorded, and leaves current what is."""

    def start_as_current_span(self, *_: Any, **__: Any) -> Any:
        from contextlib import nullcontext

        from opentelemetry.trace import INVALID_SPAN

        return nullcontext(INVALID_SPAN)


# --- the client ---------------------------------------------------------------------------------------


def _client(calls: MethodCalls, events: Events, module: ModuleType) -> None:
    client = module.BaseClient
    calls.wrap_async(client, "_execute_with_interceptors", partial(_ask, events), partial(_answered, events))
    calls.wrap_generator_async(
        client, "_execute_stream_with_interceptors", partial(_ask, events), partial(_over, events),
        each=partial(_event, events),
    )  # fmt: skip


def _ask(events: Events, instance: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    request, method = (*args, kwargs.get("input_data"), kwargs.get("method"))[:2]
    if len(args) == 1:
        method = kwargs.get("method")
    method = _METHODS.get(method, "".join(word.capitalize() for word in str(method).split("_")))
    card, transport = instance._card, instance._transport  # noqa: SLF001 - no other way to them
    return _begin(events, method, request, card, SpanKind.CLIENT, **_server_address(transport, card))


def _server_address(transport: Any, card: Any) -> dict[str, Any]:
    url = getattr(transport, "url", None) or next((each.url for each in card.supported_interfaces), "")
    parts = urlsplit(url if "//" in url else f"//{url}")
    return {"SERVER_ADDRESS": parts.hostname, "SERVER_PORT": parts.port}


def _with_trace(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The headers of a request, or gRPC's metadata. What the program has put there stays."""
    carried = wrapped(*args, **kwargs)
    with guard("a2a.headers"):
        call = current_call()
        if call is not None and _REPORTER in call.reporters:
            headers = carried.setdefault("headers", {}) if isinstance(carried, dict) else dict(carried)
            present = {name.lower() for name in headers}
            # Ids go along, and no baggage: whose agent it is we do not know.
            known = {} if "traceparent" in present else write_headers(get_current())
            fields = {name: known[name] for name in _FIELDS[:2] if name in known}
            if isinstance(carried, dict):
                headers.update(fields)
            else:
                carried.extend(fields.items())
    return carried


# --- the server ---------------------------------------------------------------------------------------


def _server(calls: MethodCalls, events: Events, name: str, module: ModuleType) -> None:
    handler = getattr(module, name)
    for method in ("message_send", *_HANDLED):
        begin = partial(_handle, events, _METHODS.get("send_message" if method == "message_send" else method))
        calls.wrap_async(handler, f"on_{method}", partial(begin, method), partial(_answered, events))
    for method, stands_for in (("message_send_stream", "send_message_streaming"), ("subscribe_to_task", "subscribe")):
        calls.wrap_generator_async(
            handler, f"on_{method}", partial(_handle, events, _METHODS[stands_for], method), partial(_over, events),
            each=partial(_event, events),
        )  # fmt: skip


def _handle(
    events: Events, protocol: str | None, method: str, instance: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    request = args[0] if args else kwargs.get("params")
    context = args[1] if len(args) > 1 else kwargs.get("context")
    protocol = protocol or "".join(word.capitalize() for word in method.split("_"))
    parent = _caller(getattr(context, "state", None))
    card = instance._agent_card  # noqa: SLF001 - no other way to it
    return _begin(events, protocol, request, card, SpanKind.SERVER, parent)


def _caller(state: Any) -> Context | None:
    """The trace that the request came with."""
    headers = state.get("headers") if isinstance(state, Mapping) else None
    if headers is None and isinstance(state, Mapping) and (call := state.get("grpc_context")) is not None:
        headers = dict(call.invocation_metadata() or ())
    if not isinstance(headers, Mapping):
        return None
    fields = {name: value for name in _FIELDS if type(value := headers.get(name)) is str}
    return read_headers(fields, get_current()) if "traceparent" in fields else None


# --- both ---------------------------------------------------------------------------------------------


def _begin(
    events: Events, method: str, request: Any, card: Any, kind: SpanKind, parent: Context | None = None, **facts: Any
) -> Any:
    """An agent is run by whoever asks it; where that is recorded elsewhere, its handling is a step of that.

    Where nobody's trace asked, the agent's run begins here: the conventions have it as a client's or as internal.
    """
    sent = method in _SENT
    message = request.message if sent else None
    asks = sent and (kind is SpanKind.CLIENT or parent is None)
    attributes: dict[str, Any] = {
        semconv.A2A_METHOD_NAME: method,
        semconv.A2A_PROTOCOL_VERSION: next((each.protocol_version for each in card.supported_interfaces), "") or None,
        semconv.A2A_TENANT: getattr(request, "tenant", "") or None,
        semconv.INTERNAL: None if sent else True,
        **{getattr(semconv, name): value for name, value in facts.items()},
    }
    if asks or kind is SpanKind.SERVER:
        attributes[semconv.AGENT_NAME] = card.name or None
        attributes[semconv.AGENT_VERSION] = card.version or None
        attributes[semconv.AGENT_DESCRIPTION] = card.description or None
        attributes[semconv.A2A_AGENT_PROVIDER] = card.provider.organization or None
        attributes[semconv.A2A_AGENT_URL] = _place(card)
        attributes[semconv.A2A_AGENT_SKILLS] = [each.name or each.id for each in card.skills] or None
    if message is not None:
        attributes[semconv.A2A_MESSAGE_ID] = message.message_id or None
        attributes[semconv.A2A_REFERENCE_TASK_IDS] = list(message.reference_task_ids) or None
        attributes.update(_ids(message.task_id, message.context_id), **_content(semconv.INPUT, message.parts))
    else:
        attributes.update(_ids(getattr(request, "task_id", "") or getattr(request, "id", ""), ""))
    call = start(
        "agent" if asks else "task", card.name if asks else None, span_name=None if asks else method,
        span_kind=SpanKind.INTERNAL if asks and kind is SpanKind.SERVER else kind,
        attributes=attributes, parent=parent, reporter=_REPORTER,
    )  # fmt: skip
    if isinstance(call, Call) and sent:
        events[call] = []
    return call


def _place(card: Any) -> str | None:
    """Where an agent is to be found, by its card; without what may be a secret."""
    parts = urlsplit(next((each.url for each in card.supported_interfaces), ""))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl() or None


def _ids(task: str, conversation: str) -> dict[str, Any]:
    return {semconv.A2A_TASK_ID: task or None, semconv.CONVERSATION_ID: conversation or None}


def _answered(events: Events, call: Call, result: Any) -> None:
    _event(events, call, result)
    _over(events, call, None)


def _event(events: Events, call: Call, event: Any) -> None:
    """A message, a task, or an update of one; of the client's stream what holds one of them."""
    written = events.get(call)
    if written is None:  # nobody was asked for anything but to look
        return
    if hasattr(event, "WhichOneof") and "payload" in event.DESCRIPTOR.oneofs_by_name:
        event = getattr(event, event.WhichOneof("payload"))
    kind = event.DESCRIPTOR.name
    if kind == "Message":
        call.update(_ids(event.task_id, event.context_id))
        written.extend(event.parts)
    elif kind == "Task":
        call.update(_ids(event.id, event.context_id))
        written[:] = [part for artifact in event.artifacts for part in artifact.parts]
        _state(call, event.status, written)
    elif kind == "TaskStatusUpdateEvent":
        call.update(_ids(event.task_id, event.context_id))
        _state(call, event.status, written)
    elif kind == "TaskArtifactUpdateEvent":
        written.extend(event.artifact.parts)


def _state(call: Call, status: Any, written: list[Any]) -> None:
    name = status.DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number[status.state].name
    call.set(semconv.A2A_TASK_STATE, name)
    if not written and name not in ("TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"):
        written.extend(status.message.parts)


def _over(events: Events, call: Call, _: Any) -> None:
    """The last state that was told is how it ended. What was written is told whole, also of a stream that was left."""
    written = events.pop(call, None)
    if written is None:
        return
    state = call.span.attributes.get(semconv.A2A_TASK_STATE)
    outcome = _OUTCOMES.get(str(state), "ok")
    if outcome == "error":
        error_text(call, _text(written), str(state))
    else:
        call.update(_content(semconv.OUTPUT, written))
    if outcome != "ok":
        call.finish(outcome)


def _content(name: str, parts: Iterable[Any]) -> dict[str, Any]:
    return content(name, _text(parts)) if setting("capture_content") else {}


def _text(parts: Iterable[Any]) -> str | None:
    """Parts as they read: their text, or where there is more than text, a list of what each is."""
    rows = [_part(part) for part, _ in zip(parts, range(_MOST_PARTS), strict=False)]
    if not rows:
        return None
    if all(set(row) == {"text"} for row in rows):
        return "\n".join(row["text"] for row in rows)
    return snapshot(rows).decode()


def _part(part: Any) -> dict[str, Any]:
    which = part.WhichOneof("content")
    if which == "data":
        from google.protobuf.json_format import MessageToDict

        return {"data": MessageToDict(part.data)}
    if which == "raw":
        return {"bytes": len(part.raw)}
    return {which: getattr(part, which)} if which else {}


integration = A2AIntegration()

"""What a request and its result are on a span, by the conventions for MCP; the same on both ends."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from agentops_sdk.integration import (
    Call,
    NullCall,
    decision_attributes,
    guard,
    outcome_of,
    release,
    semconv,
    setting,
    snapshot,
    start,
)

recorded: ContextVar[bool] = ContextVar("agentops-mcp-recorded", default=False)
"""Set inside of a request that we record: the SDK need not make a span of its own there."""

_INTERNAL = frozenset(
    ("initialize", "logging/setLevel", "ping", "prompts/list", "resources/list", "resources/templates/list",
     "roots/list", "server/discover", "tools/list")
)  # fmt: skip
"""What the protocol needs, and programs seldom ask for by themselves."""
_REJECTED = -1
"""The code by which clients tell that a person turned a request down."""

_MOST_CONTENTS = 100

_ACTIONS = snapshot([{"name": name} for name in ("accept", "decline", "cancel")]).decode()
_SAMPLING = snapshot([{"name": name} for name in ("answer", "reject")]).decode()


class RequestSpan:
    """One request while it is under way: what :func:`agentops_sdk.integration.around_async` wants of a call."""

    __slots__ = ("call", "method")

    def __init__(self, call: Call, method: str) -> None:
        self.call = call
        self.method = method

    def attach(self) -> Any:
        return recorded.set(True), self.call.attach()

    def detach(self, token: Any) -> None:
        release(token[0])
        self.call.detach(token[1])

    def fail(self, error: BaseException) -> None:
        with guard("mcp.fail"):
            if outcome_of(error) == "error":
                refused(self, getattr(error, "error", None))
        self.call.fail(error)

    def finish(self) -> bool:
        return self.call.finish()


def begin(method: str, params: Any, *, kind: SpanKind, parent: Context | None = None, repeats: bool = False,
          **attributes: Any) -> RequestSpan | None:  # fmt: skip
    """Start the span of a request.

    Args:
        method: of the protocol, such as ``tools/call``.
        params: the request's parameters, a model or a mapping.
        kind: ``CLIENT`` where it is sent, ``SERVER`` where it is handled.
        parent: what it nests in; what is current when not given.
        repeats: whoever sent it has recorded it: it is not counted as another call of a tool.
        attributes: further ones, by their names in ``semconv``.
    """
    name = _field(params, "name")
    name = name if type(name) is str else None
    target = name if method in ("tools/call", "prompts/get") else None
    is_tool = method == "tools/call"
    first = {
        semconv.MCP_METHOD_NAME: method,
        semconv.INTERNAL: True if method in _INTERNAL else None,
        semconv.MCP_RESOURCE_URI: str(uri) if (uri := _field(params, "uri")) is not None else None,
        semconv.PROMPT_NAME: target if method == "prompts/get" else None,
        semconv.TOOL_NAME: target if is_tool else None,
        **{getattr(semconv, key): value for key, value in attributes.items()},
        **_asked(method, params),
    }
    call: Call | NullCall = start(
        "tool" if is_tool and not repeats else "task",
        target,
        operation="execute_tool" if is_tool else None,
        attributes=first,
        parent=parent,
        span_name=f"{method} {target}" if target else method,
        span_kind=kind,
        reporter="mcp",
    )
    return RequestSpan(call, method) if isinstance(call, Call) else None


def of_server(info: Any) -> dict[str, Any]:
    """Which server it is, by what that calls itself: an object with its name and its version."""
    named = {semconv.MCP_SERVER_NAME: _field(info, "name"), semconv.MCP_SERVER_VERSION: _field(info, "version")}
    return {key: value for key, value in named.items() if type(value) is str and value}


def answered(span: RequestSpan, result: Any) -> bool:
    """The result is here; ends the span."""
    call, method = span.call, span.method
    if _field(result, "resultType", "result_type") == "input_required":
        call.finish("interrupted")  # until the client has asked for what is wanted, and sends the request again
        return True
    if setting("capture_content"):
        call.update(_given(method, result))
    call.update(_decided(method, result))
    failed = method == "tools/call" and _field(result, "isError", "is_error") is True
    if failed:
        call.set(semconv.ERROR_TYPE, "tool_error")
    call.finish("error" if failed else "ok")
    return True


def declined(span: RequestSpan, error: Any) -> None:
    """An error is what is answered; ends the span."""
    refused(span, error)
    message = _field(error, "message")
    if type(message) is str:
        span.call.event(semconv.EXCEPTION_EVENT, {semconv.EXCEPTION_MESSAGE: message})
    span.call.finish("error")


def refused(span: RequestSpan, error: Any) -> None:
    """An error of the protocol: its code is what kind of error it is."""
    code = _field(error, "code")
    if type(code) is not int:
        return
    span.call.set(semconv.ERROR_TYPE, str(code))
    span.call.set(semconv.RPC_RESPONSE_STATUS_CODE, str(code))
    if code == _REJECTED and span.method == "sampling/createMessage":
        span.call.update(decision_attributes("reject", name="sampling", options=_SAMPLING, by="human"))


_RESULTS = {
    "completion/complete": "completion",
    "elicitation/create": "content",
    "prompts/get": "messages",
    "sampling/createMessage": "content",
}
_PARAMS = {
    "completion/complete": ("ref", "argument"),
    "elicitation/create": ("message", "requestedSchema", "requested_schema", "url"),
    "prompts/get": ("arguments",),
    "sampling/createMessage": ("messages", "systemPrompt", "system_prompt", "tools"),
}


def _asked(method: str, params: Any) -> dict[str, Any]:
    if params is None or not setting("capture_content"):
        return {}
    if method == "tools/call":
        arguments = _field(params, "arguments")
        return {semconv.TOOL_CALL_ARGUMENTS: snapshot(arguments if arguments is not None else {}).decode()}
    values = {name: value for name in _PARAMS.get(method, ()) if (value := _field(params, name)) is not None}
    return {semconv.INPUT: snapshot(values).decode()} if values else {}


def _given(method: str, result: Any) -> dict[str, Any]:
    """What came back. Of a tool that gave one text, the text."""
    if method == "tools/call":
        blocks = _field(result, "content")
        text = _field(blocks[0], "text") if isinstance(blocks, list) and len(blocks) == 1 else None
        return {semconv.TOOL_CALL_RESULT: text if type(text) is str else _snapshot(blocks)}
    if method == "resources/read":
        contents = _field(result, "contents")
        rows = [{"uri": str(_field(each, "uri")), "text": _field(each, "text"), "blob": _field(each, "blob")}
                for each in (contents if isinstance(contents, list) else ())[:_MOST_CONTENTS]]  # fmt: skip
        return {semconv.OUTPUT: _snapshot([{key: value for key, value in row.items() if value} for row in rows])}
    value = _field(result, _RESULTS[method]) if method in _RESULTS else None
    return {semconv.OUTPUT: _snapshot(value)}


def _snapshot(value: Any) -> str | None:
    return None if value is None else value if type(value) is str else snapshot(value).decode()


def _decided(method: str, result: Any) -> dict[str, Any]:
    """A person's answer to a question, told on both ends; a model's to one of the server, where it was asked."""
    if method == "elicitation/create" and type(action := _field(result, "action")) is str:
        return decision_attributes(action, name="elicitation", options=_ACTIONS, by="human")
    if method == "sampling/createMessage" and type(model := _field(result, "model")) is str:
        return decision_attributes("answer", name="sampling", options=_SAMPLING, by="model", by_name=model)
    return {}


def _field(value: Any, *names: str) -> Any:
    """A field of a model, or of the mapping that it is on the wire; the first of ``names`` that there is.

    Of a model what it holds: properties run code, and may warn of themselves.
    """
    held = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    for name in names:
        member = held.get(name)
        if member is not None:
            return member
    return None

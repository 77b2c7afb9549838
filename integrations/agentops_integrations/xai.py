"""xAI's client, which speaks gRPC: chats in every style that it has, as bodies of OpenAI's dialect.

What goes over the wire are messages of its own protocol, so that the methods are patched that users call. The client
makes spans itself, of the same calls: none of those begins where we record one.

Long because it is the whole client: its messages of the protocol, read in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.trace import INVALID_SPAN

from agentops_sdk.integration import Patches, enclosing_llm_call, guard, semconv
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Endpoints, Json, Method, MethodClient
from agentops_sdk.integration.dialects import OPENAI_CHAT, message_parts, openai_chat

# --- what is asked ---------------------------------------------------------------------------------

_OPTIONS = (
    "n",
    "max_tokens",
    "seed",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "previous_response_id",
)
_FINISH_REASONS = {
    "REASON_STOP": "stop",
    "REASON_MAX_LEN": "length",
    "REASON_MAX_CONTEXT": "length",
    "REASON_TOOL_CALLS": "tool_calls",
    "REASON_TIME_LIMIT": "time_limit",
}


def _word(message: Any, field: str) -> str:
    """The name of an enumerated value; of one that the client's protocol does not know, its number."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value is not None else str(number)


def _known(message: Any, names: Iterable[str]) -> dict[str, Any]:
    """What was set of optional fields; a newer protocol may lack one."""
    known = message.DESCRIPTOR.fields_by_name
    return {name: getattr(message, name) for name in names if name in known and message.HasField(name)}


def _role(message: Any) -> str:
    role = _word(message, "role").removeprefix("ROLE_").lower()
    return "assistant" if role == "invalid_role" else role


def _content(content: Any) -> dict[str, Any]:
    if content.HasField("image_url"):
        return {"type": "image_url", "image_url": {"url": content.image_url.image_url}}
    if content.HasField("text"):
        return {"type": "text", "text": content.text}
    return {"type": "file", "file": {name: getattr(content.file, name) for name in ("file_id", "filename")}}


def _calls(calls: Iterable[Any]) -> dict[str, Any]:
    """The caller's functions, and beside them what the server has run by itself."""
    rows: dict[str, list[dict[str, Any]]] = {"tool_calls": [], "executed_tools": []}
    for index, call in enumerate(calls):
        kind = _word(call, "type").removeprefix("TOOL_CALL_TYPE_").lower()
        function = {"name": call.function.name, "arguments": call.function.arguments}
        if kind in ("client_side_tool", "invalid"):
            rows["tool_calls"].append({"index": index, "id": call.id, "type": "function", "function": function})
        else:
            status = _word(call, "status").removeprefix("TOOL_CALL_STATUS_").lower()
            rows["executed_tools"].append({"id": call.id, "type": kind, **function, "status": status})
    return {name: row for name, row in rows.items() if row}


def _message(message: Any) -> dict[str, Any]:
    contents = [_content(each) for each in message.content]
    text = contents[0]["text"] if len(contents) == 1 and contents[0]["type"] == "text" else contents
    row = {"role": _role(message), "content": text, **_calls(message.tool_calls)}
    if message.HasField("tool_call_id"):
        row["tool_call_id"] = message.tool_call_id
    if message.HasField("reasoning_content"):
        row["reasoning_content"] = message.reasoning_content
    return row


def _tool(tool: Any) -> dict[str, Any]:
    kind = tool.WhichOneof("tool") or "tool"
    if kind == "function":
        function = tool.function
        described = {"description": function.description, "parameters": function.parameters}
        return {"type": kind, kind: {"name": function.name, **described}}
    if kind == "mcp":
        return {"type": kind, kind: {"server_label": tool.mcp.server_label, "server_url": tool.mcp.server_url}}
    return {"type": kind}


def _chat(request: Any, **more: Any) -> dict[str, Any]:
    body = {
        "model": request.model,
        "messages": [_message(each) for each in request.messages],
        "tools": [_tool(each) for each in request.tools],
        "stop": list(request.stop),
        **_known(request, _OPTIONS),
    }
    if request.HasField("reasoning_effort"):
        body["reasoning_effort"] = _word(request, "reasoning_effort").removeprefix("EFFORT_").lower()
    if request.HasField("tool_choice"):
        choice = request.tool_choice
        named = choice.HasField("function_name")
        body["tool_choice"] = (
            {"type": "function", "function": {"name": choice.function_name}}
            if named
            else _word(choice, "mode").removeprefix("TOOL_MODE_").lower()
        )
    if request.HasField("response_format"):
        kind = _word(request.response_format, "format_type").removeprefix("FORMAT_TYPE_").lower()
        body["response_format"] = {"type": kind}
    return {**body, **{name: value for name, value in more.items() if value is not None}}


_hosts: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""Where each stub sends to, as its client was told: a chat has nothing but the stub."""


def _client(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("xai.client"):
        _hosts[instance.chat._stub] = str(kwargs.get("api_host", "api.x.ai"))  # noqa: SLF001 - as chats do
    return result


def _sent(sender: Any, path: str, body: dict[str, Any]) -> Asked:
    host = _hosts.get(sender._stub)  # noqa: SLF001 - see above
    return Asked(path, body, url=f"https://{host}" if host else "", model=body.get("model"))


def _asked(*, stream: bool = False, shape: bool = False) -> Callable[..., Asked]:
    def asked(chat: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
        count = kwargs.get("n", args[0] if args and not shape else None)
        wanted = {"type": "json_schema"} if shape else None
        body = _chat(chat.proto, n=count if isinstance(count, int) else None, response_format=wanted)
        return _sent(chat, "chat/completions", {**body, **({"stream": True} if stream else {})})

    return asked


def _compaction(chat: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
    return _sent(chat, "chat/compact", _chat(chat.proto))


def _compaction_of(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
    given = dict(zip(("model", "messages"), args, strict=False)) | kwargs
    messages = given.get("messages")
    rows = [_message(each) for each in messages] if isinstance(messages, list | tuple) else []
    return _sent(client, "chat/compact", {"model": given.get("model"), "messages": rows})


# --- what is answered ------------------------------------------------------------------------------


def _usage(reply: Any) -> dict[str, Any]:
    """OpenAI's object, as xAI's HTTP interface has it. A reply that counts nothing has no message of it, or zeros."""
    usage = reply.usage
    if not usage.total_tokens and not usage.prompt_tokens:
        return {}
    figures = {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    details = {"cached_tokens": usage.cached_prompt_text_tokens, "image_tokens": usage.prompt_image_tokens}
    outside = {"reasoning_tokens": usage.reasoning_tokens}
    cost = _known(usage, ("cost_in_usd_ticks",))
    return {"usage": {**figures, "prompt_tokens_details": details, "completion_tokens_details": outside, **cost}}


def _ending(output: Any) -> dict[str, Any]:
    word = _word(output, "finish_reason")
    return {} if word == "REASON_INVALID" else {"finish_reason": _FINISH_REASONS.get(word, word.lower())}


def _text(message: Any) -> dict[str, Any]:
    texts = {name: getattr(message, name) for name in ("content", "reasoning_content") if getattr(message, name)}
    return {**texts, **_calls(message.tool_calls)}


def _head(reply: Any) -> dict[str, Any]:
    head = {"id": reply.id, "model": reply.model, "system_fingerprint": reply.system_fingerprint}
    return {**{name: value for name, value in head.items() if value}, **_usage(reply)}


def _reply(result: Any) -> dict[str, Any]:
    """Of a response, of several of one request, or of one and what was parsed of it."""
    response = result[0] if isinstance(result, list | tuple) else result
    proto = response.proto
    choices = [
        {"index": each.index, "message": {"role": _role(each.message), **_text(each.message)}, **_ending(each)}
        for each in proto.outputs
    ]
    body = {**_head(proto), "choices": choices}
    if proto.citations:
        body["citations"] = list(proto.citations)
    return body


def _piece(item: Any) -> dict[str, Any]:
    """Of a response so far, or of several, and the piece or pieces that have come."""
    chunk = item[1][0] if isinstance(item[1], list) else item[1]
    outputs = chunk.proto.outputs
    choices = [{"index": each.index, "delta": _text(each.delta), **_ending(each)} for each in outputs]
    return {**_head(chunk.proto), "choices": choices}


def _compacted(result: Any) -> dict[str, Any]:
    return {"id": result.id, **_usage(result)}


# --- the table -------------------------------------------------------------------------------------


def _request(body: Json) -> Attributes:
    return {semconv.REQUEST_MODEL: body.get("model"), **openai_chat.request(_parsed(body))}


def _response(body: Json, asked: Json) -> Attributes:
    """With tools of the server's own, one reply has several outputs: its steps, the last of which answers."""
    outputs = body.get("choices") or ()
    if len(outputs) > int(asked.get("n") or 1):
        body = {**body, "choices": [_joined(outputs)]}
    return openai_chat.response(body, _parsed(asked))


def _joined(outputs: Iterable[Json]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    reason = None
    for output in outputs:
        part = output.get("message") or {}
        reason = output.get("finish_reason") or reason
        if part.get("role") == "tool":
            continue
        for name in ("tool_calls", "executed_tools"):
            if part.get(name):
                message[name] = [*message.get(name, ()), *part[name]]
        for name in ("content", "reasoning_content"):
            if part.get(name):
                message[name] = f"{message.get(name, '')}{part[name]}"
    return {"index": 0, "message": message, "finish_reason": reason}


def _parsed(body: Json) -> Json:
    """The client holds the schema of a function's parameters as JSON text."""
    return {**body, "tools": [_parsed_tool(each) for each in body.get("tools") or ()]}


def _parsed_tool(tool: Json) -> Json:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return tool
    return {**tool, "function": {**function, "parameters": message_parts.arguments(function.get("parameters"))}}


_CHAT = replace(OPENAI_CHAT, request=_request, response=_response)

ENDPOINTS = Endpoints([_CHAT, Endpoint(path="chat/compact", request=_request)])

_METHODS = {
    "sample": (_asked(), _reply),
    "sample_batch": (_asked(), _reply),
    "stream": (_asked(stream=True), _piece),
    "stream_batch": (_asked(stream=True), _piece),
    "parse": (_asked(shape=True), _reply),
    "defer": (_asked(), _reply),
    "defer_batch": (_asked(), _reply),
    "compact": (_compaction, _compacted),
}
_MODULES = ("xai_sdk.sync.chat", "xai_sdk.aio.chat")


class XaiIntegration(MethodClient):
    """The methods of a chat, and the tracers of their modules."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the methods, and what begins the client's own spans."""
        super().install(module, patches)
        patches.when_imported("xai_sdk.client", lambda client: patches.wrap(client.BaseClient, "__init__", _client))
        for name in _MODULES:
            patches.when_imported(name, lambda chat: patches.wrap(chat.tracer, "start_as_current_span", _own_span))


def _own_span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return nullcontext(INVALID_SPAN) if enclosing_llm_call() is not None else wrapped(*args, **kwargs)


integration = XaiIntegration(
    "xai",
    "xai_sdk",
    ">=1.21,<2",
    provider="x_ai",
    distribution="xai-sdk",
    endpoints=ENDPOINTS,
    methods=[
        *(
            Method(module, "Chat", name, asked, body=body)
            for module in _MODULES
            for name, (asked, body) in _METHODS.items()
        ),
        *(Method(module, "Client", "compact_context", _compaction_of, body=_compacted) for module in _MODULES),
    ],
)

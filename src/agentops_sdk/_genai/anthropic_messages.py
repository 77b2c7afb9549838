"""Anthropic's messages: bodies to attributes; the events of a stream to the body they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._capture.model_choice import ended_by_model, model_choice
from agentops_sdk._genai import message_parts as parts
from agentops_sdk._genai.fields import fields

Json = Mapping[str, Any]

# --- content blocks --------------------------------------------------------------------------------


def _text(block: Json) -> parts.Part:
    part = parts.text(str(block.get("text") or ""))
    return {**part, "citations": block["citations"]} if block.get("citations") else part


def _media(modality: str) -> Callable[[Json], parts.Part]:
    def read(block: Json) -> parts.Part:
        source = block.get("source")
        if not isinstance(source, Mapping) or source.get("type") not in ("base64", "url", "file"):
            return parts.generic(block)
        mime = {"mime_type": source["media_type"]} if source.get("media_type") else {}
        if source["type"] == "base64":
            return {"type": "blob", "modality": modality, **mime, "content": source.get("data")}
        if source["type"] == "url":
            return {"type": "uri", "modality": modality, **mime, "uri": source.get("url")}
        return {"type": "file", "modality": modality, **mime, "file_id": source.get("file_id")}

    return read


def _thinking(block: Json) -> parts.Part:
    return parts.reasoning(block.get("thinking") or "")


def _tool_use(block: Json) -> parts.Part:
    return {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}


def _server_tool_use(block: Json) -> parts.Part:
    return {
        "type": "server_tool_call",
        "id": block.get("id"),
        "name": block.get("name"),
        "server_tool_call": {"type": str(block.get("name") or "tool"), "input": block.get("input"), **_told(block)},
    }


def _told(block: Json) -> dict[str, Any]:
    """Which of several servers it is, and whether it failed."""
    return {name: block[name] for name in ("server_name", "is_error") if block.get(name)}


def _tool_result(block: Json) -> parts.Part:
    content = block.get("content")
    answer = _parts(content) if isinstance(content, list) else content
    failed = {"is_error": True} if block.get("is_error") else {}
    return {"type": "tool_call_response", "id": block.get("tool_use_id"), "response": answer, **failed}


def _server_tool_result(block: Json) -> parts.Part:
    return {
        "type": "server_tool_call_response",
        "id": block.get("tool_use_id"),
        "server_tool_call_response": {"type": str(block["type"]), "content": block.get("content"), **_told(block)},
    }


_BLOCKS: dict[str, Callable[[Json], parts.Part]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": lambda block: {**parts.reasoning(""), "encrypted": True},
    "image": _media("image"),
    "document": _media("document"),
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": _server_tool_use,
    "mcp_tool_use": _server_tool_use,
    "mcp_tool_result": _server_tool_result,
}


def _part(block: Any) -> parts.Part:
    if isinstance(block, str):
        return parts.text(block)
    if not isinstance(block, Mapping):
        return {"type": "unknown", "content": block}
    kind = str(block.get("type") or "")
    read = _BLOCKS.get(kind)
    if read is None and kind.endswith("_tool_result"):  # web_search_, code_execution_, …: each server tool has one
        read = _server_tool_result
    return read(block) if read is not None else parts.generic(block)


def _parts(content: Any) -> list[parts.Part]:
    if isinstance(content, str):
        return [parts.text(content)]
    return [_part(block) for block in content] if isinstance(content, list) else []


# --- requests and replies --------------------------------------------------------------------------


def _message(message: Json) -> dict[str, Any]:
    content = _parts(message.get("content"))
    only_results = bool(content) and all(part["type"] == "tool_call_response" for part in content)
    return {"role": "tool" if only_results else str(message.get("role") or "user"), "parts": content}


def _tools(body: Json) -> list[dict[str, Any]]:
    """Tools as the conventions have them; those that run at the provider's are of their own type."""
    tools = body.get("tools")
    return [_tool(tool) for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []


def _tool(tool: Json) -> dict[str, Any]:
    kind = "function" if tool.get("type") in (None, "custom") else str(tool["type"])
    kept = {name: value for name, value in tool.items() if name not in ("type", "name", "input_schema")}
    schema = {"parameters": tool["input_schema"]} if "input_schema" in tool else {}
    return {**kept, **schema, "type": kind, "name": str(tool.get("name") or kind)}


_REQUEST = {
    semconv.REQUEST_MODEL: "model",  # of the Bedrock and Vertex clients it stands in the path only
    semconv.REQUEST_MAX_TOKENS: "max_tokens",
    semconv.REQUEST_TEMPERATURE: "temperature:number",
    semconv.REQUEST_TOP_P: "top_p:number",
    semconv.REQUEST_TOP_K: "top_k",
}


def request(body: Json) -> dict[str, Any]:
    thinking, output, messages = body.get("thinking"), body.get("output_config"), body.get("messages")
    effort = output.get("effort") if isinstance(output, Mapping) else None
    if effort is None and isinstance(thinking, Mapping):
        effort = thinking.get("type")
    stop = body.get("stop_sequences")
    asks_json = isinstance(output, Mapping) and output.get("format")
    return {
        **fields(body, _REQUEST),
        semconv.REQUEST_STOP_SEQUENCES: list(stop) if stop else None,
        semconv.REQUEST_REASONING_LEVEL: effort if isinstance(effort, str) else None,
        semconv.OUTPUT_TYPE: "json" if asks_json or body.get("output_format") else None,
        semconv.INPUT_MESSAGES: [_message(each) for each in messages or () if isinstance(each, Mapping)] or None,
        semconv.SYSTEM_INSTRUCTIONS: _parts(body.get("system")) or None,
        semconv.TOOL_DEFINITIONS: _tools(body) or None,
    }


_RESPONSE = {semconv.RESPONSE_ID: "id", semconv.RESPONSE_MODEL: "model"}
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}


def response(body: Json, asked: Json) -> dict[str, Any]:
    content = _parts(body.get("content"))
    reason = body.get("stop_reason")
    message: dict[str, Any] = {"role": "assistant", "parts": content}
    if reason:
        message["finish_reason"] = _FINISH_REASONS.get(str(reason), str(reason))
    wanted = asked.get("tool_choice")
    wanted = wanted.get("type") if isinstance(wanted, Mapping) else None
    return {
        **fields(body, _RESPONSE),
        semconv.RESPONSE_FINISH_REASONS: [str(reason)] if reason else None,
        semconv.OUTPUT_MESSAGES: [message] if content or reason else None,
        semconv.CONVERSATION_COMPACTED: any(part.get("type") == "compaction" for part in content) or None,
        **model_choice(
            _tools(asked),
            content,
            finished=ended_by_model(reason),
            forced=wanted in ("any", "tool"),
            forbidden=wanted == "none",
        ),
    }


# --- streams ---------------------------------------------------------------------------------------

_GROWING = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "compaction_delta": "content",
}
_OF_TEXT: Final = 2  # members of a delta: its type, and the field that grows


def assemble(events: Iterable[Json]) -> dict[str, Any]:
    """``message_start`` holds the message, ``content_block_*`` its blocks, ``message_delta`` its end and its usage.

    What the start tells of output tokens is the first few: without the end, nobody has told how many there were.
    """
    body: dict[str, Any] = {}
    has_output_tokens = False
    blocks: dict[int, dict[str, Any]] = {}
    ended: set[int] = set()
    for event in events:
        kind = event.get("type")
        if kind == "message_start":
            body = dict(event.get("message") or {})
        elif kind == "content_block_start":
            blocks[event.get("index", 0)] = dict(event.get("content_block") or {})
        elif kind == "content_block_delta":
            _grow(blocks.setdefault(event.get("index", 0), {"type": "text"}), event.get("delta") or {})
        elif kind == "content_block_stop":
            ended.add(event.get("index", 0))
        elif kind == "message_delta":
            body.update(event.get("delta") or {})
            figures = {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            body["usage"] = {**(body.get("usage") or {}), **figures}
            has_output_tokens = has_output_tokens or "output_tokens" in figures
        elif kind == "error":
            body["error"] = event.get("error")
    for index, block in blocks.items():
        text = block.pop("partial_json", None)
        if text:
            block["input"] = parts.arguments(text)
        elif index not in ended and block.get("input") == {}:
            block["input"] = ""  # a call that has just begun: the empty object is where its arguments will stand
    body["content"] = [blocks[index] for index in sorted(blocks)]
    if not has_output_tokens and isinstance(body.get("usage"), Mapping):
        body["usage"] = {name: value for name, value in body["usage"].items() if not name.startswith("output_tokens")}
    return body


def text_of(event: Json) -> str | None:
    """The text of an event that brings nothing but more of one block's."""
    delta = event.get("delta")
    if event.get("type") != "content_block_delta" or type(delta) is not dict or len(delta) != _OF_TEXT:
        return None
    text = delta.get(_GROWING.get(str(delta.get("type"))) or "")
    return text if type(text) is str else None


def _grow(block: dict[str, Any], delta: Json) -> None:
    field = _GROWING.get(str(delta.get("type")))
    if field is not None:
        block[field] = (block.get(field) or "") + (delta.get(field) or "")
    elif delta.get("type") == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]

"""LangChain's messages, as snapshots show them, in the conventions' message schema. Consumer thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agentops_sdk.integration import snapshot
from agentops_sdk.integration.dialects import message_parts

Json = Mapping[str, Any]
Part = dict[str, Any]

_ROLES: dict[str, str] = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool",
          "developer": "system"}  # fmt: skip
_MEDIA = {"image": "image", "image_url": "image", "input_image": "image", "audio": "audio", "input_audio": "audio",
          "video": "video", "file": None, "input_file": None, "media": None, "document": None}  # fmt: skip
_CALLS = frozenset(("tool_use", "tool_call", "tool_call_chunk", "function_call", "custom_tool_call"))
_REASONS = {
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "tool_use": "tool_call",
    "end_turn": "stop",
    "STOP": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
}


def loads(data: bytes | str) -> Any:
    return orjson.loads(data)


def message(source: Any) -> dict[str, Any]:
    """One message: a snapshot of a LangChain message, a dictionary in OpenAI's form, a pair, or a text."""
    if isinstance(source, list) and len(source) == 2 and isinstance(source[0], str):
        source = {"role": source[0], "content": source[1]}
    if not isinstance(source, Mapping):
        return {"role": "user", "parts": content_parts(source)}
    kind = str(source.get("type") or source.get("role") or "human").removesuffix("MessageChunk").lower()
    result: dict[str, Any] = {"role": _ROLES.get(kind, str(source.get("role") or kind)), "parts": _parts(source, kind)}
    if source.get("name") and kind != "tool":
        result["name"] = str(source["name"])
    return result


def _parts(source: Json, kind: str) -> list[Part]:
    if kind in ("tool", "function"):
        response = source.get("content")
        part = {"type": "tool_call_response", "id": source.get("tool_call_id") or source.get("name")}
        return [{**part, "response": response if isinstance(response, str) else content_parts(response)}]
    extra = source.get("additional_kwargs")
    extra = extra if isinstance(extra, Mapping) else {}
    parts: list[Part] = []
    if isinstance(extra.get("reasoning_content"), str) and extra["reasoning_content"]:
        parts.append({"type": "reasoning", "content": extra["reasoning_content"]})
    parts += content_parts(source.get("content"))
    if extra.get("refusal"):
        parts.append({"type": "refusal", "content": str(extra["refusal"])})
    for name in ("tool_calls", "invalid_tool_calls"):
        parts += [_tool_call(call) for call in source.get(name) or () if isinstance(call, Mapping)]
    return parts


def _tool_call(call: Json) -> Part:
    function = call.get("function")
    if isinstance(function, Mapping):
        return {"type": "tool_call", "id": call.get("id"), "name": str(function.get("name") or ""),
                "arguments": message_parts.arguments(function.get("arguments"))}  # fmt: skip
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": str(call.get("name") or ""),
        "arguments": message_parts.arguments(call.get("args")),
    }


def content_parts(content: Any) -> list[Part]:
    """The parts of a message's content: a text, or a list of strings and blocks."""
    if content is None or content == "":
        return []
    blocks = content if isinstance(content, list) else [content]
    return [part for block in blocks for one in _thoughts(block) if (part := _block(one)) is not None]


def _thoughts(block: Any) -> list[Any]:
    """A block of reasoning whose summary comes in parts as one block for each; any other as it is."""
    summary = block.get("summary") if isinstance(block, Mapping) and block.get("type") == "reasoning" else None
    if not isinstance(summary, list) or block.get("reasoning"):
        return [block]
    return [{"type": "reasoning", "reasoning": part.get("text")} for part in summary if isinstance(part, Mapping)]


def _block(block: Any) -> Part | None:
    if not isinstance(block, Mapping):
        return {"type": "text", "content": block if isinstance(block, str) else snapshot(block).decode()}
    kind = str(block.get("type") or "text")
    if kind in _CALLS:
        return None  # LangChain lists it among the message's tool calls as well
    if kind in ("text", "input_text", "output_text"):
        return {"type": "text", "content": str(block.get("text") or "")}
    if kind in ("reasoning", "thinking"):
        return _reasoning(block)
    if kind in _MEDIA:
        return _media(block, kind)
    return {**block, "type": kind}


def _reasoning(block: Json) -> Part | None:
    text = block.get("reasoning") or block.get("thinking")
    return {"type": "reasoning", "content": str(text)} if text else None


def _media(block: Json, kind: str) -> Part:
    modality = _MEDIA[kind] or "file"
    source = block.get(kind)
    source = source if isinstance(source, Mapping) else {}
    url = block.get("url") or source.get("url") or (block.get(kind) if isinstance(block.get(kind), str) else None)
    data = block.get("base64") or block.get("data") or source.get("data")
    mime = block.get("mime_type") or source.get("format")
    if isinstance(url, str) and url.startswith("data:"):
        head, data = url.split(",", 1) if "," in url else (url, "")
        mime = head.removeprefix("data:").partition(";")[0]
        url = None
    part: Part = {"modality": modality, **({"mime_type": mime} if mime else {})}
    if url:
        return {"type": "uri", "uri": url, **part}
    if data:
        return {"type": "blob", "content": data, **part}
    identity = block.get("file_id") or source.get("file_id") or block.get("id")
    return {"type": "file", "file_id": str(identity or ""), **part}


def output(source: Any, finish_reason: str | None, *, finished: bool) -> dict[str, Any]:
    """One message that a model gave, with the reason why it stopped in the conventions' words.

    Where it is not ``finished``, no reason is made up, and tool calls are told as far as they came:
    LangChain completes their arguments by a guess.
    """
    if not finished and isinstance(source, Mapping) and source.get("tool_call_chunks"):
        source = {**source, "tool_calls": source["tool_call_chunks"], "invalid_tool_calls": None}
    result = message(source)
    result["role"] = "assistant"
    called = any(part["type"] == "tool_call" for part in result["parts"])
    reason = finish_reason or (("tool_call" if called else "stop") if finished else None)
    if reason:
        result["finish_reason"] = _REASONS.get(reason, reason)
    return result

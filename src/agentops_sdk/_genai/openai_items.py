"""Items of the Responses API, in requests and replies, turned into messages and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk._genai import message_parts as parts
from agentops_sdk._genai.message_parts import Part

_CLIENT_CALLS = frozenset(
    (
        "function_call",
        "custom_tool_call",
        "computer_call",
        "local_shell_call",
        "apply_patch_call",
    )
)
_SERVER_CALLS = ("program",)  # beside every "…_call" that is not the caller's
_OUTPUTS = ("tool_search_output", "program_output")  # beside every "…_call_output"
_RESULTS = ("results", "outputs", "output", "result", "error")


def is_client_call(item: Any) -> bool:
    """Whether the caller's program carries this call out; every other call the provider runs itself."""
    if not isinstance(item, Mapping):
        return False
    kind = item.get("type")
    if kind == "tool_search_call":
        return item.get("execution") == "client"
    if kind == "shell_call":
        environment = item.get("environment")
        return not isinstance(environment, Mapping) or environment.get("type") in (None, "local")
    return kind in _CLIENT_CALLS


def messages(source: Any) -> list[dict[str, Any]]:
    """The ``input`` of a request: a text, or messages and items in the order they happened."""
    if isinstance(source, str):
        return [{"role": "user", "parts": [parts.text(source)]}]
    if not isinstance(source, list):
        return [{"role": "user", "parts": parts.of_content(source)}]
    turns: list[dict[str, Any]] = []
    for item in source:
        role, turn_parts = _turn(item)
        # The reasoning, text and calls of one turn are items of their own; they are one message again here.
        if turns and role == "assistant" and turns[-1]["role"] == role:
            turns[-1]["parts"] += turn_parts
        else:
            turns.append({"role": role, "parts": turn_parts})
    return turns


def instructions(source: Any) -> list[Part]:
    """System instructions: a text, or items whose parts they are."""
    if isinstance(source, str):
        return [parts.text(source)]
    return [part for message in messages(source) for part in message["parts"]]


def _turn(item: Any) -> tuple[str, list[Part]]:
    if not isinstance(item, Mapping):
        return "user", parts.of_content(item)
    kind = item.get("type") or "message"
    if kind == "message":
        return str(item.get("role") or "user"), parts.of_content(item.get("content"))
    if _is_result(str(kind)) and not _is_server_result(item):
        return "tool", output_parts(item)
    role = item.get("role") or ("user" if kind in ("item_reference", "mcp_approval_response") else "assistant")
    return str(role), output_parts(item)


def output_parts(item: Any) -> list[Part]:
    """The parts of one item of any type."""
    if not isinstance(item, Mapping):
        return parts.of_content(item)
    kind = str(item.get("type") or "message")
    if kind == "message":
        return parts.of_content(item.get("content"))
    if kind == "reasoning":
        return _reasoning(item)
    if kind == "compaction":
        return [{"type": "compaction", "id": item.get("id"), "content": item.get("content")}]
    if is_client_call(item):
        return [_client_call(item, kind)]
    if _is_result(kind):
        return [_result(item, kind)]
    if kind.endswith("_call") or kind in _SERVER_CALLS:
        return _server_call(item, kind)
    return [parts.generic(item)]


def _is_result(kind: str) -> bool:
    return kind.endswith("_call_output") or kind in _OUTPUTS


def _is_server_result(item: Mapping[str, Any]) -> bool:
    """Whether the provider itself gave this result, of a call that it ran."""
    return item.get("type") == "program_output" or item.get("execution") == "server"


def _result(item: Mapping[str, Any], kind: str) -> Part:
    if _is_server_result(item):
        result = {name: value for name, value in item.items() if name not in ("id", "call_id", "type")}
        tool = kind.removesuffix("_output")
        return {
            "type": "server_tool_call_response",
            "id": _call_id(item),
            "server_tool_call_response": {**result, "type": tool},
        }
    answer: Any = item.get("tools") if kind == "tool_search_output" else item.get("output")
    if isinstance(answer, list) and kind != "tool_search_output":
        answer = [parts.of_block(block) for block in answer]
    elif kind == "computer_call_output":
        answer = [parts.of_block(answer)]
    return {"type": "tool_call_response", "id": _call_id(item), "response": answer}


def _call_id(item: Mapping[str, Any]) -> Any:
    return item.get("call_id") or item.get("id")


def _reasoning(item: Mapping[str, Any]) -> list[Part]:
    """One part for each text: a summary comes in parts, and nothing stands between them."""
    texts = item.get("content") or item.get("summary") or ""
    thoughts = [parts.reasoning(text) for text in texts] if isinstance(texts, list) else [parts.reasoning(texts)]
    of_item = {"id": item["id"]} if item.get("id") else {}
    if item.get("encrypted_content"):
        of_item["encrypted"] = True
    return [{**thought, **of_item} for thought in thoughts]


def _client_call(item: Mapping[str, Any], kind: str) -> Part:
    if kind == "function_call":
        name, arguments = item.get("name"), parts.arguments(item.get("arguments"))
    elif kind == "custom_tool_call":
        name, arguments = item.get("name"), item.get("input")
    elif kind == "tool_search_call":
        name, arguments = "tool_search", parts.arguments(item.get("arguments"))
    else:
        name = kind.removesuffix("_call")
        arguments = item.get("action") or item.get("actions") or item.get("operation")
    return {
        "type": "tool_call",
        "id": _call_id(item),
        "name": str(name or ""),
        "arguments": arguments,
    }


def _server_call(item: Mapping[str, Any], kind: str) -> list[Part]:
    tool = kind.removesuffix("_call")
    name = str(item.get("name") or tool)
    request = {field: value for field, value in item.items() if field not in (*_RESULTS, "id", "type", "name")}
    if "arguments" in request:
        request["arguments"] = parts.arguments(request["arguments"])
    ident = _call_id(item)
    result: list[Part] = [
        {
            "type": "server_tool_call",
            "id": ident,
            "name": name,
            "server_tool_call": {**request, "type": tool},
        }
    ]
    results = {field: item[field] for field in _RESULTS if item.get(field) is not None}
    if results:
        answer = {**results, "type": tool}
        if tool == "image_generation" and isinstance(answer.get("result"), str):
            mime = f"image/{item.get('output_format') or 'png'}"
            answer["result"] = {"type": "blob", "modality": "image", "mime_type": mime, "content": answer["result"]}
        result.append(
            {
                "type": "server_tool_call_response",
                "id": ident,
                "server_tool_call_response": answer,
            }
        )
    return result

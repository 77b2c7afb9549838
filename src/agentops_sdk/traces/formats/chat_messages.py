"""Messages, parts and tools of every dialect, in the schema of the GenAI conventions.

Providers, frameworks and recorders write the same conversation in a dozen forms. The tables here say which of
their words mean what; a form that none of them knows is kept as text, never left out. Long because each dialect's
twists stand beside those of the others that they are like.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.formats.json_values import DEEPEST, parsed, shallow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["documents", "is_offer", "json_text", "messages", "nested", "text_of", "tool_definitions"]

_ROLES: Final = {
    "human": "user", "humanmessage": "user", "humanmessagechunk": "user", "ai": "assistant", "aimessage": "assistant",
    "aimessagechunk": "assistant", "model": "assistant", "systemmessage": "system", "developer": "system",
    "toolmessage": "tool", "function": "tool", "functionmessage": "tool", "chatmessage": "user", "input": "user",
    "output": "assistant",
}  # fmt: skip
_SPEAKERS: Final = frozenset(("system", "user", "assistant", "tool", *_ROLES))
_ENVELOPES: Final = ("message", "message_content", "tool_call", "document", "tool", "json_schema")
"""Words that some writers put around what they index."""
_HOLDERS: Final = (
    "messages", "choices", "generations", "candidates", "output", "outputs", "input", "inputs", "message", "prompt",
    "completion", "contents", "response", "result", "content",
)  # fmt: skip
"""Where messages stand in a request or a reply, in the order in which they are looked for."""
_TEXT_TYPES: Final = ("text", "input_text", "output_text", "summary_text", "text_delta")
_CALL_TYPES: Final = (
    "tool_call", "tool_use", "tool-call", "function_call", "function", "server_tool_use", "custom_tool_call",
)  # fmt: skip
_RESULT_TYPES: Final = (
    "tool_call_response", "tool_result", "tool-result", "function_call_output", "tool-return", "tool_return",
    "custom_tool_call_output",
)  # fmt: skip
_REASONING_TYPES: Final = ("reasoning", "thinking")
_ITEM_TYPES: Final = frozenset((*_CALL_TYPES, *_RESULT_TYPES, *_REASONING_TYPES)) - {"function"}
"""Parts that stand beside messages; a ``function`` there is a tool that is offered."""
_SPEAKER_OF: Final = {"tool_call_response": "tool", "tool_call": "assistant", "reasoning": "assistant"}
_MOST_LEVELS: Final = 40
_MOST_INDEXED: Final = 20_000


def json_text(value: Any) -> str | None:
    """A structure as JSON text; text as it is."""
    import orjson

    if value is None or isinstance(value, str):
        return value
    try:
        return orjson.dumps(shallow(value), default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        return str(value)


def nested(members: Mapping[str, Any]) -> Any:
    """The structure that names with dots and numbers in them spell: ``0.message.role`` and so on."""
    tree: dict[str, Any] = {}
    for count, (path, value) in enumerate(members.items()):
        steps = path.split(".")
        if count >= _MOST_INDEXED or len(steps) > _MOST_LEVELS:
            continue
        node = tree
        for step in steps[:-1]:
            below = node.get(step)
            if not isinstance(below, dict):
                below = node[step] = {}
            node = below
        if not isinstance(node.get(steps[-1]), dict):
            node[steps[-1]] = value
    return _with_lists(tree)


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() for key in node):
        return [_with_lists(node[key]) for key in sorted(node, key=lambda key: (len(key.lstrip("0")), key.lstrip("0")))]
    if len(node) == 1 and (only := next(iter(node))) in _ENVELOPES and isinstance(node[only], dict):
        return _with_lists(node[only])
    return {key: _with_lists(value) for key, value in node.items()}


def messages(value: Any, role: str = "user") -> list[dict[str, Any]]:
    """The messages in a value of any form; empty where there is none.

    Args:
        value: text, JSON text, one message, a list, or the request or reply that holds them.
        role: whose words they are where nothing says it.
    """
    return _messages(shallow(parsed(value)), role, DEEPEST)


def _messages(value: Any, role: str, levels: int) -> list[dict[str, Any]]:
    if value is None or value == "" or not levels:
        return []
    if isinstance(value, list):
        return _from_list(value, role, levels)
    if not isinstance(value, dict):
        return [_spoken(role, [_text(value)])]
    if is_message(value):
        message = _message(value, role)
        return [message] if message["parts"] else []
    return _from_holder(value, role, levels)


def _from_list(value: list[Any], role: str, levels: int) -> list[dict[str, Any]]:
    if value and all(isinstance(item, dict) and not is_message(item) and _part(item) is not None for item in value):
        return _of_items(value, role)
    if value and all(not isinstance(item, dict | list) for item in value):
        return [_spoken(role, [_text(item)]) for item in value if item is not None]
    spoken: list[dict[str, Any]] = []
    # Among the messages of the Responses API calls, their results and reasoning are items of their own.
    for alone, items in groupby(map(parsed, value), _is_item):
        if alone:
            spoken += _of_items(items, role)
        else:
            spoken += [message for item in items for message in _messages(item, role, levels - 1)]
    return spoken


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in _ITEM_TYPES and not is_message(value)


def _of_items(items: Iterable[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    """Parts without a message around them: each is of whom alone can have said it, all else of the speaker."""
    spoken: list[dict[str, Any]] = []
    for part in filter(None, map(_part, items)):
        speaker = _SPEAKER_OF.get(part["type"], role)
        if spoken and spoken[-1]["role"] == speaker:
            spoken[-1]["parts"].append(part)
        else:
            spoken.append(_spoken(speaker, [part]))
    return spoken


def _from_holder(value: dict[str, Any], role: str, levels: int) -> list[dict[str, Any]]:
    before = []
    for name in ("system", "instructions", "system_instruction", "system_prompt"):
        if isinstance(text := value.get(name), str | list) and text:
            before = [_spoken("system", _parts(text))]
            break
    for name in _HOLDERS:
        if name in value and (inside := _messages(parsed(value[name]), role, levels - 1)):
            return [*before, *inside]
    if (text := value.get("text")) and isinstance(text, str):
        return [*before, _spoken(role, [_text(text)])]
    return before or [_spoken(role, [_text(json_text(value))])]


def is_message(value: Mapping[str, Any]) -> bool:
    """Whether an object is one message, and not a part of one or what holds several."""
    if "role" in value or value.get("lc") or ("parts" in value and "content" not in value):
        return True
    if "event.name" in value:
        return True
    if isinstance(value.get("data"), dict) and str(value.get("type")).lower() in _ROLES:
        return True
    stated = str(value.get("type", "")).lower()
    if stated in _SPEAKERS and stated not in _CALL_TYPES and "content" in value:
        return True
    return stated == "message" or "tool_calls" in value


def _spoken(role: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": role, "parts": parts}


def _text(value: Any) -> dict[str, Any]:
    return {"type": "text", "content": value if isinstance(value, str) else json_text(value)}


def _message(value: Mapping[str, Any], role: str) -> dict[str, Any]:
    source = _unwrapped(value, role)
    stated = source.get("role") or source.get("type") or role
    if stated == "message":
        stated = source.get("author") or role
    speaker = _ROLES.get(str(stated).lower(), str(stated))
    parts = _content(source, speaker)
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(source.get(name), str) and source[name]:
            parts.insert(0, {"type": "reasoning", "content": source[name]})
            break
    if isinstance(source.get("refusal"), str) and source["refusal"]:
        parts.append({"type": "refusal", "content": source["refusal"]})
    parts += _calls(source, parts)
    if speaker == "tool":
        call = source.get("tool_call_id") or source.get("toolCallId") or source.get("id")
        parts = [_result(part, call) if part.get("type") == "text" else part for part in parts]
    message: dict[str, Any] = _spoken(speaker, parts)
    reason = source.get("finish_reason") or source.get("finishReason") or source.get("stop_reason")
    if isinstance(reason, str):
        message["finish_reason"] = reason
    if isinstance(source.get("name"), str) and speaker != "tool":
        message["name"] = source["name"]
    return message


def _unwrapped(value: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    """The message in one of LangChain's objects; any other message as it is."""
    if value.get("lc") and isinstance(value.get("kwargs"), dict):
        named, inside = value.get("id"), value["kwargs"]
        stated = str(inside.get("type")).lower()
        speaker = stated if stated in _SPEAKERS else named[-1] if isinstance(named, list) and named else role
        return {**inside, "role": speaker}
    if isinstance(value.get("data"), dict):
        return {"role": value.get("type"), **value["data"]}
    return value


def _content(source: Mapping[str, Any], speaker: str) -> list[dict[str, Any]]:
    parts = _parts(source.get("parts") if source.get("parts") is not None else parsed(source.get("content")))
    if not parts and isinstance(inner := source.get("message"), dict | str):
        return [part for message in _messages(parsed(inner), speaker, _MOST_LEVELS) for part in message["parts"]]
    return parts or _parts(source.get("contents"))


def _result(part: Mapping[str, Any], call: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", "id": None if call is None else str(call), "response": part.get("content")}


def _calls(message: Mapping[str, Any], parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tool calls beside the content, less those that the content names as well."""
    beside = message.get("additional_kwargs")
    beside = beside if isinstance(beside, dict) else {}
    calls = parsed(message.get("tool_calls") or message.get("toolCalls") or beside.get("tool_calls"))
    if isinstance(calls, dict):
        calls = [calls]
    if isinstance(single := parsed(message.get("function_call")), dict):
        calls = [*(calls if isinstance(calls, list) else []), single]
    known = {(part.get("id"), part.get("name")) for part in parts if part.get("type") == "tool_call"}
    call_parts = [_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [call for call in call_parts if (call["id"], call["name"]) not in known]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    inner = function if isinstance(function, dict) else {}
    name = _first(inner, "name") or _first(call, "name", "toolName", "tool_name", "tool")
    arguments = _first(inner, "arguments") if inner else _first(call, "arguments", "input", "args", "parameters")
    # Of an item of the Responses API, ``id`` is the item's own.
    identity = _first(call, "call_id", "id", "tool_call_id", "toolCallId", "tool_use_id", "toolUseId")
    return {
        "type": "tool_call",
        "id": None if identity is None else str(identity),
        "name": str(name or (function if isinstance(function, str) else "")),
        "arguments": parsed(arguments),
    }


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _parts(value: Any) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        value = [value]
    return [part for part in map(_part_or_text, value) if part is not None]


def _part_or_text(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return _text(value)
    return _part(value) or _text(value)


def _part(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """A part in the conventions' schema; ``None`` where it is none that is known."""
    stated = str(value.get("type") or value.get("part_kind") or "")
    if is_offer(value):
        return None
    read = _PARTS.get(stated)
    if read is not None:
        return read(value)
    for name, of_block in _BLOCKS.items():
        if name in value and "message" not in value:
            return of_block(value[name])
    return dict(value) if stated in _KEPT else None


def is_offer(value: Any) -> bool:
    """Whether an object is a tool that is offered, and not one that is called: of both the type is ``function``."""
    function = value.get("function") if isinstance(value, dict) and value.get("type") == "function" else None
    return isinstance(function, dict) and "parameters" in function and "arguments" not in function


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    text = value.get("text", value.get("content"))
    if isinstance(text, dict):
        text = text.get("value", text)
    return _text("" if text is None else text)


def _reasoning(value: Mapping[str, Any]) -> dict[str, Any]:
    reasoning = _first(value, "content", "thinking", "text", "reasoning", "summary")
    if isinstance(reasoning, list):
        reasoning = "\n".join(filter(None, (text_of(item) for item in reasoning)))
    return {"type": "reasoning", "content": reasoning or ""}


def _returned(value: Mapping[str, Any]) -> dict[str, Any]:
    identity = _first(value, "tool_use_id", "toolUseId", "tool_call_id", "toolCallId", "call_id", "id")
    response = _first(value, "response", "result", "output", "content")
    if isinstance(response, list):
        response = "\n".join(text_of(item) or "" for item in response)
    return {"type": "tool_call_response", "id": None if identity is None else str(identity), "response": response}


def _picture(value: Mapping[str, Any]) -> dict[str, Any]:
    """Where a picture is, or how long it is: its bytes are nothing to read."""
    image = next((value[name] for name in ("image_url", "image", "source", "url", "file") if value.get(name)), None)
    if isinstance(image, dict):
        image = _first(image, "url", "uri", "data", "file_id", "image")
    where = str(image or "")
    if where.startswith("data:") or len(where) > 2_000:
        return {"type": "blob", "modality": "image", "content": where}
    return {"type": "uri", "modality": "image", "uri": where}


_PARTS: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    **dict.fromkeys(_TEXT_TYPES, _plain),
    **dict.fromkeys(_CALL_TYPES, _call),
    **dict.fromkeys(_RESULT_TYPES, _returned),
    **dict.fromkeys(_REASONING_TYPES, _reasoning),
    **dict.fromkeys(("image", "image_url", "input_image"), _picture),
    "refusal": lambda value: {"type": "refusal", "content": _first(value, "refusal", "content")},
}


def _inside(read: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    return lambda value: read(value if isinstance(value, dict) else {})


_BLOCKS: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "text": lambda value: _plain({"text": value}),
    **dict.fromkeys(("functionCall", "function_call", "toolUse"), _inside(_call)),
    **dict.fromkeys(("functionResponse", "function_response", "toolResult"), _inside(_returned)),
    "reasoningContent": _inside(lambda value: _reasoning(value.get("reasoningText") or value)),
}
"""Parts of Google's and Bedrock's messages, by the one name in them."""
_KEPT: Final = ("blob", "uri", "file", "media", "audio", "input_audio", "document", "video")


def text_of(value: Any) -> str | None:
    """The words in a value: of a part its text, of a structure its JSON."""
    if isinstance(value, dict):
        part = _part(value)
        if part is not None and part["type"] in ("text", "reasoning"):
            return str(part["content"])
    return json_text(value)


def tool_definitions(value: Any) -> list[dict[str, Any]]:
    """The tools that were offered, each with ``name`` and maybe ``description`` and ``parameters``."""
    value = shallow(parsed(value))
    if isinstance(value, dict):
        value = [{"name": name, **(tool if isinstance(tool, dict) else {})} for name, tool in value.items()]
    return [tool for item in value if (tool := _tool(parsed(item)))] if isinstance(value, list) else []


def _tool(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        return {"type": "function", "name": value}
    if not isinstance(value, dict):
        return None
    inner = value.get("json_schema") if "name" not in value else None
    value = parsed(inner) if inner is not None else value
    function = value.get("function") if isinstance(value, dict) else None
    value = function if isinstance(function, dict) else value
    if not isinstance(value, dict) or not (name := _first(value, "name", "toolName")):
        return None
    tool: dict[str, Any] = {"type": "function", "name": str(name)}
    if about := value.get("description"):
        tool["description"] = str(about)
    parameters = _first(value, "parameters", "input_schema", "inputSchema", "schema", "parameters_json_schema")
    if parameters is not None:
        tool["parameters"] = parsed(parameters)
    return tool


def documents(value: Any) -> list[dict[str, Any]]:
    """What a retriever found, in the conventions' schema."""
    value = shallow(parsed(value))
    if isinstance(value, dict):
        value = value.get("documents", value.get("results", [value]))
    return [_document(parsed(item)) for item in value] if isinstance(value, list) else []


def _document(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {"content": value if isinstance(value, str) else json_text(value)}
    if isinstance(value.get("kwargs"), dict):
        value = value["kwargs"]
    metadata = parsed(value.get("metadata"))
    identity = _first(value, "id", "document_id", "doc_id")
    if identity is None and isinstance(metadata, dict):
        identity = _first(metadata, "id", "doc_id", "source")
    document: dict[str, Any] = {"content": _first(value, "content", "page_content", "text", "document")}
    if identity is not None:
        document["id"] = str(identity)
    if (score := _first(value, "score", "relevance_score", "distance")) is not None:
        document["score"] = score
    return document

"""Content of Google's models, as requests and replies have it on the wire: messages, tools, finish reasons, usage.

Long because it is the whole vocabulary, in both directions.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agentops_sdk.integration import ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import Attributes, Events, Json
from agentops_sdk.integration.dialects import message_parts as parts
from agentops_sdk.integration.dialects import number

# --- content ---------------------------------------------------------------------------------------


def get(body: Any, name: str) -> Any:
    """A field as it is on the wire, or as users of the client write it: ``functionCall``, ``function_call``."""
    if not isinstance(body, Mapping):
        return None
    value = body.get(name)
    return body.get(re.sub("[A-Z]", lambda each: f"_{each[0].lower()}", name)) if value is None else value


def mappings(values: Any) -> list[Json]:
    values = values if isinstance(values, list) else [values]
    return [each for each in values if isinstance(each, Mapping)]


def _media(data: Json) -> parts.Part:
    mime = get(data, "mimeType")
    family = str(mime or "").partition("/")[0]
    part: parts.Part = {"modality": family if family in ("image", "video", "audio") else "document", "mime_type": mime}
    if get(data, "fileUri"):
        return {"type": "uri", **part, "uri": get(data, "fileUri")}
    return {"type": "blob", **part, "content": str(data.get("data") or "")}


def _function_call(call: Json) -> parts.Part:
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": str(call.get("name") or ""),
        "arguments": call.get("args"),
    }


def _function_response(result: Json) -> parts.Part:
    key = result.get("id") or result.get("name")
    return {"type": "tool_call_response", "id": key, "response": result.get("response")}


def _server_call(call: Json, name: str | None = None) -> parts.Part:
    name = name or str(get(call, "toolType") or "tool").lower()
    described = {**call, "type": name}
    return {"type": "server_tool_call", "id": call.get("id"), "name": name, "server_tool_call": described}


def _server_result(result: Json, name: str | None = None) -> parts.Part:
    described = {**result, "type": name or str(get(result, "toolType") or "tool").lower()}
    return {"type": "server_tool_call_response", "id": result.get("id"), "server_tool_call_response": described}


_PARTS: dict[str, Callable[[Json], parts.Part]] = {
    "functionCall": _function_call,
    "functionResponse": _function_response,
    "inlineData": _media,
    "fileData": _media,
    "toolCall": _server_call,
    "toolResponse": _server_result,
    "executableCode": lambda code: _server_call(code, "code_execution"),
    "codeExecutionResult": lambda result: _server_result(result, "code_execution"),
}


def _part(part: Any) -> parts.Part:
    if not isinstance(part, Mapping):
        return parts.text(str(part))
    if isinstance(part.get("text"), str):
        return parts.reasoning(part["text"]) if part.get("thought") else parts.text(part["text"])
    for name, read in _PARTS.items():
        held = get(part, name)
        if isinstance(held, Mapping):
            return read(held)
    return parts.generic(part, next(iter(part), "unknown"))


_ROLES = {"model": "assistant", "function": "tool"}


def _content(content: Any, role: str = "user") -> dict[str, Any]:
    if not isinstance(content, Mapping):
        return {"role": role, "parts": [_part(content)]}
    content_parts = [_part(part) for part in content.get("parts") or ()]
    if content_parts and all(part["type"] == "tool_call_response" for part in content_parts):
        role = "tool"
    else:
        role = str(content.get("role") or role)
    return {"role": _ROLES.get(role, role), "parts": content_parts}


def _tools(body: Json) -> Iterator[dict[str, Any]]:
    """Functions, and tools that run at the provider's, each of a type of its own."""
    for tool in mappings(body.get("tools")):
        for name, held in tool.items():
            if name in ("functionDeclarations", "function_declarations"):
                yield from (_function(each) for each in mappings(held))
            else:
                yield {"type": name, "name": name}


def _function(declared: Json) -> dict[str, Any]:
    schema = declared.get("parameters") or get(declared, "parametersJsonSchema")
    described = {"description": declared.get("description"), "parameters": schema}
    named = {"type": "function", "name": str(declared.get("name") or "")}
    return {**named, **{name: value for name, value in described.items() if value}}


# --- requests and replies --------------------------------------------------------------------------


def request(body: Json) -> Attributes:
    config = get(body, "generationConfig") or {}
    contents = body.get("contents")
    contents = contents if isinstance(contents, list) else [] if contents is None else [contents]
    system, count = get(body, "systemInstruction"), get(config, "candidateCount")
    thinking = get(config, "thinkingConfig")
    level = get(thinking, "thinkingLevel")
    return {
        semconv.REQUEST_TEMPERATURE: number(config.get("temperature")),
        semconv.REQUEST_TOP_P: number(get(config, "topP")),
        semconv.REQUEST_TOP_K: get(config, "topK"),
        semconv.REQUEST_MAX_TOKENS: get(config, "maxOutputTokens"),
        semconv.REQUEST_STOP_SEQUENCES: get(config, "stopSequences") or None,
        semconv.REQUEST_SEED: config.get("seed"),
        semconv.REQUEST_FREQUENCY_PENALTY: number(get(config, "frequencyPenalty")),
        semconv.REQUEST_PRESENCE_PENALTY: number(get(config, "presencePenalty")),
        semconv.REQUEST_CHOICE_COUNT: count if isinstance(count, int) and count != 1 else None,
        semconv.REQUEST_REASONING_LEVEL: level.lower() if isinstance(level, str) else None,
        semconv.OUTPUT_TYPE: "json" if "json" in str(get(config, "responseMimeType") or "") else None,
        semconv.INPUT_MESSAGES: [_content(each) for each in contents] or None,
        semconv.SYSTEM_INSTRUCTIONS: _content(system)["parts"] if system else None,
        semconv.TOOL_DEFINITIONS: list(_tools(body)) or None,
    }


_NUMBERED = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
_FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE", "TOO_MANY_TOOL_CALLS",
         "UNEXPECTED_TOOL_CALL"), "error",
    ),
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR",
         "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), "content_filter",
    ),
}  # fmt: skip


def _reason(candidate: Json) -> str | None:
    reason = get(candidate, "finishReason")
    reason = _NUMBERED.get(reason, str(reason)) if type(reason) is int else reason
    return None if reason in (None, "", "FINISH_REASON_UNSPECIFIED") else str(reason)


_FAILED = [reason for reason, word in _FINISH_REASONS.items() if word == "error"]
FAILURE = re.compile(rb'"finishReason"\s*:\s*"(?:%b)"' % "|".join(_FAILED).encode())


def failed(body: Json) -> bool:
    """Whether the model has come to nothing: what it said cannot be used, by its provider."""
    candidates = mappings(body.get("candidates") or [])
    return bool(candidates) and all(_reason(each) in _FAILED for each in candidates)


def _output(candidate: Json) -> dict[str, Any]:
    message = _content(candidate.get("content") or {"parts": []}, "model")
    message["role"] = "assistant"
    reason = _reason(candidate)
    if reason:
        called = any(part["type"] == "tool_call" for part in message["parts"])
        message["finish_reason"] = (
            "tool_call" if called and reason == "STOP" else _FINISH_REASONS.get(reason, reason.lower())
        )
    sources = {"grounding": "groundingMetadata", "citations": "citationMetadata", "url_context": "urlContextMetadata"}
    told = {name: get(candidate, field) for name, field in sources.items() if get(candidate, field)}
    for part in message["parts"] if told else ():
        if part["type"] == "text":
            part.update(told)
            break
    if get(candidate, "logprobsResult"):
        message["logprobs"] = get(candidate, "logprobsResult")
    return message


def _searches(candidates: list[Json]) -> int:
    """How many searches there were; one that is made twice is billed once."""
    queries: set[str] = set()
    for candidate in candidates:
        asked = get(get(candidate, "groundingMetadata"), "webSearchQueries")
        queries.update(each for each in asked or () if isinstance(each, str) and each)
    return len(queries)


def response(body: Json, asked: Json) -> Attributes:
    candidates = mappings(body.get("candidates") or [])
    reasons = [reason for reason in map(_reason, candidates) if reason]
    blocked = get(get(body, "promptFeedback"), "blockReason")
    if blocked and not reasons:  # the model was not asked
        reasons = [str(blocked)]
    messages = [_output(each) for each in candidates]
    mode = get(get(get(asked, "toolConfig"), "functionCallingConfig"), "mode")
    return {
        semconv.RESPONSE_ID: get(body, "responseId") or None,
        semconv.RESPONSE_MODEL: get(body, "modelVersion") or None,
        semconv.RESPONSE_FINISH_REASONS: reasons or None,
        semconv.USAGE_WEB_SEARCHES: _searches(candidates) or None,
        semconv.OUTPUT_MESSAGES: messages or None,
        **model_choice(
            list(_tools(asked)),
            [part for message in messages for part in message["parts"]],
            finished=bool(candidates) and all(ended_by_model(_reason(each)) for each in candidates),
            forced=mode == "ANY",
            forbidden=mode == "NONE",
        ),
    }


def fold(events: Events) -> dict[str, Any]:
    """Each chunk is a reply of its own: parts follow each other, texts of one kind in a row are one."""
    body: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for event in events:
        body.update((name, value) for name, value in event.items() if value is not None)
        for candidate in mappings(event.get("candidates") or []):
            known = candidates.setdefault(candidate.get("index") or 0, {"content": {"role": "model", "parts": []}})
            searched = get(known.get("groundingMetadata"), "webSearchQueries") or []
            known.update((name, value) for name, value in candidate.items() if name != "content" and value is not None)
            grounding = known.get("groundingMetadata")
            if searched and isinstance(grounding, Mapping):
                now = get(grounding, "webSearchQueries") or []
                known["groundingMetadata"] = {**grounding, "webSearchQueries": list(dict.fromkeys([*searched, *now]))}
            for part in mappings((candidate.get("content") or {}).get("parts") or []):
                add(known["content"]["parts"], part)
    body["candidates"] = [candidates[index] for index in sorted(candidates)]
    return body


def add(before: list[dict[str, Any]], part: Json) -> None:
    last = before[-1] if before else {}
    call, begun = get(part, "functionCall"), get(last, "functionCall")
    if "text" in part and "text" in last and bool(part.get("thought")) == bool(last.get("thought")):
        before[-1] = {**last, **part, "text": last["text"] + part["text"]}
    elif isinstance(call, Mapping) and isinstance(begun, Mapping) and get(begun, "willContinue"):
        before[-1] = {**last, "functionCall": _continued(begun, call)}
    elif isinstance(call, Mapping):
        before.append({**part, "functionCall": _continued({}, call)})
    else:
        before.append(dict(part))


def _continued(begun: Json, call: Json) -> dict[str, Any]:
    """A call whose arguments come piece by piece, each with its path: that of a text that goes on comes again."""
    pieces = mappings(get(call, "partialArgs") or [])
    if not pieces and not begun:
        return dict(call)
    known = {name: value for name, value in call.items() if name not in ("partialArgs", "partial_args")}
    args = copy.deepcopy(begun.get("args") or {})
    for piece in pieces:
        path = [index or name for name, index in _STEP.findall(str(get(piece, "jsonPath") or ""))]
        if path:
            _put(args, path, next((get(piece, name) for name in _VALUES if get(piece, name) is not None), None))
    return {**begun, **known, "willContinue": get(call, "willContinue"), "args": args}


_STEP = re.compile(r"\.(\w+)|\[['\"]?([^\]'\"]+)['\"]?\]")
_VALUES = ("stringValue", "numberValue", "boolValue")


def _put(args: Any, path: list[str], value: Any) -> None:
    """Set what lies at a path, or add to the text that is there; what does not fit is left out."""
    for step, following in zip(path, [*path[1:], None], strict=True):
        key: Any = step
        if isinstance(args, list):
            if not step.isdecimal() or int(step) > len(args):
                return
            key = int(step)
            args += [None] * (key == len(args))
        elif isinstance(args, dict):
            args.setdefault(key, None)
        else:
            return
        have = args[key]
        if following is None:
            args[key] = have + value if isinstance(have, str) and isinstance(value, str) else value
        elif have is None:
            args[key] = [] if following.isdecimal() else {}
        args = args[key]


def usage(body: Json) -> Json | None:
    usage = get(body, "usageMetadata")
    return usage if isinstance(usage, Mapping) else None

"""``Converse`` and its stream, whose form Nova has under ``InvokeModel`` as well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import decision_attributes, ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import Attributes, Endpoint, Events, Json
from agentops_sdk.integration.dialects import fields, mapping, mappings
from agentops_sdk.integration.dialects import message_parts as parts

OPTIONS = {
    semconv.REQUEST_MAX_TOKENS: "maxTokens:int",
    semconv.REQUEST_TEMPERATURE: "temperature:number",
    semconv.REQUEST_TOP_P: "topP:number",
    semconv.REQUEST_TOP_K: "topK:int",
    semconv.REQUEST_STOP_SEQUENCES: "stopSequences:texts",
}
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "model_context_window_exceeded": "length",
}


VERDICTS = ("NONE", "GUARDRAIL_INTERVENED")
"""Of a guardrail."""


def _part(block: Json) -> parts.Part:
    """One content block: an object with one field, whose name is the kind."""
    kind = next(iter(block), "unknown")
    value = block.get(kind)
    if kind == "text":
        return parts.text(str(value or ""))
    inner = mapping(value)
    if kind in ("toolUse", "toolResult") and inner.get("type"):  # those that run at the provider's have a type
        return _server_tool(kind, inner)
    if kind == "toolUse":
        arguments = parts.arguments(inner.get("input"))
        name = str(inner.get("name") or "")
        return {"type": "tool_call", "id": inner.get("toolUseId"), "name": name, "arguments": arguments}
    if kind == "toolResult":
        answer = [each["json"] if "json" in each else _part(each) for each in mappings(inner.get("content"))]
        failed = {"is_error": True} if inner.get("status") == "error" else {}
        return {"type": "tool_call_response", "id": inner.get("toolUseId"), "response": answer, **failed}
    if kind == "reasoningContent":
        hidden = {"encrypted": True} if inner.get("redactedContent") else {}
        return {**parts.reasoning(mapping(inner.get("reasoningText")).get("text") or ""), **hidden}
    if kind in ("image", "video", "audio", "document"):
        return _media(kind, inner)
    if kind == "citationsContent":
        text = "".join(str(each.get("text") or "") for each in mappings(inner.get("content")))
        return {**parts.text(text), "citations": inner.get("citations")}
    return parts.generic(inner, kind)


def _server_tool(kind: str, inner: Json) -> parts.Part:
    ident = inner.get("toolUseId")
    if kind == "toolUse":
        name = str(inner.get("name") or "tool")
        call = {"type": name, "input": parts.arguments(inner.get("input"))}
        return {"type": "server_tool_call", "id": ident, "name": name, "server_tool_call": call}
    result = {name: inner[name] for name in ("type", "content", "status") if inner.get(name)}
    return {"type": "server_tool_call_response", "id": ident, "server_tool_call_response": result}


def _media(modality: str, block: Json) -> parts.Part:
    source, form = mapping(block.get("source")), block.get("format")
    link = mapping(source.get("s3Location")).get("uri")
    if link:
        return {"type": "uri", "modality": modality, "format": form, "uri": link}
    if source.get("text"):
        return parts.text(str(source["text"]))
    if source.get("bytes") is None:  # a document may come in pieces of text, so that they can be cited
        return parts.text("\n".join(str(each.get("text") or "") for each in mappings(source.get("content"))))
    return {"type": "blob", "modality": modality, "format": form, "content": str(source["bytes"])}


def _message(message: Json) -> dict[str, Any]:
    blocks = [block for block in mappings(message.get("content")) if "cachePoint" not in block]
    return {"role": str(message.get("role") or "user"), "parts": [_part(block) for block in blocks]}


def _tools(body: Json) -> list[dict[str, Any]]:
    offered = mappings(mapping(body.get("toolConfig")).get("tools"))
    specs = [tool.get("toolSpec") for tool in offered]
    theirs = [str(mapping(tool["systemTool"]).get("name") or "tool") for tool in offered if "systemTool" in tool]
    return [{"type": name, "name": name} for name in theirs] + [
        {
            "type": "function",
            "name": str(spec.get("name") or ""),
            "description": spec.get("description"),
            "parameters": mapping(spec.get("inputSchema")).get("json"),
        }
        for spec in mappings(specs)
    ]


def _converse_request(body: Json) -> Attributes:
    return {
        **fields(mapping(body.get("inferenceConfig")), OPTIONS),
        **fields(mapping(body.get("outputConfig")), {semconv.REQUEST_REASONING_LEVEL: "effort:text"}),
        semconv.OUTPUT_TYPE: "json" if mapping(body.get("outputConfig")).get("textFormat") else None,
        semconv.INPUT_MESSAGES: [_message(each) for each in mappings(body.get("messages"))] or None,
        semconv.SYSTEM_INSTRUCTIONS: [
            _part(block) for block in mappings(body.get("system")) if "cachePoint" not in block
        ]
        or None,
        semconv.TOOL_DEFINITIONS: _tools(body) or None,
    }


def _converse_response(body: Json, asked: Json) -> Attributes:
    message = mapping(mapping(body.get("output")).get("message"))
    output = {**_message(message), "role": "assistant"}
    reason = body.get("stopReason")
    finish_reason = _FINISH_REASONS.get(str(reason), str(reason))
    if reason:
        output["finish_reason"] = finish_reason
    tier = mapping(body.get("serviceTier")).get("type")
    decided = _intervention(asked) if reason == "guardrail_intervened" else {}
    choice = mapping(mapping(asked.get("toolConfig")).get("toolChoice"))
    return {
        semconv.USAGE_SERVICE_TIER: tier if isinstance(tier, str) else None,
        semconv.RESPONSE_FINISH_REASONS: [str(reason)] if reason else None,
        semconv.OUTPUT_MESSAGES: [output] if output["parts"] or reason else None,
        **model_choice(
            _tools(asked),
            output["parts"],
            finished=ended_by_model(reason) and finish_reason != "content_filter",
            forced="any" in choice or "tool" in choice,
        ),
        **decided,
    }


def _intervention(asked: Json) -> Attributes:
    """A guardrail that the request names has stepped in; that one has not is told of none."""
    guardrail = mapping(asked.get("guardrailConfig"))
    identifier, version = guardrail.get("guardrailIdentifier"), guardrail.get("guardrailVersion")
    return decision_attributes(
        VERDICTS[1], name=f"guardrail {identifier}" if identifier else "guardrail", by="code",
        options=[{"name": verdict} for verdict in VERDICTS], policy=version if isinstance(version, str) else None,
    )  # fmt: skip


def _converse_fold(events: Events) -> dict[str, Any]:
    body: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        start, delta = mapping(event.get("contentBlockStart")), mapping(event.get("contentBlockDelta"))
        if start:
            _grow(blocks.setdefault(start.get("contentBlockIndex") or 0, {}), mapping(start.get("start")))
        if delta:
            _grow(blocks.setdefault(delta.get("contentBlockIndex") or 0, {}), mapping(delta.get("delta")))
        body.update(mapping(event.get("messageStop")))
        body.update(mapping(event.get("metadata")))
    body["output"] = {"message": {"content": [_cited(blocks[index]) for index in sorted(blocks)]}}
    return body


def _cited(block: dict[str, Any]) -> dict[str, Any]:
    """A block as a whole reply has it: a text that came with its sources holds them inside."""
    if "citations" not in block:
        return block
    return {"citationsContent": {"content": [{"text": block.get("text", "")}], "citations": block["citations"]}}


def _grow(block: dict[str, Any], piece: Json) -> None:
    """Add a piece of a block, whose texts come bit by bit, and its reasoning one level higher than in a whole block."""
    for name, value in piece.items():
        if name == "text" or (name == "input" and isinstance(value, str)):
            block[name] = block.get(name, "") + str(value or "")
        elif name == "reasoningContent":
            thought = block.setdefault(name, {})
            inner = mapping(value)
            _grow(thought.setdefault("reasoningText", {}) if inner.keys() & {"text", "signature"} else thought, inner)
        elif name == "toolResult" and isinstance(value, list):
            held = block.setdefault(name, {})
            held["content"] = [*held.get("content", ()), *value]
        elif name == "citation":
            block["citations"] = [*block.get("citations", ()), value]
        elif isinstance(value, Mapping):
            _grow(block.setdefault(name, {}), value)
        elif value is not None:
            block[name] = value


def _converse_failed(body: Json) -> bool:
    """The stop reason stands in a body, or in the event that tells it."""
    stop = body.get("stopReason", mapping(body.get("messageStop")).get("stopReason"))
    return isinstance(stop, str) and _FINISH_REASONS.get(stop) == "error"


CONVERSE = Endpoint(
    path="Converse(?:Stream)?",
    request=_converse_request,
    response=_converse_response,
    fold=_converse_fold,
    usage_shape="bedrock.converse",
    end_mark=re.compile(rb'"(?:messageStop|metadata)"\s*:\s*\{'),
    failed=_converse_failed,
    failure_mark=re.compile(rb'"stopReason"\s*:\s*"malformed'),
)

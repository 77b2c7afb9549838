"""Amazon Bedrock through botocore, which boto3 and LangChain use: ``Converse``, ``InvokeModel`` and their streams.

Of all clients of AWS, the calls of ``bedrock-runtime`` that are in the table below are recorded; all others pass.
The client retries inside of one method, so that its attempts are one. Long because it is the whole client: its own
dialect, and those of the models behind ``InvokeModel``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_sdk.integration import ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    Events,
    Json,
    Method,
    MethodClient,
    merged,
)
from agentops_sdk.integration.dialects import ANTHROPIC_MESSAGES, fields, openai_chat
from agentops_sdk.integration.dialects import message_parts as parts


def _mappings(values: Any) -> list[Json]:
    return [each for each in values or () if isinstance(each, Mapping)]


def _mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


# --- Converse, which is Nova's own form as well ----------------------------------------------------

_OPTIONS = {
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
}


def _part(block: Json) -> parts.Part:
    """One content block: an object with one field, whose name is the kind."""
    kind = next(iter(block), "unknown")
    value = block.get(kind)
    if kind == "text":
        return parts.text(str(value or ""))
    inner = _mapping(value)
    if kind == "toolUse":
        arguments = parts.arguments(inner.get("input"))
        return {"type": "tool_call", "id": inner.get("toolUseId"), "name": inner.get("name"), "arguments": arguments}
    if kind == "toolResult":
        answer = [each["json"] if "json" in each else _part(each) for each in _mappings(inner.get("content"))]
        failed = {"is_error": True} if inner.get("status") == "error" else {}
        return {"type": "tool_call_response", "id": inner.get("toolUseId"), "response": answer, **failed}
    if kind == "reasoningContent":
        return parts.reasoning(_mapping(inner.get("reasoningText")).get("text") or "")
    if kind in ("image", "video", "audio", "document"):
        return _media(kind, inner)
    if kind == "citationsContent":
        text = "".join(str(each.get("text") or "") for each in _mappings(inner.get("content")))
        return {**parts.text(text), "citations": inner.get("citations")}
    return parts.generic(inner, kind)


def _media(modality: str, block: Json) -> parts.Part:
    source, form = _mapping(block.get("source")), block.get("format")
    link = _mapping(source.get("s3Location")).get("uri")
    if link:
        return {"type": "uri", "modality": modality, "format": form, "uri": link}
    if source.get("text"):
        return parts.text(str(source["text"]))
    return {"type": "blob", "modality": modality, "format": form, "content": source.get("bytes")}


def _message(message: Json) -> dict[str, Any]:
    blocks = [block for block in _mappings(message.get("content")) if "cachePoint" not in block]
    return {"role": str(message.get("role") or "user"), "parts": [_part(block) for block in blocks]}


def _tools(body: Json) -> list[dict[str, Any]]:
    specs = [tool.get("toolSpec") for tool in _mappings(_mapping(body.get("toolConfig")).get("tools"))]
    return [
        {
            "type": "function",
            "name": str(spec.get("name") or ""),
            "description": spec.get("description"),
            "parameters": _mapping(spec.get("inputSchema")).get("json"),
        }
        for spec in _mappings(specs)
    ]


def _converse_request(body: Json) -> Attributes:
    return {
        **fields(_mapping(body.get("inferenceConfig")), _OPTIONS),
        semconv.INPUT_MESSAGES: [_message(each) for each in _mappings(body.get("messages"))] or None,
        semconv.SYSTEM_INSTRUCTIONS: [
            _part(block) for block in _mappings(body.get("system")) if "cachePoint" not in block
        ]
        or None,
        semconv.TOOL_DEFINITIONS: _tools(body) or None,
    }


def _converse_response(body: Json, asked: Json) -> Attributes:
    message = _mapping(_mapping(body.get("output")).get("message"))
    output = {**_message(message), "role": "assistant"}
    reason = body.get("stopReason")
    finish_reason = _FINISH_REASONS.get(str(reason), str(reason))
    if reason:
        output["finish_reason"] = finish_reason
    choice = _mapping(_mapping(asked.get("toolConfig")).get("toolChoice"))
    return {
        semconv.REQUEST_ID: _mapping(body.get("ResponseMetadata")).get("RequestId"),
        semconv.RESPONSE_FINISH_REASONS: [str(reason)] if reason else None,
        semconv.OUTPUT_MESSAGES: [output] if output["parts"] or reason else None,
        **model_choice(
            _tools(asked),
            output["parts"],
            finished=ended_by_model(reason) and finish_reason != "content_filter",
            forced="any" in choice or "tool" in choice,
        ),
    }


def _converse_fold(events: Events) -> dict[str, Any]:
    body: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        start, delta = _mapping(event.get("contentBlockStart")), _mapping(event.get("contentBlockDelta"))
        if start:
            _grow(blocks.setdefault(start.get("contentBlockIndex") or 0, {}), _mapping(start.get("start")))
        if delta:
            _grow(blocks.setdefault(delta.get("contentBlockIndex") or 0, {}), _mapping(delta.get("delta")))
        body.update(_mapping(event.get("messageStop")))
        body.update(_mapping(event.get("metadata")))
    body["output"] = {"message": {"content": [blocks[index] for index in sorted(blocks)]}}
    return body


def _grow(block: dict[str, Any], piece: Json) -> None:
    """Add a piece of a block, whose texts come bit by bit, and its reasoning one level higher than in a whole block."""
    for name, value in piece.items():
        if name == "text" or (name == "input" and isinstance(value, str)):
            block[name] = block.get(name, "") + str(value or "")
        elif name == "reasoningContent":
            thought = block.setdefault(name, {})
            inner = _mapping(value)
            _grow(thought.setdefault("reasoningText", {}) if inner.keys() & {"text", "signature"} else thought, inner)
        elif isinstance(value, Mapping):
            _grow(block.setdefault(name, {}), value)
        elif value is not None:
            block[name] = value


_CONVERSE = Endpoint(
    path="Converse(?:Stream)?",
    request=_converse_request,
    response=_converse_response,
    fold=_converse_fold,
    usage_shape="bedrock.converse",
    end_mark=re.compile(rb'"(?:messageStop|metadata)"\s*:\s*\{'),
)


# --- InvokeModel of those that take a prompt -------------------------------------------------------


def _prompt_request(body: Json) -> Attributes:
    """Llama, Mistral, Titan, and who speaks OpenAI's dialect."""
    if isinstance(body.get("messages"), list):
        return openai_chat.request(body)
    prompt = body.get("prompt", body.get("inputText"))
    options = {
        semconv.REQUEST_TEMPERATURE: "temperature:number",
        semconv.REQUEST_TOP_P: "top_p:number",
        semconv.REQUEST_TOP_K: "top_k:int",
    }
    titan = {**_OPTIONS, semconv.REQUEST_MAX_TOKENS: "maxTokenCount:int"}
    limit = body.get("max_gen_len", body.get("max_tokens"))
    return {
        semconv.REQUEST_MAX_TOKENS: limit if isinstance(limit, int) else None,
        **fields(body, options),
        **fields(_mapping(body.get("textGenerationConfig")), titan),
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": [parts.text(prompt)]}] if isinstance(prompt, str) else None,
    }


def _prompt_response(body: Json, asked: Json) -> Attributes:
    if body.get("choices"):
        return openai_chat.response(body, asked)
    outputs, reasons = [], []
    for result in _mappings(body.get("results") or body.get("outputs")) or [body]:
        text = result.get("outputText") or result.get("text") or result.get("generation")
        reason = result.get("completionReason") or result.get("stop_reason")
        output: dict[str, Any] = {"role": "assistant", "parts": parts.of_content(text)}
        if reason:
            output["finish_reason"] = "stop" if str(reason).lower() in ("stop", "finish", "finished") else str(reason)
            reasons.append(str(reason))
        if text or reason:
            outputs.append(output)
    return {semconv.RESPONSE_FINISH_REASONS: reasons or None, semconv.OUTPUT_MESSAGES: outputs or None}


def _prompt_fold(events: Events) -> dict[str, Any]:
    if any(event.get("choices") for event in events):
        return openai_chat.assemble(events)
    body = merged(events)
    for name in ("generation", "outputText"):
        text = "".join(str(event[name]) for event in events if event.get(name))
        if text:
            body[name] = text
    text = "".join(str(each.get("text") or "") for event in events for each in _mappings(event.get("outputs")))
    if text:
        body["outputs"] = [{**body["outputs"][-1], "text": text}]
    for event in events:  # what only one event says of the input must outlive the next, which says null
        metrics = _mapping(event.get("amazon-bedrock-invocationMetrics"))
        if metrics:
            body["amazon-bedrock-invocationMetrics"] = metrics
    return body


def _embed_request(body: Json) -> Attributes:
    count = body.get("dimensions")
    return {
        semconv.INPUT: body.get("inputText", body.get("texts")),
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) else None,
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    vector = body.get("embedding")
    return {semconv.EMBEDDINGS_DIMENSION_COUNT: len(vector) if isinstance(vector, list) and vector else None}


def _whole(body: Json) -> Json:
    return body


ENDPOINTS = Endpoints(
    [
        _CONVERSE,
        replace(_CONVERSE, path="Invoke/nova"),
        replace(ANTHROPIC_MESSAGES, path="Invoke/anthropic"),
        Endpoint(
            path="Invoke/embed", kind="embedding", operation="embeddings", request=_embed_request,
            response=_embed_response, usage=_whole, usage_shape="bedrock.invoke",
        ),
        Endpoint(
            path="Invoke/prompt", request=_prompt_request, response=_prompt_response, fold=_prompt_fold, usage=_whole,
            usage_shape="bedrock.invoke",
            end_mark=re.compile(rb'"(?:stop_reason|completionReason|finish_reason)"\s*:\s*"'),
        ),
        Endpoint(path="CountTokens", kind="span", operation="count_tokens", span_name="count_tokens"),
        Endpoint(path="ApplyGuardrail", kind="span", operation="apply_guardrail", span_name="apply_guardrail"),
    ]
)  # fmt: skip

_OPERATIONS = ("Converse", "ConverseStream", "CountTokens", "ApplyGuardrail")
_INVOKE = ("InvokeModel", "InvokeModelWithResponseStream")
_FAMILIES = (("anthropic.", "anthropic"), ("amazon.nova", "nova"), ("embed", "embed"))


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """Every call of every client of AWS comes by: what is none of Bedrock's leaves at once."""
    if client.meta.service_model.service_name != "bedrock-runtime":
        return None
    operation = args[0] if args else kwargs.get("operation_name")
    params = args[1] if len(args) > 1 else kwargs.get("api_params")
    if not isinstance(params, Mapping):
        return None
    identifier = str(params.get("modelId") or "")
    model = identifier.rpartition("/")[2] or None  # of an ARN, what stands behind the kind of resource
    body: Any = params
    if operation in _INVOKE:
        operation = f"Invoke/{next((family for mark, family in _FAMILIES if mark in identifier), 'prompt')}"
        body = params.get("body")
    elif operation not in _OPERATIONS:
        return None
    return Asked(str(operation), body, url=str(client.meta.endpoint_url), model=model)


_STREAMS = ("EventStream", "AioEventStream")


def _stream_key(reply: Any) -> str | None:
    return next((key for key in ("stream", "body") if type(reply.get(key)).__name__ in _STREAMS), None)


def _file(reply: Any) -> tuple[Any, str] | None:
    body: Any = reply.get("body") if isinstance(reply, dict) else None
    if type(body).__module__ == "aiobotocore.response":
        return body.__wrapped__, "content"
    return (body, "_raw_stream") if type(body).__name__ == "StreamingBody" and hasattr(body, "_raw_stream") else None


def _body(reply: Any) -> Any:
    """A reply, or an event of a stream: of ``InvokeModel``, the JSON text inside of it."""
    chunk = reply.get("chunk")
    return chunk["bytes"] if isinstance(chunk, dict) and "bytes" in chunk else reply


integration = MethodClient(
    "bedrock",
    "botocore",
    ">=1.35,<2",
    provider="aws.bedrock",
    endpoints=ENDPOINTS,
    methods=[
        Method(module, owner, "_make_api_call", _asked, body=_body, stream=_stream_key, file=_file)
        for module, owner in (("botocore.client", "BaseClient"), ("aiobotocore.client", "AioBaseClient"))
    ],
)

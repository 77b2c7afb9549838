"""Google's Gen AI client, for Gemini and Vertex AI: content and its streams, embeddings; everything else by its path.

Where the client calls the functions of its caller by itself, it sends several requests for one call. Each is a span,
below one of their own that has no tokens: the reply tells those of the last request only.

Long because it is the whole client: one noun, though many kinds of content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai import interactions
from agentops_sdk.integration import Patches, ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    Events,
    Exchanged,
    GeneratedClient,
    Json,
    Method,
    MethodClient,
    generic_request,
    generic_response,
)
from agentops_sdk.integration.dialects import message_parts as parts
from agentops_sdk.integration.dialects import number

# --- content ---------------------------------------------------------------------------------------


def _get(body: Any, name: str) -> Any:
    """A field as it is on the wire, or as users of the client write it: ``functionCall``, ``function_call``."""
    if not isinstance(body, Mapping):
        return None
    value = body.get(name)
    return body.get(re.sub("[A-Z]", lambda each: f"_{each[0].lower()}", name)) if value is None else value


def _mappings(values: Any) -> list[Json]:
    values = values if isinstance(values, list) else [values]
    return [each for each in values if isinstance(each, Mapping)]


def _media(data: Json) -> parts.Part:
    mime = _get(data, "mimeType")
    family = str(mime or "").partition("/")[0]
    part: parts.Part = {"modality": family if family in ("image", "video", "audio") else "document", "mime_type": mime}
    if _get(data, "fileUri"):
        return {"type": "uri", **part, "uri": _get(data, "fileUri")}
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
    name = name or str(_get(call, "toolType") or "tool").lower()
    described = {**call, "type": name}
    return {"type": "server_tool_call", "id": call.get("id"), "name": name, "server_tool_call": described}


def _server_result(result: Json, name: str | None = None) -> parts.Part:
    described = {**result, "type": name or str(_get(result, "toolType") or "tool").lower()}
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
        held = _get(part, name)
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
    for tool in _mappings(body.get("tools")):
        for name, held in tool.items():
            if name in ("functionDeclarations", "function_declarations"):
                yield from (_function(each) for each in _mappings(held))
            else:
                yield {"type": name, "name": name}


def _function(declared: Json) -> dict[str, Any]:
    schema = declared.get("parameters") or _get(declared, "parametersJsonSchema")
    described = {"description": declared.get("description"), "parameters": schema}
    named = {"type": "function", "name": str(declared.get("name") or "")}
    return {**named, **{name: value for name, value in described.items() if value}}


# --- requests and replies --------------------------------------------------------------------------


def _request(body: Json) -> Attributes:
    config = _get(body, "generationConfig") or {}
    contents = body.get("contents")
    contents = contents if isinstance(contents, list) else [] if contents is None else [contents]
    system, count = _get(body, "systemInstruction"), _get(config, "candidateCount")
    thinking = _get(config, "thinkingConfig")
    level = _get(thinking, "thinkingLevel")
    return {
        semconv.REQUEST_TEMPERATURE: number(config.get("temperature")),
        semconv.REQUEST_TOP_P: number(_get(config, "topP")),
        semconv.REQUEST_TOP_K: _get(config, "topK"),
        semconv.REQUEST_MAX_TOKENS: _get(config, "maxOutputTokens"),
        semconv.REQUEST_STOP_SEQUENCES: _get(config, "stopSequences") or None,
        semconv.REQUEST_SEED: config.get("seed"),
        semconv.REQUEST_FREQUENCY_PENALTY: number(_get(config, "frequencyPenalty")),
        semconv.REQUEST_PRESENCE_PENALTY: number(_get(config, "presencePenalty")),
        semconv.REQUEST_CHOICE_COUNT: count if isinstance(count, int) and count != 1 else None,
        semconv.REQUEST_REASONING_LEVEL: level.lower() if isinstance(level, str) else None,
        semconv.OUTPUT_TYPE: "json" if "json" in str(_get(config, "responseMimeType") or "") else None,
        semconv.INPUT_MESSAGES: [_content(each) for each in contents] or None,
        semconv.SYSTEM_INSTRUCTIONS: _content(system)["parts"] if system else None,
        semconv.TOOL_DEFINITIONS: list(_tools(body)) or None,
    }


_NUMBERED = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
_FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "MALFORMED_FUNCTION_CALL": "error",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"), "content_filter"
    ),
}


def _reason(candidate: Json) -> str | None:
    reason = _get(candidate, "finishReason")
    reason = _NUMBERED.get(reason, str(reason)) if type(reason) is int else reason
    return None if reason in (None, "", "FINISH_REASON_UNSPECIFIED") else str(reason)


def _output(candidate: Json) -> dict[str, Any]:
    message = _content(candidate.get("content") or {"parts": []}, "model")
    message["role"] = "assistant"
    reason = _reason(candidate)
    if reason:
        called = any(part["type"] == "tool_call" for part in message["parts"])
        message["finish_reason"] = (
            "tool_call" if called and reason == "STOP" else _FINISH_REASONS.get(reason, reason.lower())
        )
    grounding = _get(candidate, "groundingMetadata")
    if grounding:
        for part in message["parts"]:
            if part["type"] == "text":
                part["grounding"] = grounding
                break
    return message


def _response(body: Json, asked: Json) -> Attributes:
    candidates = _mappings(body.get("candidates") or [])
    reasons = [reason for reason in map(_reason, candidates) if reason]
    blocked = _get(_get(body, "promptFeedback"), "blockReason")
    if blocked and not reasons:  # the model was not asked
        reasons = [str(blocked)]
    messages = [_output(each) for each in candidates]
    mode = _get(_get(_get(asked, "toolConfig"), "functionCallingConfig"), "mode")
    return {
        semconv.RESPONSE_ID: _get(body, "responseId") or None,
        semconv.RESPONSE_MODEL: _get(body, "modelVersion") or None,
        semconv.RESPONSE_FINISH_REASONS: reasons or None,
        semconv.OUTPUT_MESSAGES: messages or None,
        **model_choice(
            list(_tools(asked)),
            [part for message in messages for part in message["parts"]],
            finished=bool(candidates) and all(ended_by_model(_reason(each)) for each in candidates),
            forced=mode == "ANY",
            forbidden=mode == "NONE",
        ),
    }


def _fold(events: Events) -> dict[str, Any]:
    """Each chunk is a reply of its own: parts follow each other, texts of one kind in a row are one."""
    body: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for event in events:
        body.update((name, value) for name, value in event.items() if value is not None)
        for candidate in _mappings(event.get("candidates") or []):
            known = candidates.setdefault(candidate.get("index") or 0, {"content": {"role": "model", "parts": []}})
            known.update((name, value) for name, value in candidate.items() if name != "content" and value is not None)
            for part in _mappings((candidate.get("content") or {}).get("parts") or []):
                _add(known["content"]["parts"], part)
    body["candidates"] = [candidates[index] for index in sorted(candidates)]
    return body


def _add(before: list[dict[str, Any]], part: Json) -> None:
    last = before[-1] if before else {}
    if "text" in part and "text" in last and bool(part.get("thought")) == bool(last.get("thought")):
        before[-1] = {**last, **part, "text": last["text"] + part["text"]}
    else:
        before.append(dict(part))


def _usage(body: Json) -> Json | None:
    usage = _get(body, "usageMetadata")
    return usage if isinstance(usage, Mapping) else None


# --- embeddings ------------------------------------------------------------------------------------


def _embed_request(body: Json) -> Attributes:
    each = _mappings(body.get("requests") or [body])
    texts = [
        "".join(str(part.get("text") or "") for part in _mappings((one.get("content") or {}).get("parts") or []))
        for one in each
    ]
    count = _get(each[0], "outputDimensionality") if each else None
    return {
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) else None,
        semconv.INPUT: texts[0] if len(texts) == 1 else texts,
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    vectors = _mappings(body.get("embeddings") or body.get("embedding") or [])
    values = vectors[0].get("values") if vectors else None
    return {semconv.EMBEDDINGS_DIMENSION_COUNT: len(values) if isinstance(values, list) and values else None}


# --- the table -------------------------------------------------------------------------------------

_MODEL = re.compile(r"([^/:]+):\w+$")


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
    arguments = dict(zip(("http_method", "path", "request_dict", "http_options"), args, strict=False)) | kwargs
    path = str(arguments.get("path") or "").partition("?")[0]
    match = _MODEL.search(path)
    body = arguments.get("request_dict")
    body = (
        {name: value for name, value in body.items() if not name.startswith("_")} if isinstance(body, Mapping) else {}
    )
    url = _base_url(arguments.get("http_options")) or _base_url(getattr(client, "_http_options", None))
    vertex = getattr(client, "vertexai", False)
    return Asked(
        path,
        body,
        url=url or "",
        method=str(arguments.get("http_method") or "post"),
        model=match[1] if match else None,
        provider="gcp.vertex_ai" if vertex else "gcp.gemini",
    )


def _base_url(options: Any) -> str | None:
    url = options.get("base_url") if isinstance(options, Mapping) else getattr(options, "base_url", None)
    return url if isinstance(url, str) else None


def _calls_functions(models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """One call of ``generate_content`` whose functions the client will call by itself."""
    config = kwargs.get("config")
    tools = _field(config, "tools")
    automatic = _field(config, "automatic_function_calling")
    if not isinstance(tools, list) or _field(automatic, "disable"):
        return None
    if not any(callable(tool) or hasattr(tool, "call_tool") for tool in tools):
        return None
    model = kwargs.get("model")
    client = getattr(models, "_api_client", None)
    return Asked(
        _AUTOMATIC,
        url=_base_url(getattr(client, "_http_options", None)) or "",
        model=model if isinstance(model, str) else None,
        provider="gcp.vertex_ai" if getattr(client, "vertexai", False) else "gcp.gemini",
    )


def _field(config: Any, name: str) -> Any:
    return _get(config, name) if isinstance(config, Mapping) else getattr(config, name, None)


def _counts_nothing(attributes: Attributes, exchanged: Exchanged) -> bool:
    return False


_AUTOMATIC = "automatic_function_calling"

ENDPOINTS = Endpoints(
    [
        Endpoint(
            path="[^/]*:(?:streamG|g)enerateContent", operation="generate_content",
            request=_request, response=_response, fold=_fold, usage=_usage, usage_shape="gemini.generate",
            end_mark=re.compile(rb'"finishReason"\s*:\s*(?:"(?!FINISH_REASON_UNSPECIFIED)|[1-9])'),
        ),
        Endpoint(
            path="[^/]*:(?:embedContent|batchEmbedContents)", kind="embedding", operation="embeddings",
            request=_embed_request, response=_embed_response, usage=_usage, usage_shape="gemini.generate",
        ),
        Endpoint(
            path="[^/]*:(?:countTokens|computeTokens)", kind="span", operation="count_tokens",
            span_name="count_tokens", request=_request, settle=_counts_nothing,
            response=lambda body, asked: {semconv.OUTPUT: dict(body)},
        ),
        *(
            Endpoint(
                path=f"[^/]*:{name}", kind="span", operation=f"models.{name}", span_name=f"models.{name}",
                request=generic_request, response=generic_response, usage=_usage, usage_shape="gemini.generate",
            )
            for name in ("predict", "predictLongRunning", "batchGenerateContent", "asyncBatchEmbedContent")
        ),
        *interactions.ROWS,
        Endpoint(
            path=_AUTOMATIC, kind="span", operation=_AUTOMATIC, span_name=_AUTOMATIC,
            request=lambda body: {}, response=lambda body, asked: {}, fold=lambda events: {}, settle=_counts_nothing,
        ),
    ],
    other=Endpoint(kind="span", usage=_usage, usage_shape="gemini.generate"),
    verbs=("cancel", "run", "pause", "resume", "rotate"),
    names=("cachedContents", "fileSearchStores", "tunedModels", "tuningJobs", "batchPredictionJobs"),
)  # fmt: skip

_CLIENT, _MODELS = "google.genai._api_client", "google.genai.models"

# Before version 3, interactions had a client of another generator.
_INTERACTIONS_2 = "google.genai._interactions"
_SECOND = GeneratedClient(
    "google_genai", "google.genai", ">=2.0,<4", provider="gcp.gemini", endpoints=ENDPOINTS, package=_INTERACTIONS_2
)


class GoogleGenAIIntegration(MethodClient):
    """Both clients of the library, and the streams of the second one."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the methods, and what reads the events of a stream."""
        super().install(module, patches)
        interactions.install(patches)
        patches.when_imported(f"{_INTERACTIONS_2}._base_client", lambda base: _SECOND.install(base, patches))


integration = GoogleGenAIIntegration(
    "google_genai",
    "google.genai",
    ">=2.0,<4",
    provider="gcp.gemini",
    distribution="google-genai",
    endpoints=ENDPOINTS,
    methods=[
        *(
            Method(_CLIENT, "BaseApiClient", name, _asked, body=lambda reply: reply.body)
            for name in ("request", "request_streamed", "async_request", "async_request_streamed")
        ),
        *(
            Method(_MODELS, owner, name, _calls_functions, body=lambda reply: {})
            for owner in ("Models", "AsyncModels")
            for name in ("generate_content", "generate_content_stream")
        ),
        *interactions.METHODS,
    ],
)

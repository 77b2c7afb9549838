"""Ollama's client and its own API: chats, completions, their streams of JSON lines, embeddings; others by path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Endpoints, Events, Json, Method, MethodClient
from agentops_sdk.integration.dialects import decision_answers, mappings, number, openai_chat
from agentops_sdk.integration.dialects import message_parts as parts


def _images(images: Any) -> list[parts.Part]:
    return [{"type": "blob", "modality": "image", "content": str(each)} for each in images or ()]


def _message(message: Json) -> dict[str, Any]:
    role = str(message.get("role") or "user")
    if role == "tool":
        key = message.get("tool_call_id") or message.get("tool_name")
        return {"role": role, "parts": [{"type": "tool_call_response", "id": key, "response": message.get("content")}]}
    thought = [parts.reasoning(message["thinking"])] if message.get("thinking") else []
    calls = [openai_chat.tool_call(each) for each in mappings(message.get("tool_calls"))]
    content = parts.of_content(message.get("content"))
    return {"role": role, "parts": [*thought, *content, *_images(message.get("images")), *calls]}


def _tools(body: Json) -> list[dict[str, Any]]:
    functions = [tool.get("function") for tool in mappings(body.get("tools"))]
    return [{**each, "type": "function", "name": str(each.get("name") or "")} for each in mappings(functions)]


def _options(body: Json) -> Attributes:
    options = body.get("options")
    options = options if isinstance(options, Mapping) else {}
    thinking, stop = body.get("think"), options.get("stop")
    return {
        semconv.REQUEST_MODEL: body.get("model"),
        semconv.REQUEST_TEMPERATURE: number(options.get("temperature")),
        semconv.REQUEST_TOP_P: number(options.get("top_p")),
        semconv.REQUEST_TOP_K: options.get("top_k"),
        semconv.REQUEST_MAX_TOKENS: options.get("num_predict"),
        semconv.REQUEST_SEED: options.get("seed"),
        semconv.REQUEST_FREQUENCY_PENALTY: number(options.get("frequency_penalty")),
        semconv.REQUEST_PRESENCE_PENALTY: number(options.get("presence_penalty")),
        semconv.REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else stop or None,
        semconv.REQUEST_REASONING_LEVEL: thinking if isinstance(thinking, str) else None,
        semconv.OUTPUT_TYPE: "json" if body.get("format") else None,
    }


def _chat_request(body: Json) -> Attributes:
    return {
        **_options(body),
        semconv.INPUT_MESSAGES: [_message(each) for each in mappings(body.get("messages"))] or None,
        semconv.TOOL_DEFINITIONS: _tools(body) or None,
    }


def _generate_request(body: Json) -> Attributes:
    content = [*parts.of_content(body.get("prompt")), *_images(body.get("images"))]
    return {
        **_options(body),
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": content}] if content else None,
        semconv.SYSTEM_INSTRUCTIONS: [parts.text(str(body["system"]))] if body.get("system") else None,
    }


def _response(body: Json, asked: Json) -> Attributes:
    """Of a chat, whose message is there, or of a completion, whose text lies beside."""
    message = body.get("message")
    if not isinstance(message, Mapping):
        made = body.get("image")
        message = {**body, "role": None, "content": body.get("response"), "images": [made] if made else None}
    output = {**_message(message), "role": "assistant"}
    reason = body.get("done_reason")
    if reason:
        called = any(part["type"] == "tool_call" for part in output["parts"])
        output["finish_reason"] = "tool_call" if called and reason == "stop" else str(reason)
    return {
        semconv.RESPONSE_MODEL: body.get("model") or None,
        semconv.RESPONSE_FINISH_REASONS: [str(reason)] if reason else None,
        semconv.OUTPUT_MESSAGES: [output] if output["parts"] or reason else None,
        **model_choice(_tools(asked), output["parts"], finished=ended_by_model(reason)),
    }


_TEXTS = ("content", "thinking", "response")


def _fold(events: Events) -> dict[str, Any]:
    """Each line is a reply with the next piece of the texts; the last has the figures. Calls of tools come whole."""
    body: dict[str, Any] = {}
    for event in events:
        _add(body, event)
    return body


def _add(body: dict[str, Any], piece: Json) -> None:
    for name, value in piece.items():
        if isinstance(value, Mapping) and name == "message":
            _add(body.setdefault(name, {}), value)
        elif name in _TEXTS and isinstance(value, str):
            body[name] = body.get(name, "") + value
        elif name == "tool_calls":
            body[name] = [*body.get(name, ()), *(value or ())]
        elif value is not None:
            body[name] = value


def _embed_request(body: Json) -> Attributes:
    texts, count = body.get("input", body.get("prompt")), body.get("dimensions")
    if isinstance(texts, list) and len(texts) == 1:
        texts = texts[0]
    return {
        semconv.REQUEST_MODEL: body.get("model"),
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) else None,
        semconv.INPUT: texts,
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    vectors = body.get("embeddings") or [body.get("embedding")]
    return {
        semconv.RESPONSE_MODEL: body.get("model") or None,
        semconv.EMBEDDINGS_DIMENSION_COUNT: len(vectors[0]) if isinstance(vectors[0], list) else None,
    }


def _search_request(body: Json) -> Attributes:
    count = body.get("max_results")
    return {
        semconv.RETRIEVAL_QUERY: body.get("query"),
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def _found(body: Json, asked: Json) -> Attributes:
    pages = mappings(body.get("results"))
    return {
        semconv.RETRIEVAL_DOCUMENTS: [
            {"id": str(page.get("url") or ""), "content": page.get("content"), "title": page.get("title")}
            for page in pages
        ]
    }


def _decision_request(body: Json) -> Attributes:
    state = body.get("state")
    return {
        semconv.REQUEST_MODEL: body.get("model"),
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": parts.of_content(state)}] if state else None,
        semconv.INPUT: body.get("questions"),
        semconv.OUTPUT_TYPE: "json",
    }


def _usage(body: Json) -> Json:
    return body


_CHAT = Endpoint(
    path="api/chat",
    request=_chat_request,
    response=_response,
    fold=_fold,
    usage=_usage,
    usage_shape="ollama",
    end_mark=re.compile(rb'"done"\s*:\s*true'),
)

ENDPOINTS = Endpoints(
    [
        _CHAT,
        Endpoint(
            path="api/generate", operation="text_completion", request=_generate_request, response=_response, fold=_fold,
            usage=_usage, usage_shape="ollama", end_mark=_CHAT.end_mark,
        ),
        Endpoint(
            path="api/(?:embed|embeddings)", kind="embedding", operation="embeddings",
            request=_embed_request, response=_embed_response, usage=_usage, usage_shape="ollama",
        ),
        Endpoint(
            path="v1/systemone", operation="generate_content", request=_decision_request,
            response=decision_answers.response, usage=openai_chat.usage,
        ),
        Endpoint(
            path="api/web_search", kind="retriever", operation="retrieval", span_name="retrieval",
            request=_search_request, response=_found, usage=lambda body: None, name_in=lambda path: None,
        ),
    ],
    other=Endpoint(kind="span"),
    prefixes=("api", "https:", "ollama.com"),
    verbs=("generate",),
)  # fmt: skip


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    if len(args) < 3:  # the type of the reply, the method, the path
        return None
    body = kwargs.get("json")
    model = body.get("model") if isinstance(body, Mapping) else None
    base = getattr(client, "_client", None)
    path = str(args[2])
    return Asked(
        path,
        body if isinstance(body, Mapping) else {},
        url=path if "://" in path else str(getattr(base, "base_url", "")),  # searches are asked of another server
        method=str(args[1]),
        model=model if isinstance(model, str) else None,
    )


def _body(reply: Any) -> Any:
    return reply.model_dump(exclude_none=True) if hasattr(reply, "model_dump") else reply


integration = MethodClient(
    "ollama",
    "ollama",
    ">=0.5,<1",
    provider="ollama",
    endpoints=ENDPOINTS,
    methods=[
        Method("ollama._client", owner, "_request", _asked, body=_body, lazy=lambda kwargs: bool(kwargs.get("stream")))
        for owner in ("Client", "AsyncClient")
    ],
)

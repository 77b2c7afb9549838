"""Cohere's client, both versions of its API: chats and their streams, embeddings, reranking; the rest by its path.

The client retries inside of one method, so that its attempts are one.

Long because it is the whole client: one noun, in two versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, ended_by_model, model_choice, semconv
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    Events,
    Json,
    Method,
    MethodClient,
    frame_methods,
    watch_items,
)
from agentops_sdk.integration.dialects import OPENAI_TRANSCRIPTIONS, RERANK, fields, mappings, openai_chat
from agentops_sdk.integration.dialects import message_parts as parts

# --- both versions ---------------------------------------------------------------------------------

_OPTIONS = {
    semconv.REQUEST_MODEL: "model:text",
    semconv.REQUEST_TEMPERATURE: "temperature:number",
    semconv.REQUEST_TOP_P: "p:number",
    semconv.REQUEST_TOP_K: "k:int",
    semconv.REQUEST_MAX_TOKENS: "max_tokens:int",
    semconv.REQUEST_SEED: "seed:int",
    semconv.REQUEST_FREQUENCY_PENALTY: "frequency_penalty:number",
    semconv.REQUEST_PRESENCE_PENALTY: "presence_penalty:number",
    semconv.REQUEST_STOP_SEQUENCES: "stop_sequences:texts",
}
_FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_call",
    "ERROR": "error",
    "ERROR_TOXIC": "content_filter",
}


def _asks_json(body: Json) -> str | None:
    wanted = body.get("response_format")
    return "json" if isinstance(wanted, Mapping) and wanted.get("type") == "json_object" else None


def _reply(body: Json, asked: Json, content: list[parts.Part], tools: list[dict[str, Any]]) -> Attributes:
    reason = body.get("finish_reason")
    message: dict[str, Any] = {"role": "assistant", "parts": content}
    if reason:
        message["finish_reason"] = _FINISH_REASONS.get(str(reason), str(reason).lower())
    return {
        semconv.RESPONSE_ID: body.get("id") or body.get("response_id") or body.get("generation_id") or None,
        semconv.RESPONSE_FINISH_REASONS: [str(reason)] if reason else None,
        semconv.OUTPUT_MESSAGES: [message] if content or reason else None,
        **model_choice(
            tools,
            content,
            finished=ended_by_model(reason) and not str(reason).startswith("ERROR"),
            forced=asked.get("tool_choice") == "REQUIRED",
            forbidden=asked.get("tool_choice") == "NONE",
        ),
    }


def _usage(body: Json) -> Json | None:
    usage = body.get("usage") or body.get("meta")
    return usage if isinstance(usage, Mapping) else None


def _failed(body: Json) -> bool:
    """The finish reason stands in a body, or in the event that ends a stream: of version 2 in its ``delta``."""
    delta = body.get("delta")
    end = delta if isinstance(delta, Mapping) else body
    return bool(end.get("finish_reason") == "ERROR")


_FAILURE = re.compile(rb'"finish_reason"\s*:\s*"ERROR"')


# --- version 2 -------------------------------------------------------------------------------------


def _message(message: Json) -> dict[str, Any]:
    role = str(message.get("role") or "user")
    if role == "tool":
        content = message.get("content")
        answer = content if isinstance(content, str) else [parts.of_block(block) for block in content or ()]
        return {
            "role": role,
            "parts": [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": answer}],
        }
    plan = [parts.reasoning(message["tool_plan"])] if message.get("tool_plan") else []
    content = _cited(parts.of_content(message.get("content")), message)
    return {
        "role": role,
        "parts": [*plan, *content, *(openai_chat.tool_call(each) for each in mappings(message.get("tool_calls")))],
    }


def _cited(content: list[parts.Part], reply: Json) -> list[parts.Part]:
    """The first text of a reply with what it cites."""
    for part in content if reply.get("citations") else ():
        if part["type"] == "text":
            part["citations"] = reply["citations"]
            break
    return content


def _tools(body: Json) -> list[dict[str, Any]]:
    functions = mappings([tool.get("function") for tool in mappings(body.get("tools"))])
    return [{**each, "type": "function", "name": str(each.get("name") or "")} for each in functions]


def _request(body: Json) -> Attributes:
    return {
        **fields(body, _OPTIONS),
        semconv.OUTPUT_TYPE: _asks_json(body),
        semconv.INPUT_MESSAGES: [_message(each) for each in mappings(body.get("messages"))] or None,
        semconv.TOOL_DEFINITIONS: _tools(body) or None,
    }


def _response(body: Json, asked: Json) -> Attributes:
    message = body.get("message")
    content = _message({**message, "role": "assistant"})["parts"] if isinstance(message, Mapping) else []
    return _reply(body, asked, content, _tools(asked))


def _fold(events: Events) -> dict[str, Any]:
    """``message-start`` has the id; ``content-*``, ``tool-*``, ``citation-*`` the message; ``message-end`` the rest."""
    body: dict[str, Any] = {}
    plan = ""
    blocks: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[str, Any]] = {}
    citations: list[Any] = []
    for event in events:
        kind, index = event.get("type"), event.get("index") or 0
        delta = event.get("delta") or {}
        message = delta.get("message") or {}
        if kind == "message-start":
            body["id"] = event.get("id")
        elif kind == "message-end":
            body.update(delta)
        elif kind in ("content-start", "content-delta"):
            _grow(blocks.setdefault(index, {}), message.get("content") or {})
        elif kind == "tool-plan-delta":
            plan += str(message.get("tool_plan") or "")
        elif kind in ("tool-call-start", "tool-call-delta"):
            _grow(calls.setdefault(index, {}), message.get("tool_calls") or {})
        elif kind == "citation-start":
            citations.append(message.get("citations"))
    body["message"] = {
        "tool_plan": plan,
        "content": [{"type": "text", **blocks[each]} for each in sorted(blocks)],
        "tool_calls": [calls[each] for each in sorted(calls)],
        "citations": citations,
    }
    return body


_GROWING = ("text", "thinking", "arguments")


def _grow(block: dict[str, Any], piece: Json) -> None:
    for name, value in piece.items():
        if isinstance(value, Mapping):
            _grow(block.setdefault(name, {}), value)
        elif name in _GROWING:
            block[name] = block.get(name, "") + str(value or "")
        elif value is not None:
            block[name] = value


# --- version 1 -------------------------------------------------------------------------------------

_ROLES = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}


def _old_call(call: Json) -> parts.Part:
    return {"type": "tool_call", "id": None, "name": str(call.get("name") or ""), "arguments": call.get("parameters")}


def _old_message(message: Json) -> dict[str, Any]:
    results = [
        {"type": "tool_call_response", "id": (each.get("call") or {}).get("name"), "response": each.get("outputs")}
        for each in mappings(message.get("tool_results"))
    ]
    calls = [_old_call(each) for each in mappings(message.get("tool_calls"))]
    role = str(message.get("role") or "USER")
    content = [*results, *parts.of_content(message.get("message")), *calls]
    return {"role": _ROLES.get(role, role.lower()), "parts": content}


def _old_tools(body: Json) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "name": str(tool.get("name") or ""),
            "description": tool.get("description"),
            "parameters": tool.get("parameter_definitions"),
        }
        for tool in mappings(body.get("tools"))
    ]


def _old_request(body: Json) -> Attributes:
    messages = [_old_message(each) for each in mappings(body.get("chat_history"))]
    if body.get("message") or body.get("tool_results"):
        messages.append(_old_message({"message": body.get("message"), "tool_results": body.get("tool_results")}))
    return {
        **fields(body, _OPTIONS),
        semconv.OUTPUT_TYPE: _asks_json(body),
        semconv.INPUT_MESSAGES: messages or None,
        semconv.SYSTEM_INSTRUCTIONS: [parts.text(str(body["preamble"]))] if body.get("preamble") else None,
        semconv.TOOL_DEFINITIONS: _old_tools(body) or None,
    }


def _old_response(body: Json, asked: Json) -> Attributes:
    calls = [_old_call(each) for each in mappings(body.get("tool_calls"))]
    return _reply(body, asked, [*_cited(parts.of_content(body.get("text")), body), *calls], _old_tools(asked))


def _old_fold(events: Events) -> dict[str, Any]:
    """The last event holds the whole reply; where it has not come, the texts and calls so far."""
    body: dict[str, Any] = {}
    for event in events:
        kind = event.get("event_type")
        if kind == "stream-start":
            body["generation_id"] = event.get("generation_id")
        elif kind == "text-generation":
            body["text"] = str(body.get("text") or "") + str(event.get("text") or "")
        elif kind == "tool-calls-generation":
            body["tool_calls"] = event.get("tool_calls")
        elif kind == "stream-end":
            body = {**body, **(event.get("response") or {}), "finish_reason": event.get("finish_reason")}
    return body


def _prompt_request(body: Json) -> Attributes:
    prompt = body.get("prompt", body.get("text"))
    said = [{"role": "user", "parts": parts.of_content(prompt)}] if isinstance(prompt, str) else None
    return {**fields(body, _OPTIONS), semconv.INPUT_MESSAGES: said}


def _prompt_response(body: Json, asked: Json) -> Attributes:
    texts = [each.get("text") for each in mappings(body.get("generations"))] or [body.get("summary")]
    said = [{"role": "assistant", "parts": parts.of_content(text)} for text in texts if text]
    return {semconv.RESPONSE_ID: body.get("id") or None, semconv.OUTPUT_MESSAGES: said or None}


def _prompt_fold(events: Events) -> dict[str, Any]:
    ended = next((each["response"] for each in events if isinstance(each.get("response"), Mapping)), None)
    return dict(ended or {"generations": [{"text": "".join(str(each.get("text") or "") for each in events)}]})


# --- embeddings ------------------------------------------------------------------------------------


def _embed_request(body: Json) -> Attributes:
    texts = body.get("texts") or body.get("inputs") or body.get("images")
    types, count = body.get("embedding_types"), body.get("output_dimension")
    return {
        semconv.REQUEST_MODEL: body.get("model"),
        semconv.REQUEST_ENCODING_FORMATS: list(types) if isinstance(types, list) else None,
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) else None,
        semconv.INPUT: texts[0] if isinstance(texts, list) and len(texts) == 1 else texts,
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    vectors = body.get("embeddings")
    if isinstance(vectors, Mapping):
        vectors = vectors.get("float") or vectors.get("int8") or vectors.get("uint8")
    first = vectors[0] if isinstance(vectors, list) and vectors else None
    return {
        semconv.RESPONSE_ID: body.get("id") or None,
        semconv.EMBEDDINGS_DIMENSION_COUNT: len(first) if isinstance(first, list) and first else None,
    }


# --- the table -------------------------------------------------------------------------------------

ENDPOINTS = Endpoints(
    [
        Endpoint(
            path="v1/chat", request=_old_request, response=_old_response, fold=_old_fold, usage=_usage,
            usage_shape="cohere.chat", end_mark=re.compile(rb'"event_type"\s*:\s*"stream-end"'), failed=_failed,
            failure_mark=_FAILURE,
        ),
        Endpoint(
            path="v2/chat", request=_request, response=_response, fold=_fold, usage=_usage, usage_shape="cohere.chat",
            end_mark=re.compile(rb'"type"\s*:\s*"message-end"|^data:\s*\[DONE\]', re.MULTILINE), failed=_failed,
            failure_mark=_FAILURE,
        ),
        Endpoint(
            path="embed", kind="embedding", operation="embeddings", request=_embed_request, response=_embed_response,
            usage=_usage, usage_shape="cohere.embed",
        ),
        replace(RERANK, usage=_usage, usage_shape="cohere.rerank"),
        Endpoint(
            path="v1/(?:generate|summarize)", operation="text_completion", request=_prompt_request,
            response=_prompt_response, fold=_prompt_fold, usage=_usage, usage_shape="cohere.chat",
            end_mark=re.compile(rb'"event_type"\s*:\s*"stream-end"|"is_finished"\s*:\s*true'),
        ),
        replace(OPENAI_TRANSCRIPTIONS, usage=_usage, usage_shape="cohere.chat"),
        Endpoint(path="v2/parse", operation="generate_content", usage=_usage, usage_shape="cohere.chat"),
    ],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
    collections=("models", "datasets", "connectors", "embed-jobs", "finetuned-models", "batches"),
)  # fmt: skip


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    path = args[0] if args else kwargs.get("path")
    if path is None or kwargs.get("retries"):  # the method calls itself to try again
        return None
    sent, omitted = kwargs.get("json") or kwargs.get("data"), kwargs.get("omit")  # the latter beside files
    body = {name: value for name, value in sent.items() if value is not omitted} if isinstance(sent, Mapping) else {}
    url = kwargs.get("base_url")
    if url is None and callable(getattr(client, "base_url", None)):
        url = client.base_url()
    model = body.get("model")
    return Asked(
        str(path),
        body,
        url=str(url or ""),
        method=str(kwargs.get("method") or "POST"),
        model=model if isinstance(model, str) else None,
    )


_PARTS = (
    "audio.transcriptions", "batches", "connectors", "datasets", "embed_jobs", "finetuning", "models", "v2",
)  # fmt: skip


class CohereIntegration(MethodClient):
    """The methods that all requests pass, and the streams over their replies."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the methods, and what reads the events of a stream."""
        super().install(module, patches)
        for part in ("raw_base_client", *(f"{part}.raw_client" for part in _PARTS)):
            frame_methods(patches, self.name, f"cohere.{part}")
        patches.when_imported("cohere.core.http_sse._api", lambda events: _watch_streams(events, patches))


def _watch_streams(events: ModuleType, patches: Patches) -> None:
    for name in ("iter_sse", "aiter_sse"):
        patches.wrap(events.EventSource, name, _events)


def _events(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return watch_items(wrapped(*args, **kwargs), instance.response)


integration = CohereIntegration(
    "cohere",
    "cohere",
    ">=5.21,<8",
    provider="cohere",
    endpoints=ENDPOINTS,
    methods=[
        Method("cohere.core.http_client", owner, name, _asked, http=True)
        for owner in ("HttpClient", "AsyncHttpClient")
        for name in ("request", "stream")
    ],
)

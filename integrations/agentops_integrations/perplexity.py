"""Perplexity's client: OpenAI's dialect with what was searched, and searches by themselves. Replies tell their cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_sdk.integration import BoundedMap, semconv
from agentops_sdk.integration.clients import ID, Attributes, Endpoint, Endpoints, Exchanged, GeneratedClient, Json
from agentops_sdk.integration.dialects import (
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    mappings,
    openai_chat,
)

_STEPS = ("web_search", "fetch_url_content", "execute_python")


def _response(body: Json, asked: Json) -> Attributes:
    """The reply, its sources as annotations of its text, its steps of thought as reasoning."""
    sources = [{"type": "url_citation", **each} for each in mappings(body.get("search_results"))]
    if not sources:
        sources = [{"type": "url_citation", "url": url} for url in body.get("citations") or ()]
    choices = [_choice(each, sources) for each in mappings(body.get("choices"))]
    return openai_chat.response({**body, "choices": choices}, asked)


def _choice(choice: Json, sources: list[dict[str, Any]]) -> dict[str, Any]:
    message = choice.get("message")
    if not isinstance(message, Mapping):
        return dict(choice)
    steps = list(mappings(message.get("reasoning_steps")))
    thoughts = "\n".join(str(step["thought"]) for step in steps if step.get("thought"))
    tools = [{name: step[name] for name in _STEPS if step.get(name)} for step in steps]
    added = {"reasoning": thoughts, "executed_tools": [tool for tool in tools if tool], "annotations": sources}
    return {**choice, "message": {**message, **{name: value for name, value in added.items() if value}}}


def _usage(body: Json) -> Json | None:
    """The usage; its cost only once the reply is finished: until then a stream's chunks say that it costs nothing."""
    usage = openai_chat.usage(body)
    if usage is None or any(each.get("finish_reason") for each in mappings(body.get("choices"))):
        return usage
    return {name: value for name, value in usage.items() if name != "cost"}


def _responses_usage(body: Json) -> Json | None:
    """The usage, with the searches as OpenAI's form has them."""
    usage = OPENAI_RESPONSES.usage(body)
    called = (usage or {}).get("tool_calls_details")
    searched = called.get("web_search") if isinstance(called, Mapping) else None
    if usage is None or not isinstance(searched, Mapping):
        return usage
    return {**usage, "web_search_calls": searched.get("invocation")}


def _embeddings(body: Json, asked: Json) -> Attributes:
    """Vectors, of chunks of documents too; unless the request says otherwise, their numbers have eight bits."""
    data = body.get("data")
    chunks = data[0].get("data") if isinstance(data, list) and data and isinstance(data[0], Mapping) else None
    told = {**body, "data": chunks} if isinstance(chunks, list) else body
    return OPENAI_EMBEDDINGS.response(told, {"encoding_format": "base64_int8", **asked})


# --- chats that go on at the provider's, and are read later ----------------------------------------

_LATER = "async.chat.completions"
_STATUSES = {"created": "queued"}

_counted: BoundedMap[str, None] = BoundedMap(10_000)
"""Ids of chats that have told their tokens to this process."""


def _later_request(body: Json) -> Attributes:
    asked = body.get("request")
    if not isinstance(asked, Mapping):
        return {}
    model = asked.get("model")
    return {**openai_chat.request(asked), semconv.REQUEST_MODEL: model if isinstance(model, str) else None}


def _later_response(body: Json, asked: Json) -> Attributes:
    """The state of the chat, and its reply once there is one."""
    status, reply = str(body.get("status") or "").lower(), body.get("response")
    status = _STATUSES.get(status, status)
    attributes = _response(reply, asked) if isinstance(reply, Mapping) else {}
    return {
        **attributes,
        semconv.RESPONSE_MODEL: attributes.get(semconv.RESPONSE_MODEL) or body.get("model") or None,
        semconv.RESPONSE_STATUS: status if status in semconv.RESPONSE_STATUSES else None,
    }


def _later_usage(body: Json) -> Json | None:
    reply = body.get("response")
    return _usage(reply) if isinstance(reply, Mapping) else None


def _later_settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    """It is begun by one request and read by others: its tokens count once, for the first who reads its end."""
    ident = exchanged.reply.get("id")
    if not isinstance(ident, str) or not ident:
        return False
    attributes[semconv.USAGE_OF] = ident
    if not exchanged.figures:
        if exchanged.method == "POST":
            attributes[semconv.COST_UNKNOWN_REASON] = (
                "in the background: its tokens are told to whoever reads its end"
            )  # fmt: skip
        return False
    first = ident not in _counted
    _counted[ident] = None
    if first:
        attributes[semconv.KIND] = "llm"
    return first


def _search_request(body: Json) -> Attributes:
    query, count = body.get("query"), body.get("max_results")
    return {
        semconv.RETRIEVAL_QUERY: query,
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def _search(body: Json, asked: Json) -> Attributes:
    documents = [
        {**{name: value for name, value in each.items() if name not in ("url", "snippet")},
         "id": str(each.get("url") or ""), "content": each.get("snippet")}
        for each in mappings(body.get("results"))
    ]  # fmt: skip
    return {semconv.RESPONSE_ID: body.get("id") or None, semconv.RETRIEVAL_DOCUMENTS: documents}


ENDPOINTS = Endpoints(
    [
        *(
            Endpoint(
                path=path, method=method, kind="span", operation=f"{_LATER}.{name}", span_name=f"{_LATER}.{name}",
                request=_later_request, response=_later_response, usage=_later_usage, settle=_later_settle,
            )
            for method, path, name in (
                ("POST", "async/chat/completions", "create"), ("GET", f"async/chat/completions/{ID}", "get"),
            )
        ),
        replace(OPENAI_CHAT, response=_response, usage=_usage),
        replace(OPENAI_RESPONSES, usage=_responses_usage),
        replace(OPENAI_EMBEDDINGS, response=_embeddings),
        replace(OPENAI_EMBEDDINGS, path="contextualizedembeddings", response=_embeddings),
        Endpoint(
            path="search", kind="retriever", operation="retrieval", span_name="retrieval",
            request=_search_request, response=_search, name_in=lambda path: None,
        ),
    ],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
)  # fmt: skip

integration = GeneratedClient(
    "perplexity", "perplexity", ">=0.16,<1", provider="perplexity", endpoints=ENDPOINTS, distribution="perplexityai"
)

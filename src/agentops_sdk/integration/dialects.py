"""OpenAI's and Anthropic's API dialects, which many providers use: ready-made rows, and their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from agentops_sdk._genai import (
    anthropic_completions,
    anthropic_messages,
    decision_answers,
    hosted_agents,
    message_parts,
    openai_chat,
    openai_embeddings,
    openai_items,
    openai_media,
    openai_responses,
    openai_tools,
    rerank,
)
from agentops_sdk._genai.fields import fields, mapping, mappings, number, text_value
from agentops_sdk._http.endpoint import Endpoint, Json, Retold, error_field

__all__ = [
    "ANTHROPIC_COMPLETIONS",
    "ANTHROPIC_MESSAGES",
    "OPENAI_CHAT",
    "OPENAI_COMPLETIONS",
    "OPENAI_EMBEDDINGS",
    "OPENAI_IMAGES",
    "OPENAI_RESPONSES",
    "OPENAI_SPEECH",
    "OPENAI_TRANSCRIPTIONS",
    "RERANK",
    "anthropic_messages",
    "decision_answers",
    "fields",
    "hosted_agents",
    "mapping",
    "mappings",
    "message_parts",
    "number",
    "openai_chat",
    "openai_embeddings",
    "openai_items",
    "openai_media",
    "openai_responses",
    "openai_tools",
    "text_value",
]

ANTHROPIC_MESSAGES = Endpoint(
    path="messages",
    request=anthropic_messages.request,
    response=anthropic_messages.response,
    fold=anthropic_messages.assemble,
    text_of=anthropic_messages.text_of,
    usage_shape="anthropic.messages",
    end_mark=re.compile(rb'"type"\s*:\s*"message_(?:stop|delta)"'),
    silent_events=frozenset(("ping",)),
)
"""Anthropic's messages."""

ANTHROPIC_COMPLETIONS = replace(
    ANTHROPIC_MESSAGES,
    path="complete",
    operation="text_completion",
    request=anthropic_completions.request,
    response=anthropic_completions.response,
    fold=anthropic_completions.assemble,
    text_of=None,
    end_mark=re.compile(rb'"stop_reason"\s*:\s*"'),
)
"""Anthropic's text completions of old."""


def _is_failed_chat(body: Json) -> bool:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return error_field(body)
    return all(isinstance(each, Mapping) and each.get("finish_reason") == "error" for each in choices)


OPENAI_CHAT = Endpoint(
    path="chat/completions",
    request=openai_chat.request,
    response=openai_chat.response,
    fold=openai_chat.assemble,
    text_of=openai_chat.text_of,
    usage=openai_chat.usage,
    end_mark=re.compile(rb'"finish_reason"\s*:\s*"[^"]|^data:\s*\[DONE\]', re.MULTILINE),
    failed=_is_failed_chat,
    failure_mark=re.compile(rb'"finish_reason"\s*:\s*"error"'),
)
"""Chat completions. Nothing is added to a request; usage is taken from where the provider puts it."""

OPENAI_COMPLETIONS = replace(OPENAI_CHAT, path="completions", operation="text_completion")
"""Completions of a prompt. In a table its row stands behind that of the chat, whose path ends like its own."""

OPENAI_EMBEDDINGS = Endpoint(
    path="embeddings",
    kind="embedding",
    operation="embeddings",
    request=openai_embeddings.request,
    response=openai_embeddings.response,
)

OPENAI_IMAGES = Endpoint(
    path="images/(?:generations|edits|variations)",
    operation="generate_content",
    request=openai_media.image_request,
    response=openai_media.response,
    fold=openai_media.assemble,
    usage=openai_media.usage,
    end_mark=re.compile(
        rb'"type"\s*:\s*"(?:image_\w+\.completed|transcript\.text\.done|transcription\.done|speech\.audio\.done)"'
    ),
)
"""Pictures, made and changed."""

OPENAI_SPEECH = replace(OPENAI_IMAGES, path="audio/speech", request=openai_media.speech_request)

OPENAI_TRANSCRIPTIONS = replace(
    OPENAI_IMAGES, path="audio/(?:transcriptions|translations)", request=openai_media.transcription_request,
    response=openai_media.transcription, usage=openai_media.transcription_usage,
)  # fmt: skip
"""Speech as text, in its language or in English."""

OPENAI_RESPONSES = Endpoint(
    path="responses",
    request=openai_responses.request,
    response=openai_responses.response,
    fold=openai_responses.assemble,
    retold=Retold(openai_responses.DELTAS, openai_responses.is_whole),
    usage=openai_responses.usage,
    usage_shape="openai.responses",
    end_mark=re.compile(
        rb"^event:\s*(?:response\.(?:completed|incomplete|failed)|error)\s*$"
        rb'|"type"\s*:\s*"response\.(?:completed|incomplete|failed)"|^data:\s*\{\s*"type"\s*:\s*"error"',
        re.MULTILINE,
    ),
    failed=lambda body: _is_failed_response(body) or error_field(body),
)
"""The Responses API."""

RERANK = Endpoint(
    path="rerank",
    kind="retriever",
    operation="rerank",
    span_name="rerank",
    request=rerank.request,
    response=rerank.response,
    name_in=lambda path: None,
)
"""Documents put in order by their relevance to a query."""


def _is_failed_response(body: Json) -> bool:
    return body.get("status") == "failed" and body.get("object") == "response"

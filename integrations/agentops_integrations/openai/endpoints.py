"""OpenAI's API as a table: the kind of each operation, its name and who reads its bodies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_integrations.openai import background, other_endpoints
from agentops_integrations.openai.usage_chunk_filter import UsageFilter
from agentops_sdk.integration import semconv, setting
from agentops_sdk.integration.clients import (
    ID,
    Endpoint,
    Endpoints,
    GeneratedClient,
    Outgoing,
    Prepared,
    error_field,
    generic_request,
    provider_of,
    takes_stream_options,
)
from agentops_sdk.integration.dialects import (
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_IMAGES,
    OPENAI_RESPONSES,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    hosted_agents,
)
from agentops_sdk.integration.dialects import openai_chat as chat

_SOURCE = re.compile(r"vector_stores/([^/]+)")


def ask_for_usage(outgoing: Outgoing) -> Prepared | None:
    """Ask for usage: of a stream whose caller said nothing of it, where the provider is known to take the question."""
    body, options = outgoing.body, outgoing.options
    if "stream_options" in body or not setting("stream_usage"):
        return None
    extra: Mapping[str, Any] = options.extra_json or {}
    if "stream_options" in extra or "data_sources" in extra or "data_sources" in body:
        return None
    query = {**getattr(outgoing.client, "_custom_query", {}), **dict(options.params or {})}
    if not takes_stream_options(outgoing.host, outgoing.port, query):
        return None
    return Prepared({**body, "stream_options": {"include_usage": True}}, UsageFilter())


def _source(path: str) -> str | None:
    """The vector store that a search goes to."""
    match = _SOURCE.search(path)
    return match.group(1) if match else None


_ANY = Endpoint(usage=chat.usage, fold=other_endpoints.assemble, settle=background.settle)
_CHAT = replace(OPENAI_CHAT, request=chat.chat_request, prepare=ask_for_usage, settle=background.settle)
_RESPONSES = replace(OPENAI_RESPONSES, settle=background.settle)


def _read_later(row: Endpoint, method: str, path: str, name: str) -> Endpoint:
    """A row of something that is no model call by itself: what was begun elsewhere, or its report."""
    return replace(row, method=method, path=path, kind="span", operation=name, span_name=name, failed=error_field)


_FETCH = replace(_RESPONSES, request=other_endpoints.fetch_request, response=other_endpoints.fetched)
_BATCH = replace(_ANY, request=generic_request, response=other_endpoints.batch, usage_shape="openai.responses")
_TRAINING = replace(_ANY, request=generic_request, response=other_endpoints.training)
_EVALUATION = replace(_ANY, request=generic_request, response=other_endpoints.evaluation, usage=other_endpoints.usage)

ENDPOINTS = Endpoints(
    [
        _CHAT,
        _RESPONSES,
        replace(
            _read_later(_FETCH, "GET", f"responses/{ID}", "fetch_response"), ends_with=semconv.RESPONSE_ID
        ),
        _read_later(_FETCH, "POST", f"responses/{ID}/cancel", "responses.cancel"),
        replace(_RESPONSES, path="responses/compact", operation="responses.compact"),
        _read_later(_BATCH, "POST", "batches", "batches.create"),
        _read_later(_BATCH, "GET", f"batches/{ID}", "batches.retrieve"),
        _read_later(_BATCH, "POST", f"batches/{ID}/cancel", "batches.cancel"),
        _read_later(_TRAINING, "POST", "fine_tuning/jobs", "fine_tuning.jobs.create"),
        _read_later(_TRAINING, "GET", f"fine_tuning/jobs/{ID}", "fine_tuning.jobs.retrieve"),
        _read_later(_EVALUATION, "POST", f"evals/{ID}/runs", "evals.runs.create"),
        _read_later(_EVALUATION, "GET", f"evals/{ID}/runs/{ID}", "evals.runs.retrieve"),
        replace(
            _ANY, path="(?:assistants|agents)", kind="span", operation="create_agent", named_by="name",
            request=hosted_agents.creation, response=hosted_agents.response,
        ),
        replace(_CHAT, path="completions", operation="text_completion", request=chat.request),
        replace(OPENAI_EMBEDDINGS, usage=chat.usage, settle=background.settle),
        replace(OPENAI_IMAGES, settle=background.settle),
        replace(
            OPENAI_IMAGES, path=f"videos(?:/{ID}/remix)?", request=other_endpoints.video_request,
            settle=background.settle,
        ),
        replace(OPENAI_SPEECH, settle=background.settle),
        replace(OPENAI_TRANSCRIPTIONS, settle=background.settle),
        replace(
            _ANY, path="moderations", kind="guardrail", operation="apply_guardrail",
            request=other_endpoints.moderation_request, response=other_endpoints.moderation,
        ),
        replace(
            _ANY, path="decisions", operation="generate_content", usage_shape="openai.responses",
            request=other_endpoints.decision_request, response=other_endpoints.decision,
        ),
        replace(
            _ANY, path=f"vector_stores/{ID}/search", kind="retriever", operation="retrieval", name_in=_source,
            request=other_endpoints.search_request, response=other_endpoints.search,
        ),
    ],
    other=replace(_ANY, kind="span"),
    verbs=(
        "cancel", "complete", "pause", "resume", "search", "compact", "accept", "hangup", "refer", "reject",
        "submit_tool_outputs",
    ),
    prefixes=("openai",),
)  # fmt: skip

CLIENT = GeneratedClient("openai", "openai", ">=1.50,<4", provider=provider_of, endpoints=ENDPOINTS)

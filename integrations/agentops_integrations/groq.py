"""Groq's client: OpenAI's dialect. Streams tell their usage in ``x_groq``, without being asked."""

from __future__ import annotations

from dataclasses import replace

from agentops_sdk.integration.clients import Endpoint, Endpoints, GeneratedClient, Json
from agentops_sdk.integration.dialects import (
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    openai_media,
)

_LEAST_SECONDS = 10
"""Of sound that are billed for each request: https://console.groq.com/docs/speech-to-text."""


def _heard(body: Json) -> Json | None:
    told = openai_media.transcription_usage(body)
    seconds = told.get("seconds") if told else None
    return {"seconds": max(seconds, _LEAST_SECONDS)} if isinstance(seconds, int | float) else told


ENDPOINTS = Endpoints(
    [OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_SPEECH, replace(OPENAI_TRANSCRIPTIONS, usage=_heard)],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
    prefixes=("openai",),
)

integration = GeneratedClient("groq", "groq", ">=0.13,<2", provider="groq", endpoints=ENDPOINTS)

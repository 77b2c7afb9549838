"""Groq's client: OpenAI's dialect. Streams tell their usage in ``x_groq``, without being asked."""

from __future__ import annotations

from agentops_sdk.integration.clients import Endpoint, Endpoints, GeneratedClient
from agentops_sdk.integration.dialects import OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_SPEECH, OPENAI_TRANSCRIPTIONS

ENDPOINTS = Endpoints(
    [OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_SPEECH, OPENAI_TRANSCRIPTIONS],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
    prefixes=("openai",),
)

integration = GeneratedClient("groq", "groq", ">=0.13,<2", provider="groq", endpoints=ENDPOINTS)

"""Together's client: OpenAI's dialect, and reranking."""

from __future__ import annotations

from agentops_sdk.integration.clients import Endpoint, Endpoints, GeneratedClient
from agentops_sdk.integration.dialects import (
    OPENAI_CHAT,
    OPENAI_COMPLETIONS,
    OPENAI_EMBEDDINGS,
    OPENAI_IMAGES,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    RERANK,
)

ENDPOINTS = Endpoints(
    [
        OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, OPENAI_IMAGES, OPENAI_SPEECH, OPENAI_TRANSCRIPTIONS, RERANK,
    ],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
)  # fmt: skip

integration = GeneratedClient("together", "together", ">=2.0,<4", provider="together", endpoints=ENDPOINTS)

"""Together's client: OpenAI's dialect, and reranking."""

from __future__ import annotations

from agentops_sdk.integration.clients import Endpoint, Endpoints, GeneratedClient
from agentops_sdk.integration.dialects import OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, RERANK

ENDPOINTS = Endpoints(
    [OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, RERANK], other=Endpoint(kind="span"), verbs=("cancel",)
)

integration = GeneratedClient("together", "together", ">=2.0,<4", provider="together", endpoints=ENDPOINTS)

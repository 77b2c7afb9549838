"""Cerebras' client: OpenAI's dialect. Each new client asks once for nothing, to warm its connection up."""

from __future__ import annotations

from agentops_sdk.integration.clients import Endpoint, Endpoints, GeneratedClient
from agentops_sdk.integration.dialects import OPENAI_CHAT, OPENAI_COMPLETIONS

_WARMING = Endpoint(method="GET", path="tcp_warming", kind="none")

ENDPOINTS = Endpoints([_WARMING, OPENAI_CHAT, OPENAI_COMPLETIONS], other=Endpoint(kind="span"))

integration = GeneratedClient(
    "cerebras", "cerebras.cloud.sdk", ">=1.0,<2",
    provider="cerebras", endpoints=ENDPOINTS, distribution="cerebras-cloud-sdk",
)  # fmt: skip

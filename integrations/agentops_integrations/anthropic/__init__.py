"""Anthropic's client: messages and their streams, token counts, batches; everything else by its path.

The client makes OpenTelemetry spans of its own. Where a call is recorded here, its own span of the same call does not
arise, so that no token is counted twice, in our file or in the program's exporter.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from opentelemetry import trace

from agentops_integrations.anthropic import batches, managed_sessions, memory_stores
from agentops_sdk.integration import Patches, semconv, setting
from agentops_sdk.integration.clients import (
    Attributes,
    Endpoint,
    Endpoints,
    Exchanged,
    GeneratedClient,
    current_exchange,
    provider_of,
)
from agentops_sdk.integration.dialects import ANTHROPIC_COMPLETIONS, ANTHROPIC_MESSAGES, anthropic_messages

# --- the table -------------------------------------------------------------------------------------


def _counts_nothing(attributes: Attributes, exchanged: Exchanged) -> bool:
    return False


def _provider(host: str, port: int | None, client: type) -> str:
    for base in client.__mro__:
        for mark, name in _PLATFORMS:
            if mark in base.__name__:
                return name
    known = provider_of(host, port)
    return "anthropic" if known == "openai" else known  # an unknown host speaks this client's API, not OpenAI's


_PLATFORMS = (("Bedrock", "aws.bedrock"), ("Vertex", "gcp.vertex_ai"), ("Foundry", "azure.ai.inference"))

ENDPOINTS = Endpoints(
    [
        ANTHROPIC_MESSAGES,
        ANTHROPIC_COMPLETIONS,
        Endpoint(
            path="messages/count_tokens",
            kind="span",
            operation="count_tokens",
            span_name="count_tokens",
            request=anthropic_messages.request,
            response=lambda body, asked: {semconv.OUTPUT: dict(body)},
            settle=_counts_nothing,
        ),
        *batches.ROWS,
        *managed_sessions.ROWS,
        *memory_stores.ROWS,
    ],
    other=Endpoint(kind="span", usage_shape="anthropic.messages", settle=managed_sessions.settle_other),
    verbs=("cancel", "archive"),
)


class AnthropicIntegration(GeneratedClient):
    """The client, and its own tracer, which is silent where we record the call."""

    def __init__(self) -> None:
        super().__init__("anthropic", "anthropic", ">=0.40,<3", provider=_provider, endpoints=ENDPOINTS)

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the client's base classes, its tool runners, and what starts the spans of its own."""
        from agentops_integrations.anthropic import tool_runner

        super().install(module, patches)
        tool_runner.install(patches)
        base = module._base_client  # noqa: SLF001 - the seam; older versions have no tracer
        if hasattr(base, "start_api_call_span"):
            patches.wrap(base, "start_api_call_span", _own_span)


def _own_span(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """No second span of a call that is recorded: the client goes on without one, as where nobody records."""
    if current_exchange.get() is None:
        return wrapped(*args, **kwargs)
    if setting("vendor_propagation"):  # what it sends to the vendor is then our span
        return trace.NonRecordingSpan(trace.get_current_span().get_span_context())
    return None


integration = AnthropicIntegration()

"""OpenAI's client, every endpoint of it, through the one method that all requests pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk.integration.clients import other_wrappers

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

# Where the tracing SDKs for OpenAI are known to put their wrappers
_TRACED = (
    ("openai._base_client", ("SyncAPIClient", "AsyncAPIClient"), ("request", "_request")),
    ("openai", ("OpenAI", "AsyncOpenAI"), ("request",)),
    ("openai.resources.chat.completions", ("Completions", "AsyncCompletions"), ("create", "parse", "stream")),
    ("openai.resources.beta.chat.completions", ("Completions", "AsyncCompletions"), ("parse", "stream")),
    ("openai.resources.completions", ("Completions", "AsyncCompletions"), ("create",)),
    ("openai.resources.embeddings", ("Embeddings", "AsyncEmbeddings"), ("create",)),
    ("openai.resources.responses.responses", ("Responses", "AsyncResponses"), ("create", "parse", "stream")),
)


class OpenAIIntegration:
    """Patches the base clients of ``openai``; everything else is worked out from what goes over the wire."""

    name = "openai"
    target = "openai"
    requires = ">=1.50,<4"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the imported ``openai``."""
        from agentops_integrations.openai import function_runner, realtime, responses_socket, voice_sessions
        from agentops_integrations.openai.endpoints import CLIENT

        CLIENT.install(module, patches)
        realtime.install(patches)
        responses_socket.install(patches)
        voice_sessions.install(patches)
        function_runner.install(patches)

    def remark(self) -> str | None:
        """Who else has wrapped the client's methods, for ``status()``."""
        wrappers = other_wrappers("openai", _TRACED)
        return "also wrapped by " + ", ".join(wrappers) if wrappers else None


integration = OpenAIIntegration()

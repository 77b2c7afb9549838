"""OpenAI's client, every endpoint of it, through the one method that all requests pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_integrations.openai.foreign import wrappers

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class OpenAIIntegration:
    """Patches the base clients of ``openai``; everything else is worked out from what goes over the wire."""

    name = "openai"
    target = "openai"
    requires = ">=1.50,<4"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the imported ``openai``."""
        from agentops_integrations.openai.door import install

        install(module, patches)

    def remark(self) -> str | None:
        """Who else has wrapped the client's methods, for ``status()``."""
        found = wrappers()
        return "also wrapped by " + ", ".join(found) if found else None


integration = OpenAIIntegration()

"""OpenAI's client, every endpoint of it, through the one method that all requests pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class OpenAIIntegration:
    """Patches the base clients of ``openai``; everything else is worked out from what goes over the wire."""

    name = "openai"
    target = "openai"
    requires = ">=1.50,<4"

    def install(self, module: ModuleType) -> Callable[[], Any]:
        """Patch the imported ``openai``; the undo takes every patch out again."""
        from agentops_integrations.openai.door import install

        return install(module)

    def remark(self) -> str | None:
        """Who else has wrapped the client's methods, for ``status()``."""
        from agentops_integrations.openai.foreign import wrappers

        found = wrappers()
        return "also wrapped by " + ", ".join(found) if found else None


integration = OpenAIIntegration()

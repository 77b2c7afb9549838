"""LangChain and LangGraph, through the callbacks that every run of theirs reports to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class LangChainIntegration:
    """Puts one inheritable handler where callback managers are built; LangGraph runs report there as well."""

    name = "langchain"
    target = "langchain_core"
    distribution = "langchain-core"
    requires = ">=1.0,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Hook on to the imported ``langchain_core``."""
        from agentops_integrations.langchain.hooks import install

        install(patches)


integration = LangChainIntegration()

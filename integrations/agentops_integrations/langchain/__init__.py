"""LangChain and LangGraph, through the callbacks that every run of theirs reports to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class LangChainIntegration:
    """Puts one inheritable handler where callback managers are built; LangGraph runs report there as well."""

    name = "langchain"
    target = "langchain_core"
    distribution = "langchain-core"
    requires = ">=1.0,<2"

    def install(self, module: ModuleType) -> Callable[[], Any]:
        """Hook on to the imported ``langchain_core``; the undo takes every hook out again."""
        from agentops_integrations.langchain.hooks import install

        return install()


integration = LangChainIntegration()

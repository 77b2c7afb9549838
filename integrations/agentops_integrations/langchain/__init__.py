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
        """Hook on to what of LangChain and LangGraph is imported, now and later."""
        from agentops_integrations.langchain import (
            context_attachment,
            embeddings,
            graph,
            interrupts,
            store_memory,
            stream_readers,
            tool_bodies,
            trace_policy,
        )

        patches.when_imported("langchain_core.runnables.base", lambda _: _wait_for_tracers(patches))
        for part in (
            context_attachment, stream_readers, embeddings, graph, interrupts, store_memory, tool_bodies, trace_policy,
        ):  # fmt: skip
            part.install(patches)


def _wait_for_tracers(patches: Patches) -> None:
    """Runnables first, which the handler imports: older versions import tracers in the middle of importing those."""
    patches.when_imported("langchain_core.tracers.context", lambda tracers: _register(patches, tracers))


def _register(patches: Patches, tracers: ModuleType) -> None:
    from agentops_integrations.langchain.registration import register  # imports LangChain

    register(patches, tracers)


integration = LangChainIntegration()

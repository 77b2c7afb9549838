"""Everything that is hooked on to LangChain and LangGraph."""

from __future__ import annotations

from contextvars import ContextVar
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches


def install(patches: Patches) -> None:
    """Hook on to what of LangChain is imported, now and later."""
    from agentops_integrations.langchain import (
        bodies,
        embeddings,
        graph,
        interrupts,
        streams,
        tool_bodies,
        trace_policy,
    )

    patches.when_imported("langchain_core.tracers.context", lambda module: _handler(patches, module))
    for part in (bodies, streams, embeddings, graph, interrupts, tool_bodies, trace_policy):
        part.install(patches)


def _handler(patches: Patches, module: ModuleType) -> None:
    """Register the handler by LangChain's own hook: a context variable that every callback manager looks at."""
    from agentops_integrations.langchain import active
    from agentops_integrations.langchain.handler import TraceHandler

    handler = TraceHandler()
    variable: ContextVar[Any] = ContextVar("agentops-langchain-handler", default=handler)
    module.register_configure_hook(variable, inheritable=True)
    active.runs = handler.runs

    def undo() -> None:
        kept = [entry for entry in module._configure_hooks if entry[0] is not variable]  # noqa: SLF001 - no public way
        module._configure_hooks[:] = kept  # noqa: SLF001
        active.runs = None
        handler.close()

    patches.on_undo(undo)

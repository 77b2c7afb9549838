"""Puts the handler where LangChain builds its callback managers."""

from __future__ import annotations

from contextvars import ContextVar
from types import ModuleType
from typing import Any

from agentops_integrations.langchain import live_runs
from agentops_integrations.langchain.handler import TraceHandler
from agentops_sdk.integration import Patches


def register(patches: Patches, module: ModuleType) -> None:
    """Register a handler by LangChain's own hook: a context variable that every callback manager looks at."""
    handler = TraceHandler()
    variable: ContextVar[Any] = ContextVar("agentops-langchain-handler", default=handler)
    module.register_configure_hook(variable, inheritable=True)
    live_runs.table = handler.runs

    def undo() -> None:
        kept = [entry for entry in module._configure_hooks if entry[0] is not variable]  # noqa: SLF001 - no public way
        module._configure_hooks[:] = kept  # noqa: SLF001 - the same
        live_runs.table = None
        handler.close()

    patches.on_undo(undo)

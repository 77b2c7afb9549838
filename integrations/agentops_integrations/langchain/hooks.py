"""Everything that is hooked on to LangChain and LangGraph, and the undo of it all."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import wrapt

from agentops_sdk.integration import guard

Undo = Callable[[], Any]


class Hooks:
    """Undos as they come in: the parts of LangChain are hooked when, and only if, the program imports them."""

    def __init__(self) -> None:
        self.alive = True
        self._undos: list[Undo] = []

    def add(self, undo: Undo) -> None:
        self._undos.append(undo)

    def when_imported(self, module: str, hook: Callable[[Hooks, ModuleType], None]) -> None:
        """Run ``hook(self, module)`` once ``module`` is there; a part that looks different stays as it is."""

        def imported(found: ModuleType) -> None:
            if self.alive:
                with guard(f"langchain.hook.{module}"):
                    hook(self, found)

        wrapt.register_post_import_hook(imported, module)

    def undo(self) -> None:
        self.alive = False
        undos, self._undos = self._undos, []
        for undo in reversed(undos):
            with guard("langchain.undo"):
                undo()


def install() -> Undo:
    """Hook on to what of LangChain is imported, now and later."""
    from agentops_integrations.langchain import bodies, embeddings, graph, interrupts, streams

    hooks = Hooks()
    hooks.when_imported("langchain_core.tracers.context", _handler)
    for part in (bodies, streams, embeddings, graph, interrupts):
        part.install(hooks)
    return hooks.undo


def _handler(hooks: Hooks, module: ModuleType) -> None:
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

    hooks.add(undo)

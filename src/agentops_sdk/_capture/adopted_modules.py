"""Modules that ask OpenTelemetry for a tracer each time: they are handed one whose spans are adopted."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from agentops_sdk._capture.adopted_spans import AdoptingTracer
from agentops_sdk._host.patches import Patches

__all__ = ["adopt_module"]


class _Trace:
    """Stands for ``opentelemetry.trace`` in such a module."""

    def __init__(self, trace: Any, scope: str) -> None:
        self._trace = trace
        self._scope = scope
        self._ours = AdoptingTracer(scope)

    def get_tracer(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ours if name == self._scope else self._trace.get_tracer(name, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trace, name)


def adopt_module(patches: Patches, module: ModuleType, scope: str) -> None:
    """Hand a module that has imported ``trace`` a tracer of ours whenever it asks for the one of ``scope``."""
    holder: Any = module
    before = holder.trace
    ours = holder.trace = _Trace(before, scope)

    def undo() -> None:
        if holder.trace is ours:
            holder.trace = before

    patches.on_undo(undo)

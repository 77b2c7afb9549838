"""The spans that version 2 makes of requests by itself: none begins where we record the same request."""

from __future__ import annotations

from contextlib import nullcontext
from types import ModuleType
from typing import Any

from opentelemetry.trace import INVALID_SPAN

from agentops_integrations.mcp.request_spans import recorded
from agentops_sdk.integration import Patches


def install(patches: Patches) -> None:
    """Its tracer is one object of one module."""
    patches.when_imported("mcp.shared._otel", lambda module: _tracer(patches, module))


def _tracer(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module._tracer, "start_as_current_span", _start)  # noqa: SLF001 - the only place there is


def _start(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return nullcontext(INVALID_SPAN) if recorded.get() else wrapped(*args, **kwargs)

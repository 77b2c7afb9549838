"""Which TracerProvider the program has, and what else it chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["chosen", "chosen_logs", "chosen_meters", "of_program"]

chosen: TracerProvider | None = None
"""The provider that an instrumentor was told to use, in place of the global one."""


chosen_meters: Any = None
"""The same for metrics."""
chosen_logs: Any = None
"""The same for events."""


def of_program() -> Any:
    """The provider that spans may go through: it takes processors if it is the program's own."""
    return chosen if chosen is not None else trace.get_tracer_provider()

"""Which TracerProvider the program has, and what else it chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import TracerProvider

__all__ = ["chosen", "chosen_logs", "chosen_meters", "of_program", "register", "takes_processors", "watch"]

chosen: TracerProvider | None = None
"""The provider that an instrumentor was told to use, in place of the global one."""


chosen_meters: Any = None
"""The same for metrics."""
chosen_logs: Any = None
"""The same for events."""


_is_ours = False


def of_program() -> Any:
    """The provider that spans may go through: it takes processors if it is the program's own."""
    return chosen if chosen is not None else trace.get_tracer_provider()


def takes_processors() -> bool:
    """Whether spans may go through the program's provider now."""
    return hasattr(of_program(), "add_span_processor")


def register(provider: TracerProvider) -> None:
    """Make a provider of ours the global one: of that nobody needs to be told."""
    global _is_ours
    _is_ours = True
    try:
        trace.set_tracer_provider(provider)
    finally:
        _is_ours = False


def watch(is_set: Callable[[], None]) -> Patches:
    """Have it told, each time that a provider has been set; the patches undo it."""
    patches = Patches("program_provider")

    def told(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        if not _is_ours:
            with guard("program_provider"):
                is_set()
        return result

    # What all ways of setting one come to, also by a name that a program has imported before.
    patches.wrap_function(trace, "_set_tracer_provider", told)
    return patches

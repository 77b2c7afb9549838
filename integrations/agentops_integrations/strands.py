"""Strands Agents, through the spans that it makes itself: agents, cycles, model calls, tools, swarms and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import guard

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_FORM = ("use_latest_genai_conventions", "_span_attributes_only", "_include_tool_definitions")
"""Switches of its own by which it writes content in the conventions' form, and on the spans."""


class StrandsIntegration:
    """Adopts the spans of the one tracer that all of the library shares."""

    name = "strands"
    target = "strands"
    distribution = "strands-agents"
    requires = ">=1.62,<2"

    def is_library(self, module: ModuleType) -> bool:
        """The name is a common one."""
        return hasattr(module, "Agent")

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Where its tracer is made, and the one that it has."""

        def tracers(telemetry: ModuleType) -> None:
            def made(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                wrapped(*args, **kwargs)
                with guard("strands.tracer"):
                    _adopt(patches, instance)

            patches.wrap(telemetry.Tracer, "__init__", made)
            for start in ("start_agent_span", "start_model_invoke_span", "start_tool_call_span"):
                patches.wrap(telemetry.Tracer, start, _insisted)
            if telemetry._tracer_instance is not None:  # noqa: SLF001 - it has no public one
                _adopt(patches, telemetry._tracer_instance)  # noqa: SLF001 - the same

        patches.when_imported("strands.telemetry.tracer", tracers)


def _insisted(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a span is begun for comes after it: here limits may stop it."""
    from agentops_sdk.integration.frameworks import insist

    span = wrapped(*args, **kwargs)
    insist(span)
    return span


def _adopt(patches: Patches, holder: Any) -> None:
    from agentops_sdk.integration.frameworks import adopt

    adopt(patches, holder.tracer, "strands.telemetry.tracer")
    before = {name: vars(holder)[name] for name in _FORM if name in vars(holder)}
    vars(holder).update(dict.fromkeys(before, True))
    patches.on_undo(lambda: vars(holder).update(before))


integration = StrandsIntegration()

"""LiveKit Agents, through the spans that it makes itself: sessions, turns, model requests, tools, speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import guard

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class LiveKitIntegration:
    """Adopts the spans of the one tracer that all of the library shares, unless that got a provider of its own."""

    name = "livekit"
    target = "livekit.agents"
    distribution = "livekit-agents"
    requires = ">=1.8,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """The tracer that it has, and those that it gets with another provider."""

        def traces(found: ModuleType) -> None:
            def set_provider(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                wrapped(*args, **kwargs)
                with guard("livekit.provider"):
                    _adopt(patches, instance)

            patches.wrap(type(found.tracer), "set_provider", set_provider)
            _adopt(patches, found.tracer)

        patches.when_imported("livekit.agents.telemetry.traces", traces)


def _adopt(patches: Patches, holder: Any) -> None:
    from agentops_sdk.integration.frameworks import adopt, is_global

    if is_global(holder._tracer):  # noqa: SLF001 - it has no public one
        adopt(patches, holder._tracer, "livekit-agents")  # noqa: SLF001 - the same


integration = LiveKitIntegration()

"""Pipecat, through the spans that it makes itself where tracing is enabled: conversations, turns, models, speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class PipecatIntegration:
    """Hands out a tracer of ours where it asks for its own: ``PipelineTask(enable_tracing=True)`` makes it ask."""

    name = "pipecat"
    target = "pipecat"
    distribution = "pipecat-ai"
    requires = ">=1.14,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Two modules ask: of services, and of turns."""
        from agentops_sdk.integration.frameworks import adopt_module

        patches.when_imported(
            "pipecat.utils.tracing.service_decorators", lambda found: adopt_module(patches, found, "pipecat")
        )
        patches.when_imported(
            "pipecat.utils.tracing.turn_trace_observer", lambda found: adopt_module(patches, found, "pipecat.turn")
        )


integration = PipecatIntegration()

"""The OpenAI Agents SDK, through the trace processors that it calls for every trace and span of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class OpenAIAgentsIntegration:
    """Adds one trace processor beside those that the program has, and keeps it where the program sets its own."""

    name = "openai_agents"
    target = "agents"
    distribution = "openai-agents"
    requires = ">=0.20,<1"

    def is_library(self, module: ModuleType) -> bool:
        """Many programs have a module ``agents`` of their own."""
        return hasattr(module, "add_trace_processor")

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Register the processor, and watch for what people approve."""
        from agentops_integrations.openai_agents import (
            model_limits,
            processor_registration,
            realtime_tools,
            streamed_transcription,
            tool_approvals,
            tool_calls,
        )

        processor = processor_registration.register(module.tracing, patches)
        tool_approvals.install(patches, processor.runs)
        tool_calls.install(patches, processor.runs)
        model_limits.install(patches, processor.runs)
        realtime_tools.install(patches)
        streamed_transcription.install(patches, processor.runs)


integration = OpenAIAgentsIntegration()

"""The Claude Agent SDK, through the messages of the program that it runs: agents, models, tools and permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class ClaudeAgentIntegration:
    """Reads each message on its way to the program."""

    name = "claude_agent"
    target = "claude_agent_sdk"
    distribution = "claude-agent-sdk"
    requires = ">=0.2.189,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Watch both ways to ask, and what the program answers when it is asked for a permission."""
        from agentops_integrations.claude_agent.message_stream import Conversations

        Conversations().install(patches)


integration = ClaudeAgentIntegration()

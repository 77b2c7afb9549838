"""The Model Context Protocol, as its Python SDK speaks it: both ends of every request, in versions 1 and 2."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class MCPIntegration:
    """Records requests where they are sent and where they are handled, below every transport alike."""

    name = "mcp"
    target = "mcp"
    requires = ">=1.20,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Hook on to what of the SDK is imported, now and later."""
        from agentops_integrations.mcp import (
            native_spans,
            progress,
            received_requests,
            sent_requests,
            session_duration,
            transports,
        )

        first = find_spec("mcp.shared.session") is not None  # version 1; the second has no such module
        for part in (sent_requests, received_requests, progress, session_duration, transports):
            part.install(patches, first=first)
        if not first:
            native_spans.install(patches)


integration = MCPIntegration()

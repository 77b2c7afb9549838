"""A server of the Model Context Protocol over traces: a coding agent lists, searches, shows and compares runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.mcp_server.protocol import server as server

__all__ = ["server"]
make_lazy(__name__, {"protocol": "server"})

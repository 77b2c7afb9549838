"""A server of version 2 whose tool asks a person before it runs."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Elicit, MCPServer, Resolve
from pydantic import BaseModel


class Confirmation(BaseModel):
    sure: bool


async def confirmed() -> Elicit[Confirmation]:
    return Elicit("Are you sure?", Confirmation)


def make() -> Any:
    server = MCPServer("shop")

    @server.tool()
    async def buy(sure: Annotated[Confirmation, Resolve(confirmed)]) -> str:
        """Buy it."""
        return "bought" if sure.sure else "not bought"

    return server

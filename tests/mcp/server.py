"""A server with tools, a resource and a prompt, by either version of the SDK; over stdio where it is a program."""

from __future__ import annotations

from typing import Any

from mcp.types import SamplingMessage, TextContent
from pydantic import BaseModel

import agentops_sdk as agentops

try:
    from mcp.server.mcpserver import Context, MCPServer
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as MCPServer


class Confirmation(BaseModel):
    sure: bool


def make() -> Any:
    server = MCPServer("shop")
    getattr(server, "_mcp_server", getattr(server, "_lowlevel_server", None)).version = "1.2"

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        with agentops.span("arithmetic"):
            return a + b

    @server.tool()
    def broken() -> str:
        """It fails."""
        raise ValueError("out of stock")

    @server.tool()
    async def slow(ctx: Context) -> str:
        """Tells how far it is."""
        await ctx.report_progress(1, 2, "half")
        return "done"

    @server.tool()
    async def buy(ctx: Context) -> str:
        """Asks a person."""
        answer = await ctx.elicit("Are you sure?", Confirmation)
        return f"{answer.action}"

    @server.tool()
    async def describe(ctx: Context) -> str:
        """Asks the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(type="text", text="Describe it."))
        answer = await ctx.session.create_message([asked], max_tokens=10)
        return f"{answer.content.text}"

    @server.tool()
    async def where(ctx: Context) -> str:
        """Asks the client for its folders."""
        return str(len((await ctx.session.list_roots()).roots))

    @server.resource("shop://prices")
    def prices() -> str:
        return "all of them"

    @server.prompt()
    def greet(name: str) -> str:
        return f"Say hello to {name}"

    return server


if __name__ == "__main__":
    agentops.init()
    make().run()
    agentops.shutdown()

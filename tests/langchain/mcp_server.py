"""A server with one tool, for a client that starts it and talks to it over standard input and output."""

from __future__ import annotations

from mcp.server.fastmcp import FastMCP

server = FastMCP("sums")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    server.run()

"""How the contract's tests drive MCP: a session over HTTP reads a resource, from a server that answers by hand.

The SDK is asynchronous. A blocking call is made from another thread than the event loop's, as programs do it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


def _refuse(request: Request) -> Reply:
    if request.method != "POST":
        return Reply(status=405)
    error = {"code": -32002, "message": "refused"}
    return Reply({"jsonrpc": "2.0", "id": request.body["id"], "error": error})


class MCPDriver(Driver):
    span = "resources/read"
    packages = ("mcp",)
    modules = ("mcp.client.session", "mcp.client.streamable_http", "mcp.server.lowlevel.server", "mcp.server.session",
               "mcp.shared.session")  # fmt: skip
    lacks = dict.fromkeys(("stream", "stream_async"), "the protocol has no streams")
    optional = {"ProxyTracer.start_as_current_span": "OpenTelemetry's own: no version of MCP lacks it"}
    refusal = staticmethod(_refuse)
    error_type = "-32002"

    def answer(self, request: Request) -> Reply:
        if request.method != "POST" or "id" not in request.body:
            return Reply(status=405 if request.method != "POST" else 202)
        contents = [{"uri": request.body["params"]["uri"], "mimeType": "text/plain", "text": "all of them"}]
        return Reply({"jsonrpc": "2.0", "id": request.body["id"], "result": {"contents": contents}})

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self.async_client(url)) as session:
            yield portal, session

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from tests.mcp.conftest import over_http

        async with over_http(url) as session:
            yield session

    def arguments(self) -> dict[str, Any]:
        return {"uri": "shop://prices"}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        portal, session = client
        return portal.call(self.call_async, session, arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        from pydantic import AnyUrl

        first = find_spec("mcp.shared.session") is not None  # version 1, which wants an object
        return await client.read_resource(AnyUrl(arguments["uri"]) if first else arguments["uri"])


driver = MCPDriver()

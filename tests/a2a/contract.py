"""How the contract's tests drive A2A: a client over HTTP asks an agent that answers by hand.

Agents behind the library's own server are in ``test_a2a.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request, sse


def _refuse(request: Request) -> Reply:
    return Reply({"jsonrpc": "2.0", "id": request.body["id"], "error": {"code": -32603, "message": "refused"}})


class A2ADriver(Driver):
    span = "invoke_agent travel"
    packages = ("a2a",)
    modules = (
        "a2a.client.base_client", "a2a.client.transports.jsonrpc", "a2a.client.transports.rest",
        "a2a.server.request_handlers.default_request_handler", "a2a.server.request_handlers.default_request_handler_v2",
        "a2a.utils.telemetry",
    )  # fmt: skip
    needs = ("httpx", "starlette")
    lacks = dict.fromkeys(("call", "stream"), "the library is asynchronous")
    refusal = staticmethod(_refuse)

    def answer(self, request: Request) -> Reply:
        replies = [
            {"jsonrpc": "2.0", "id": request.body["id"], "result": {"message": {
                "messageId": "a", "role": "ROLE_AGENT", "contextId": "c", "parts": [{"text": "At nine."}]}}},
        ]  # fmt: skip
        if request.body["method"] == "SendMessage":
            return Reply(replies[0])
        update = {"taskId": "t", "contextId": "c", "artifact": {"artifactId": "a", "parts": [{"text": "At"}]}}
        pieces = [{"jsonrpc": "2.0", "id": request.body["id"], "result": {"artifactUpdate": update}}] * 3
        return sse(*pieces, done=False)

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        import httpx
        from a2a.client import ClientConfig, create_client
        from tests.a2a.server import card

        async with httpx.AsyncClient(verify=False) as http:  # no certificates to load: ten times faster
            clients = [
                await create_client(card(url), ClientConfig(streaming=streaming, httpx_client=http))
                for streaming in (False, True)
            ]
            yield clients

    def arguments(self) -> dict[str, Any]:
        return {"text": "When is the train?"}

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        from tests.a2a.server import message

        (event,) = [event async for event in client[0].send_message(message(**arguments))]
        return event

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        from tests.a2a.server import message

        async with aclosing(client[1].send_message(message(**arguments))) as events:
            yield events

    def content(self, result: Any) -> Any:
        return result.SerializeToString()


driver = A2ADriver()

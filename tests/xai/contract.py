"""How the contract's tests drive xAI's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request
from tests.xai.clients import MODEL, Case, async_client, chat, client, whole


class XaiDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("xai_sdk",)
    modules = ("xai_sdk.aio.chat", "xai_sdk.sync.chat")
    needs = ("grpc",)
    optional = {
        "BaseClient.__init__": "tells an address only",
        "*Tracer.start_as_current_span": "the client's own spans may be off",
    }
    refusal = Reply({"message": "refused"}, status=400)

    def answer(self, request: Request) -> Reply:
        return Case().whole() if request.body.get("stream") else Reply(whole(content="Sunny."))

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        return {"temperature": 0.5, "stop": ["END"]}

    def _chat(self, client: Any, arguments: dict[str, Any]) -> Any:
        from xai_sdk.chat import tool

        return chat(client, tools=[tool("weather", "Tells it", {"type": "object"})], **arguments)

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return self._chat(client, arguments).sample()

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await self._chat(client, arguments).sample()

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        pieces = self._chat(client, arguments).stream()
        try:
            yield pieces
        finally:
            pieces.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        pieces = self._chat(client, arguments).stream()
        try:
            yield pieces
        finally:
            await pieces.aclose()

    def message(self, error: Any) -> str:
        """Without the port, and the time, that gRPC tells for debugging."""
        return f"{error.code()}: {error.details()}" if hasattr(error, "details") else str(error)

    def content(self, result: Any) -> Any:
        return repr(result[1].proto if isinstance(result, tuple) else result.proto)


driver = XaiDriver()

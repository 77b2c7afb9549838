"""How the contract's tests drive Ollama's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.ollama.clients import MODEL, WHOLE, Case, async_client, client
from tests.wire.http import Reply, Request


class OllamaDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("ollama",)
    refusal = Reply({"error": "refused"}, status=400)

    def answer(self, request: Request) -> Reply:
        return Case().whole() if request.body.get("stream") else Reply(WHOLE)

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        function = {"name": "weather", "description": "tells it", "parameters": {"type": "object", "properties": {}}}
        return {
            "model": MODEL,
            "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
            "tools": [{"type": "function", "function": function}],
            "options": {"stop": ["END"]},
        }

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.chat(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.chat(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        pieces = client.chat(**arguments, stream=True)
        try:
            yield pieces
        finally:
            pieces.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        pieces = await client.chat(**arguments, stream=True)
        try:
            yield pieces
        finally:
            await pieces.aclose()


driver = OllamaDriver()

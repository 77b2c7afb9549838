"""How the contract's tests drive Google's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.google_genai.clients import MODEL, Case, async_client, client, reply
from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


class GoogleDriver(Driver):
    span = f"generate_content {MODEL}"
    packages = ("google.genai",)
    refusal = Reply({"error": {"code": 400, "message": "refused", "status": "INVALID_ARGUMENT"}}, status=400)

    def answer(self, request: Request) -> Reply:
        return Case().whole() if "stream" in request.path else Reply(reply({"text": "Sunny."}))

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
        tool = {"name": "weather", "description": "tells it", "parameters": schema}
        return {
            "model": MODEL,
            "contents": [{"role": "user", "parts": [{"text": "What is the weather in Paris?"}]}],
            "config": {"temperature": 0.5, "tools": [{"function_declarations": [tool]}], "stop_sequences": ["END"]},
        }

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.models.generate_content(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.models.generate_content(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        chunks = client.models.generate_content_stream(**arguments)
        try:
            yield chunks
        finally:
            chunks.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        chunks = await client.models.generate_content_stream(**arguments)
        try:
            yield chunks
        finally:
            await chunks.aclose()

    def content(self, result: Any) -> Any:
        return result.model_dump(exclude={"sdk_http_response"})  # in which there is the time of day


driver = GoogleDriver()

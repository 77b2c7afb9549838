"""How the contract's tests drive Cohere's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.cohere.clients import ASKED, MODEL, Case, async_client, client, whole
from tests.integrations.driver import Driver
from tests.openai_dialect.clients import TOOLS
from tests.wire.http import Reply, Request


class CohereDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("cohere",)
    needs = ("httpx",)
    refusal = Reply({"message": "refused"}, status=400)
    error_type = "400"
    optional = {"*Raw*": "methods that read replies are framed as they are found"}

    def answer(self, request: Request) -> Reply:
        if request.body.get("stream"):
            return Case().whole()
        return Reply(whole(content=[{"type": "text", "text": "Sunny."}]))

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        tools = [{"type": each["type"], "function": dict(each["function"])} for each in TOOLS]
        messages = [dict(each) for each in ASKED["messages"]]
        return {**ASKED, "messages": messages, "tools": tools, "stop_sequences": ["END"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.chat(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.chat(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        pieces = client.chat_stream(**arguments)
        try:
            yield pieces
        finally:
            pieces.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        pieces = client.chat_stream(**arguments)
        try:
            yield pieces
        finally:
            await pieces.aclose()


driver = CohereDriver()

"""How the contract's tests drive LiteLLM: over OpenAI's client, so that each call passes two that are recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.litellm.clients import ASKED, MODEL, WARNINGS, OpenAICase, async_client, client, package, whole
from tests.openai_dialect.clients import TOOLS
from tests.wire.http import Reply, Request


class LiteLLMDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("litellm",)
    warnings = WARNINGS

    def answer(self, request: Request) -> Reply:
        return OpenAICase().whole() if request.body.get("stream") else Reply(whole({"content": "Sunny."}))

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        tools = [{"type": each["type"], "function": dict(each["function"])} for each in TOOLS]
        return {**ASKED, "messages": [dict(each) for each in ASKED["messages"]], "tools": tools, "stop": ["END"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return package().completion(**arguments, **client)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await package().acompletion(**arguments, **client)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        chunks = package().completion(**arguments, **client, stream=True)
        try:
            yield chunks
        finally:
            chunks.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        chunks = await package().acompletion(**arguments, **client, stream=True)
        try:
            yield chunks
        finally:
            await chunks.aclose()

    def content(self, result: Any) -> Any:
        """Without the second at which LiteLLM made it."""
        return {**result.model_dump(), "created": None}


driver = LiteLLMDriver()

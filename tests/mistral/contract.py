"""How the contract's tests drive Mistral's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.mistral.clients import ASKED, MODEL, Case, client, whole
from tests.openai_dialect.clients import TOOLS
from tests.wire.http import Reply, Request


class MistralDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("mistralai.client",)
    refusal = Reply({"object": "error", "message": "refused", "code": "1500"}, status=400)
    error_type = "400"
    optional = {
        "*.get_traced_request_and_span": "older versions trace otherwise",
        "[!B]*.*": "methods that read replies are framed as they are found",
        "Beta*.*": "the same, of modules that are loaded when they are first asked for",
    }

    def answer(self, request: Request) -> Reply:
        return Case().whole() if request.body.get("stream") else Reply(whole({"content": "Sunny."}))

    def client(self, url: str) -> Any:
        return client(url)

    def async_client(self, url: str) -> Any:
        return client(url)

    def arguments(self) -> dict[str, Any]:
        tools = [{"type": each["type"], "function": dict(each["function"])} for each in TOOLS]
        return {**ASKED, "messages": [dict(each) for each in ASKED["messages"]], "tools": tools, "stop": ["END"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.chat.complete(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.chat.complete_async(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        with client.chat.stream(**arguments) as events:
            yield events

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async with await client.chat.stream_async(**arguments) as events:
            yield events


driver = MistralDriver()

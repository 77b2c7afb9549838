"""How the contract's tests drive OpenAI's client, and the clients that are written by the same generator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.openai.bodies import CHAT, CHAT_CHUNKS, MESSAGES, TOOLS, USAGE_CHUNK
from tests.wire.http import Reply, Request, sse


class ChatDriver(Driver):
    """Chat completions, as a dozen clients have them."""

    span = "chat gpt-4o"

    def answer(self, request: Request) -> Reply:
        if not request.body.get("stream"):
            return Reply(CHAT)
        asked = (request.body.get("stream_options") or {}).get("include_usage")
        return sse(*CHAT_CHUNKS, *([USAGE_CHUNK] if asked else []))

    def arguments(self) -> dict[str, Any]:
        messages = [dict(message) for message in MESSAGES]
        return {"model": "gpt-4o", "messages": messages, "tools": [dict(tool) for tool in TOOLS], "stop": ["END"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.chat.completions.create(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.chat.completions.create(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        with client.chat.completions.create(**arguments, stream=True) as chunks:
            yield chunks

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async with await client.chat.completions.create(**arguments, stream=True) as chunks:
            yield chunks


class OpenAIDriver(ChatDriver):
    packages = ("openai",)
    modules = ("openai.resources.realtime.realtime", "openai.resources.beta.realtime.realtime")

    def client(self, url: str) -> Any:
        import openai

        transport = openai.DefaultHttpxClient(verify=False)  # no certificates to load: ten times faster
        return openai.OpenAI(base_url=url, api_key="none", max_retries=0, http_client=transport)

    def async_client(self, url: str) -> Any:
        import openai

        transport = openai.DefaultAsyncHttpxClient(verify=False)
        return openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=transport)


driver = OpenAIDriver()

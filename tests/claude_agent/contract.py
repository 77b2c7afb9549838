"""How the contract's tests drive the Claude Agent SDK: a question whose answer is one request.

Conversations are in ``test_programs.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class ClaudeAgentDriver(FrameworkDriver):
    span = "invoke_agent claude"
    packages = ("claude_agent_sdk",)
    modules = ("claude_agent_sdk.client", "claude_agent_sdk._internal.client", "claude_agent_sdk._internal.query")
    optional = {"*": "one question passes one of them"}
    lacks = dict.fromkeys(("call", "stream"), "it is asynchronous")

    def ask(self, pieces: AsyncIterator[Any]) -> Any:
        from claude_agent_sdk import ClaudeAgentOptions, ResultMessage
        from claude_agent_sdk._internal.client import InternalClient

        class Client(InternalClient):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
            async def _process_query_inner(self, *_: Any) -> AsyncIterator[Any]:
                async for piece in pieces:
                    yield piece
                yield ResultMessage("success", 1, 1, False, 1, "s")

        return Client().process_query(prompt="Hello", options=ClaudeAgentOptions())

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        async def pieces() -> AsyncIterator[Any]:
            yield (await client.post("/chat/completions", json=arguments)).raise_for_status().json()

        first, *_ = [piece async for piece in self.ask(pieces())]
        return first

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async def pieces() -> AsyncIterator[Any]:
            async with client.stream("POST", "/chat/completions", json={**arguments, "stream": True}) as response:
                async for line in response.raise_for_status().aiter_lines():
                    yield line

        lines = pieces()
        reading = self.ask(lines)
        try:
            yield reading
        finally:
            await reading.aclose()
            await lines.aclose()


driver = ClaudeAgentDriver()

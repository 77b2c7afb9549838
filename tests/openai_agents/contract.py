"""How the contract's tests drive the OpenAI Agents SDK: a trace of its own around one request that nobody else records.

Agents, tools and handoffs are in ``test_programs.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.openai.contract import ChatDriver


class AgentsDriver(ChatDriver):
    span = "invoke_workflow ask"
    packages = ("agents",)
    modules = ("agents.run_internal.run_steps", "agents.run_state", "agents.tool", "agents.tool_context")
    optional = {"*.__init__": "there is no class without one"}

    def client(self, url: str) -> Any:
        import httpx2

        return httpx2.Client(base_url=url, verify=False)  # no certificates to load: ten times faster

    def async_client(self, url: str) -> Any:
        import httpx2

        return httpx2.AsyncClient(base_url=url, verify=False)

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        with _trace():
            return client.post("/chat/completions", json=arguments).raise_for_status().json()

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        with _trace():
            return (await client.post("/chat/completions", json=arguments)).raise_for_status().json()

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        def pieces() -> Iterator[Any]:
            body = {**arguments, "stream": True}
            with _trace(), client.stream("POST", "/chat/completions", json=body) as response:
                yield from response.raise_for_status().iter_lines()

        reading = pieces()
        try:
            yield reading
        finally:
            reading.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async def pieces() -> AsyncIterator[Any]:
            with _trace():
                async with client.stream("POST", "/chat/completions", json={**arguments, "stream": True}) as response:
                    async for line in response.raise_for_status().aiter_lines():
                        yield line

        reading = pieces()
        try:
            yield reading
        finally:
            await reading.aclose()


def _trace() -> Any:
    import agents

    agents.set_trace_processors([])  # as programs do that send nothing to OpenAI
    return agents.trace("ask")


driver = AgentsDriver()

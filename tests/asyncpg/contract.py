"""How the contract's tests drive asyncpg: a search by pgvector's distance, of a server that speaks the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request
from tests.wire.postgres import serving


class AsyncpgDriver(Driver):
    span = "retrieval docs"
    packages = ("asyncpg",)
    lacks = {
        "call": "asyncpg is asynchronous alone",
        "stream": "a store has no streams",
        "stream_async": "a store has no streams",
    }
    optional = {"*": "one query passes nothing else"}
    refusal = Reply("refused", status=400)

    def answer(self, request: Request) -> Reply:
        return Reply({"rows": [["a", "Sunny.", 0.5]]})

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        import asyncpg

        with serving(url) as (host, port):
            connection = await asyncpg.connect(host=host, port=port, user="tests", database="tests", ssl=False)
            try:
                yield connection
            finally:
                connection.terminate()

    def arguments(self) -> dict[str, Any]:
        query = "SELECT id, content, embedding <=> $1 AS distance FROM docs ORDER BY distance LIMIT 1"
        return {"query": query, "values": ["[1,0]"]}

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.fetch(arguments["query"], *arguments["values"])


driver = AsyncpgDriver()

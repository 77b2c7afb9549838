"""How the contract's tests drive psycopg: a search by pgvector's distance, of a server that speaks the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request
from tests.wire.postgres import serving

SEARCH = "SELECT id, content, embedding <=> %s AS distance FROM docs ORDER BY distance LIMIT 1"


def _connection(host: str, port: int) -> dict[str, Any]:
    return {"host": host, "port": port, "user": "tests", "dbname": "tests", "autocommit": True, "connect_timeout": 30}


class PsycopgDriver(Driver):
    span = "retrieval docs"
    packages = ("psycopg",)
    lacks = {"stream": "a store has no streams", "stream_async": "a store has no streams"}
    optional = {"*": "one query passes nothing else"}
    refusal = Reply("refused", status=400)

    def answer(self, request: Request) -> Reply:
        return Reply({"rows": [["a", "Sunny.", 0.5]]})

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        import psycopg

        with serving(url) as (host, port), psycopg.connect(**_connection(host, port)) as connection:
            yield connection

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        import psycopg

        with serving(url) as (host, port):
            async with await psycopg.AsyncConnection.connect(**_connection(host, port)) as connection:
                yield connection

    def arguments(self) -> dict[str, Any]:
        return {"query": SEARCH, "params": ["[1,0]"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.execute(**arguments).fetchall()

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await (await client.execute(**arguments)).fetchall()


driver = PsycopgDriver()

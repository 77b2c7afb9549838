"""How the contract's tests drive Qdrant's client: a query by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, closing
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


class QdrantDriver(Driver):
    span = "retrieval docs"
    packages = ("qdrant_client",)
    lacks = {"stream": "a store has no streams", "stream_async": "a store has no streams"}
    optional = {"*": "one query passes nothing else"}
    refusal = Reply({"status": {"error": "refused"}, "time": 0.1}, status=400)

    def answer(self, request: Request) -> Reply:
        point = {"id": 1, "version": 0, "score": 0.9, "payload": {"text": "Sunny."}}
        return Reply({"result": {"points": [point]}, "status": "ok", "time": 0.1})

    def client(self, url: str) -> AbstractContextManager[Any]:
        from qdrant_client import QdrantClient

        return closing(QdrantClient(url, check_compatibility=False))

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from qdrant_client import AsyncQdrantClient

        client = AsyncQdrantClient(url, check_compatibility=False)
        try:
            yield client
        finally:
            await client.close()

    def arguments(self) -> dict[str, Any]:
        return {"collection_name": "docs", "query": [1.0, 0.0], "limit": 1}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.query_points(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.query_points(**arguments)


driver = QdrantDriver()

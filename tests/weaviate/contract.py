"""How the contract's tests drive Weaviate's client: a search in words."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from tests.integrations.driver import Driver
from tests.weaviate.clients import answer, async_client, client
from tests.wire.http import Reply, Request


class WeaviateDriver(Driver):
    span = "retrieval Docs"
    packages = ("weaviate",)
    needs = ("grpc",)
    lacks = {"stream": "a store has no streams", "stream_async": "a store has no streams"}
    optional = {"*": "one query passes nothing else"}
    refusal = Reply({"message": "refused"}, status=400)

    def answer(self, request: Request) -> Reply:
        return answer(request)

    def client(self, url: str) -> AbstractContextManager[Any]:
        return client(url)

    def async_client(self, url: str) -> AbstractAsyncContextManager[Any]:
        return async_client(url)

    def arguments(self) -> dict[str, Any]:
        return {"query": "weather", "limit": 2, "query_properties": ["text"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.query.bm25(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.query.bm25(**arguments)

    def content(self, result: Any) -> Any:
        return [(each.metadata.score, each.properties) for each in result.objects]


driver = WeaviateDriver()

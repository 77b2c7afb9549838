"""How the contract's tests drive Pinecone's indexes: a query by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


class PineconeDriver(Driver):
    span = "retrieval 127.0.0.1"
    packages = ("pinecone",)
    modules = (
        "pinecone.index", "pinecone.async_client.async_index", "pinecone.client.documents",
        "pinecone.async_client.documents",
    )  # fmt: skip
    lacks = {"stream": "a store has no streams", "stream_async": "a store has no streams"}
    optional = {"*": "one query passes nothing else"}
    refusal = Reply({"code": 3, "message": "refused"}, status=400)

    def answer(self, request: Request) -> Reply:
        return Reply({"matches": [{"id": "a", "score": 0.5, "metadata": {"page": 1}}], "namespace": "n"})

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        from pinecone import Pinecone

        with Pinecone(api_key="k").index(host=url.removesuffix("/v1")) as index:
            yield index

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from pinecone import AsyncPinecone

        async with AsyncPinecone(api_key="k") as client, await client.index(host=url.removesuffix("/v1")) as index:
            yield index

    def arguments(self) -> dict[str, Any]:
        return {"vector": [1.0], "top_k": 1, "filter": {"page": 1}}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.query(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.query(**arguments)

    def content(self, result: Any) -> Any:
        return [(each.id, each.score, each.metadata) for each in result.matches]


driver = PineconeDriver()

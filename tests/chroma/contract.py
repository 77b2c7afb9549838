"""How the contract's tests drive Chroma's collections: a query by HTTP.

The collections are made here, because the clients ask for them first, and one call is to be one request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


def model() -> Any:
    """What a server says of a collection."""
    from uuid import UUID

    from chromadb.types import Collection

    return Collection(
        id=UUID(int=1), name="docs", configuration_json={}, serialized_schema=None, metadata=None, dimension=1,
        tenant="default_tenant", database="default_database",
    )  # fmt: skip


def _system(url: str) -> Any:
    from chromadb.config import Settings, System

    return System(
        Settings(
            chroma_server_host=urlsplit(url).hostname, chroma_server_http_port=urlsplit(url).port,
            chroma_server_ssl_verify=False, anonymized_telemetry=False,
        )
    )  # fmt: skip


class ChromaDriver(Driver):
    span = "retrieval docs"
    packages = ("chromadb",)
    modules = ("chromadb.api.models.Collection", "chromadb.api.models.AsyncCollection")
    lacks = {"stream": "a store has no streams", "stream_async": "a store has no streams"}
    optional = {"*": "one query passes nothing else"}
    refusal = Reply({"error": "InvalidArgumentError", "message": "refused"}, status=400)

    def answer(self, request: Request) -> Reply:
        return Reply({"ids": [["a"]], "distances": [[0.5]], "documents": [["Sunny."]], "metadatas": [[{"page": 1}]]})

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        from chromadb.api.fastapi import FastAPI
        from chromadb.api.models.Collection import Collection

        server = FastAPI(_system(url))
        try:
            yield Collection(server, model(), embedding_function=None)
        finally:
            server._session.close()  # nothing public closes it

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from chromadb.api.async_fastapi import AsyncFastAPI
        from chromadb.api.models.AsyncCollection import AsyncCollection

        server = AsyncFastAPI(_system(url))
        server._clients = {}  # the class shares one among all servers, and closes them all with the first
        try:
            yield AsyncCollection(server, model(), embedding_function=None)
        finally:
            await server._cleanup()

    def arguments(self) -> dict[str, Any]:
        return {"query_embeddings": [[1.0]], "n_results": 1}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.query(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.query(**arguments)


driver = ChromaDriver()

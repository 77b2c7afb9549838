"""How the clients are made; and their server, which speaks gRPC and asks a web server for what it answers, as JSON."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.wire.gateway import asked
from tests.wire.http import Reply, Request, Wire

REPLY: dict[str, Any] = {
    "results": [
        {
            "metadata": {"id": "a", "score": 0.5, "scorePresent": True},
            "properties": {
                "nonRefProps": {
                    "fields": {
                        "text": {"textValue": "Sunny."},
                        "page": {"intValue": 3},
                        "tags": {"listValue": {"textValues": {"values": ["x", "y"]}}},
                        "of": {"objectValue": {"fields": {"year": {"numberValue": 2026.0}}}},
                        "gone": {"nullValue": None},
                    }
                }
            },
        }
    ]
}


def package() -> Any:
    return pytest.importorskip("weaviate", reason="needs weaviate-client")


def answer(request: Request) -> Reply:
    return Reply(REPLY if request.path.endswith("/search") else {})


def _web(request: Request) -> Reply:
    """What goes by HTTP: the connection, and single objects."""
    return Reply(
        {"version": "1.40.2", "grpcMaxMessageSize": 10_000_000, "id": "a", "class": "Docs", "vectorizer": "none"}
    )


def _servicer(url: str) -> Any:
    from google.protobuf import json_format
    from weaviate.proto.v1 import aggregate_pb2, batch_pb2, search_get_pb2, weaviate_pb2_grpc

    def ask(path: str, request: Any, context: Any, kind: Any) -> Any:
        with asked(f"{url}/{path}", json_format.MessageToDict(request), context) as reply:
            return json_format.Parse(reply.read(), kind())

    class Servicer(weaviate_pb2_grpc.WeaviateServicer):
        def Search(self, request: Any, context: Any) -> Any:
            return ask("search", request, context, search_get_pb2.SearchReply)

        def BatchObjects(self, request: Any, context: Any) -> Any:
            return ask("batch", request, context, batch_pb2.BatchObjectsReply)

        def Aggregate(self, request: Any, context: Any) -> Any:
            return ask("aggregate", request, context, aggregate_pb2.AggregateReply)

    return Servicer()


@contextlib.contextmanager
def _parameters(url: str) -> Iterator[Any]:
    import grpc
    from weaviate.connect import ConnectionParams
    from weaviate.proto.v1 import weaviate_pb2_grpc

    with ThreadPoolExecutor(2) as threads, Wire(_web) as other:
        server = grpc.server(threads)
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(_servicer(url), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        web = urlsplit(other.url)
        try:
            yield ConnectionParams.from_params(web.hostname, web.port, False, "127.0.0.1", port, False)
        finally:
            server.stop(0).wait()


@contextlib.contextmanager
def client(url: str) -> Iterator[Any]:
    with _parameters(url) as parameters, package().WeaviateClient(parameters, skip_init_checks=True) as connected:
        yield connected.collections.use("Docs")


@contextlib.asynccontextmanager
async def async_client(url: str) -> AsyncIterator[Any]:
    with _parameters(url) as parameters:
        async with package().WeaviateAsyncClient(parameters, skip_init_checks=True) as connected:
            yield connected.collections.use("Docs")

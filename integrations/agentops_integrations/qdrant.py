"""Qdrant's client, at the methods of both its classes that query and write points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, semconv
from agentops_sdk.integration.clients import address
from agentops_sdk.integration.stores import StoreCalls, StoreQuery


class QdrantIntegration:
    """Wraps the clients; what is below them, in memory, by HTTP or by gRPC, does not matter."""

    name = "qdrant"
    target = "qdrant_client"
    distribution = "qdrant-client"
    requires = ">=1.16,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch both classes."""
        calls = StoreCalls(self.name, patches, server=_server)
        for client in (module.QdrantClient, module.AsyncQdrantClient):
            awaits = client is module.AsyncQdrantClient
            for method in ("query_points", "query_points_groups", "query_batch_points"):
                calls.query(client, method, _query, _documents, awaits=awaits)
            calls.write(client, "upsert", _collection, "points", awaits=awaits)
            calls.write(client, "upload_points", _collection, "points")
            calls.write(client, "upload_collection", _collection, "vectors")


def _collection(client: Any, arguments: Mapping[str, Any]) -> Any:
    return arguments.get("collection_name")


def _server(client: Any, method: str) -> dict[str, Any]:
    """Of a client of a server, whose port depends on the protocol; any other is the store itself."""
    remote = client._client  # noqa: SLF001 - nothing public tells
    if not hasattr(remote, "rest_uri"):
        return {}
    server = address(remote.rest_uri)
    if remote._prefer_grpc:  # noqa: SLF001 - the same
        server[semconv.SERVER_PORT] = remote._grpc_port  # noqa: SLF001 - the same
    return server


def _query(client: Any, arguments: Mapping[str, Any]) -> StoreQuery:
    queries = [getattr(each, "query", None) for each in arguments.get("requests") or ()] or [arguments.get("query")]
    texts = [getattr(getattr(each, "nearest", each), "text", None) for each in queries]
    text = [each for each in texts if isinstance(each, str)]
    return StoreQuery(_collection(client, arguments), text, arguments.get("limit"))


def _documents(result: Any) -> Iterator[dict[str, Any]]:
    for response in result if isinstance(result, list) else [result]:
        points = getattr(response, "points", None) or ()
        groups = getattr(response, "groups", None) or ()
        for point in [*points, *(hit for group in groups for hit in group.hits)]:
            yield {"id": str(point.id), "score": point.score, "metadata": point.payload}


integration = QdrantIntegration()

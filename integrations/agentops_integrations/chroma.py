"""Chroma's collections, synchronous and asynchronous, at the methods that query and write documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches
from agentops_sdk.integration.clients import address
from agentops_sdk.integration.stores import StoreCalls, StoreQuery

_KEYS = {"ids": "id", "distances": "distance", "documents": "content", "metadatas": "metadata"}
"""Columns of a result; a distance is no score, because less of it is more."""


class ChromaIntegration:
    """Wraps both classes of collections, wherever the store itself runs."""

    name = "chroma"
    target = "chromadb"
    requires = ">=1.0,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch both classes."""
        calls = StoreCalls(self.name, patches, server=_server)
        for name in ("Collection", "AsyncCollection"):
            patches.when_imported(f"chromadb.api.models.{name}", partial(_install, calls, name))


def _install(calls: StoreCalls, name: str, module: ModuleType) -> None:
    collection = getattr(module, name)
    awaits = name == "AsyncCollection"
    calls.query(collection, "query", _query, _documents, awaits=awaits)
    for method in ("add", "upsert", "update"):
        calls.write(collection, method, _name, "ids", awaits=awaits)


def _name(collection: Any, arguments: Mapping[str, Any]) -> Any:
    return collection.name


def _server(collection: Any, method: str) -> dict[str, Any]:
    """Of a client over HTTP; any other is the store itself."""
    api = collection._client  # noqa: SLF001 - nothing public tells
    return address(api.get_api_url()) if hasattr(api, "get_api_url") else {}


def _query(collection: Any, arguments: Mapping[str, Any]) -> StoreQuery:
    return StoreQuery(collection.name, arguments.get("query_texts"), arguments.get("n_results"))


def _documents(result: Any) -> Iterator[dict[str, Any]]:
    columns = {key: result[column] for column, key in _KEYS.items() if result.get(column) is not None}
    for query in range(len(columns["id"])):
        for row in range(len(columns["id"][query])):
            yield {key: values[query][row] for key, values in columns.items()}


integration = ChromaIntegration()

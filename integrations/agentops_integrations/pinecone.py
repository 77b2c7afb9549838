"""Pinecone's indexes, at the methods that query and write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from agentops_sdk.integration import Patches
from agentops_sdk.integration.clients import address
from agentops_sdk.integration.stores import StoreCalls, StoreQuery

_CLASSES = {
    "index": "Index", "async_client.async_index": "AsyncIndex", "grpc": "GrpcIndex",
    "client.documents": "Documents", "async_client.documents": "AsyncDocuments",
}  # fmt: skip


class PineconeIntegration:
    """Wraps the classes of indexes and of their documents."""

    name = "pinecone"
    target = "pinecone"
    requires = ">=9,<11"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = StoreCalls(self.name, patches, server=_server)
        for part, owner in _CLASSES.items():
            patches.when_imported(f"pinecone.{part}", partial(_install, calls, patches, owner))


def _install(calls: StoreCalls, patches: Patches, name: str, module: ModuleType) -> None:
    owner, awaits = getattr(module, name), name.startswith("Async")
    vectors: dict[object, Any] = {}
    query = partial(_query, vectors)

    def query_namespaces(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Asks once for each namespace, in threads that know nothing of it, with the vector that it is given."""
        asked = object()
        vectors[asked] = _vector(kwargs)
        try:
            return wrapped(*args, **kwargs)
        finally:
            del vectors[asked]

    calls.query(owner, "search", query, _documents, awaits=awaits)
    if name.endswith("Documents"):
        calls.write(owner, "upsert", _index, "documents", awaits=awaits)
        return
    if not awaits:
        patches.wrap(owner, "query_namespaces", query_namespaces)
    calls.query(owner, "query_namespaces", partial(_query, {}), _documents, awaits=awaits)
    for method in ("query", "search_records"):
        calls.query(owner, method, query, _documents, awaits=awaits)
    calls.write(owner, "upsert", _index, "vectors", awaits=awaits)
    calls.write(owner, "upsert_records", _index, "records", awaits=awaits)
    calls.write(owner, "upsert_from_dataframe", _index, "df", awaits=awaits)


def _index(index: Any, arguments: Mapping[str, Any]) -> str | None:
    """Its host; of the service's own, the label that begins with the index's name."""
    name = urlsplit(_url(index)).hostname or ""
    return (name.partition(".")[0] if name.endswith(".pinecone.io") else name) or None


def _url(index: Any) -> str:
    host: str = index._host  # noqa: SLF001 - documents have no other
    return host if "//" in host else f"//{host}"


def _server(index: Any, method: str) -> dict[str, Any]:
    return address(_url(index))


def _vector(arguments: Mapping[str, Any]) -> Any:
    vector = arguments.get("vector")
    return arguments.get("sparse_vector") if vector is None else vector


def _query(vectors: Mapping[object, Any], index: Any, arguments: Mapping[str, Any]) -> StoreQuery | None:
    vector = _vector(arguments)
    if vector is not None and any(vector is each for each in tuple(vectors.values())):
        return None
    asked = arguments.get("query")
    inputs = arguments.get("inputs") or _field(asked, "inputs")
    texts = [_field(inputs, "text"), *(_field(each, "query") for each in arguments.get("score_by") or ())]
    top_k = arguments.get("top_k") or _field(asked, "top_k")
    return StoreQuery(_index(index, arguments), [text for text in texts if isinstance(text, str)], top_k)


def _documents(result: Any) -> Iterator[dict[str, Any]]:
    rows = getattr(getattr(result, "result", None), "hits", None) or getattr(result, "matches", None) or ()
    for row in rows:
        fields = getattr(row, "metadata", None) or getattr(row, "fields", None)
        if fields is None and hasattr(row, "to_dict"):
            fields = {name: value for name, value in row.to_dict().items() if not name.startswith("_")}
        yield {"id": row.id, "score": row.score, "metadata": fields}


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


integration = PineconeIntegration()

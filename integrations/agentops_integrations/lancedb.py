"""LanceDB, at the queries that become tables, whichever form the program asks for, and where rows are added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakSet

from agentops_sdk.integration import Patches, guard
from agentops_sdk.integration.clients import address
from agentops_sdk.integration.stores import StoreCalls, StoreQuery

_SYNC = ("LanceVectorQueryBuilder", "LanceFtsQueryBuilder", "LanceHybridQueryBuilder")
_ASYNC = ("AsyncVectorQuery", "AsyncFTSQuery", "AsyncHybridQuery")
_SCORES = {"_relevance_score": "score", "_score": "score", "_distance": "distance"}
"""Columns of the library's own; a distance is no score, because less of it is more."""
_MOST_ROWS = 1_000


class LanceDBIntegration:
    """Wraps the queries that search; a plain scan of a table is none."""

    name = "lancedb"
    target = "lancedb"
    requires = ">=0.30,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = StoreCalls(self.name, patches, server=_server)
        patches.when_imported("lancedb.query", partial(_queries, calls, patches))
        for name, tables in (("table", ("LanceTable", "AsyncTable")), ("remote.table", ("RemoteTable",))):
            patches.when_imported(f"lancedb.{name}", partial(_tables, calls, tables))


def _queries(calls: StoreCalls, patches: Patches, module: ModuleType) -> None:
    parts: WeakSet[Any] = WeakSet()

    def create(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A hybrid query asks with two others, in threads that know nothing of it."""
        result = wrapped(*args, **kwargs)
        with guard("lancedb.parts"):
            parts.update((instance._vector_query, instance._fts_query))  # noqa: SLF001 - made for it alone
        return result

    for name in _SYNC:
        calls.query(getattr(module, name), "to_arrow", partial(_query, parts), _documents)
    for name in _ASYNC:
        calls.query(getattr(module, name), "to_arrow", partial(_query, parts), _documents, awaits=True)
    patches.wrap(module.LanceHybridQueryBuilder, "_create_query_builders", create)


def _tables(calls: StoreCalls, tables: tuple[str, ...], module: ModuleType) -> None:
    for name in tables:
        calls.write(getattr(module, name), "add", _name, "data", awaits=name == "AsyncTable")


def _name(table: Any, arguments: Mapping[str, Any]) -> Any:
    return table.name


def _server(query: Any, method: str) -> dict[str, Any]:
    """Of a service by an address that the program gave; one that the client works out is known to it alone."""
    table = query if method == "add" else vars(query).get("_table")
    connection = getattr(getattr(table, "_connection_state", None), "__self__", None)
    url = getattr(connection, "host_override", None)
    return address(url) if url else {}


def _query(parts: WeakSet[Any], query: Any, arguments: Mapping[str, Any]) -> StoreQuery | None:
    if query in parts:
        return None
    known = vars(query)
    if "_inner" in known:  # the asynchronous ones keep what they ask for outside of Python
        request = query._inner.to_query_request() if hasattr(query._inner, "to_query_request") else None  # noqa: SLF001 - no other way to it
        text = query._inner.get_query() if hasattr(query._inner, "get_query") else None  # noqa: SLF001 - no other way to it
        limit = getattr(request, "limit", None)
    else:
        text = next((known[name] for name in ("_str_query", "_text", "_query") if known.get(name) is not None), None)
        limit = known.get("_limit")
    text = getattr(text, "query", text)  # of a query for full text, its words
    table = known.get("_table")
    return StoreQuery(None if table is None else table.name, text if isinstance(text, str) else None, limit)


def _documents(table: Any) -> Iterator[dict[str, Any]]:
    """Rows without their vectors."""
    columns = [field.name for field in table.schema if "list" not in str(field.type)]
    for row in table.select(columns).slice(0, _MOST_ROWS).to_pylist():
        document = {key: row.pop(column) for column, key in _SCORES.items() if column in row}
        for column, key in (("id", "id"), ("text", "content")):
            if column in row:
                document[key] = row.pop(column)
        yield {**document, "metadata": row or None}


integration = LanceDBIntegration()

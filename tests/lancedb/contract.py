"""How the contract's tests drive LanceDB: a query of a table behind its service, by HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


def _describe() -> Reply:
    """A table is opened by a request of its own."""
    item = {"name": "item", "nullable": True, "type": {"type": "float"}}
    vector = {"type": "fixed_size_list", "length": 1, "fields": [item]}
    fields = [
        {"name": "id", "nullable": True, "type": {"type": "string"}},
        {"name": "vector", "nullable": True, "type": vector},
    ]
    return Reply({"table": "docs", "version": 1, "schema": {"fields": fields}})


def _refuse(request: Request) -> Reply:
    return _describe() if request.path.endswith("/describe/") else Reply({"error": "refused"}, status=400)


class LanceDBDriver(Driver):
    span = "retrieval docs"
    packages = ("lancedb",)
    modules = ("lancedb.query", "lancedb.table", "lancedb.remote.table")
    lacks = {
        "call_async": "a table is opened by a request of its own: one call is not one request",
        "stream": "a store has no streams",
        "stream_async": "a store has no streams",
    }
    optional = {"*": "one query passes nothing else"}
    refusal = staticmethod(_refuse)

    def answer(self, request: Request) -> Reply:
        import pyarrow

        if request.path.endswith("/describe/"):
            return _describe()
        rows = pyarrow.table({"id": ["a"], "_distance": pyarrow.array([0.5], pyarrow.float32())})
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        return Reply(sink.getvalue().to_pybytes(), content_type="application/vnd.apache.arrow.file")

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        import lancedb

        host = url.removesuffix("/v1")
        yield lancedb.connect("db://tests", api_key="k", host_override=host, client_config=_ONCE).open_table("docs")

    def arguments(self) -> dict[str, Any]:
        return {"query": [1.0]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.search(**arguments).limit(1).to_list()

    def message(self, error: BaseException) -> str:
        return re.sub(r"request_id=[-0-9a-f]+", "request_id=", str(error))


_ONCE = {"retry_config": {"retries": 0, "connect_retries": 0, "read_retries": 0}}

driver = LanceDBDriver()

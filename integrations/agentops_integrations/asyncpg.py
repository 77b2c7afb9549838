"""asyncpg where it asks pgvector: what looks for what is near is a retrieval, what writes vectors a counted step.

All other statements of a program pass unread but for one look for a character.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches
from agentops_sdk.integration.stores import StoreCalls, StoreQuery, StoreWrite, has_vector, read_statement, row_document

_MOST_ROWS = 1_000
_PLAIN = (str, int, float, bool, decimal.Decimal, uuid.UUID, datetime.date, datetime.time)


class AsyncpgIntegration:
    """Wraps what runs a statement at once: of connections, of a pool's too, and of prepared statements."""

    name = "asyncpg"
    target = "asyncpg"
    requires = ">=0.27,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = StoreCalls(self.name, patches, system="postgresql")
        patches.when_imported("asyncpg.connection", partial(_install, calls, "Connection"))
        patches.when_imported("asyncpg.prepared_stmt", partial(_install, calls, "PreparedStatement"))


def _install(calls: StoreCalls, name: str, module: ModuleType) -> None:
    owner = getattr(module, name)
    for method in ("fetch", "fetchrow", "fetchval", "fetchmany", "execute", "executemany"):
        if hasattr(owner, method):
            calls.statement(owner, method, _asked, _documents, awaits=True)
    if hasattr(owner, "copy_records_to_table"):
        calls.statement(owner, "copy_records_to_table", _asked_to_copy, _documents, awaits=True)


def _text(owner: Any, arguments: Mapping[str, Any]) -> Any:
    """The statement, which a prepared one knows itself."""
    return next((arguments[name] for name in ("query", "command") if name in arguments), None) or owner.get_query()


def _asked(owner: Any, arguments: Mapping[str, Any]) -> StoreQuery | StoreWrite | None:
    text, given = _text(owner, arguments), arguments.get("args", ())
    rows: int | None = 1
    if not isinstance(given, tuple):  # of many rows
        rows = len(given) if isinstance(given, list) else None
        given = given[0] if rows else ()
    found = read_statement(text, given) if isinstance(text, str) else None
    if found is None:
        return None
    host, port = _server(owner)
    if found.writes:
        return StoreWrite(found.writes, found.table, rows, host, port)
    return StoreQuery(found.table, None, found.top_k, host, port)


def _server(owner: Any) -> tuple[str | None, int | None]:
    address = getattr(getattr(owner, "_connection", owner), "_addr", None)
    host, port = address if isinstance(address, tuple) and len(address) == 2 else (address, None)
    return host if isinstance(host, str) else None, port


def _asked_to_copy(owner: Any, arguments: Mapping[str, Any]) -> StoreWrite | None:
    """Records that lie there already: of an iterator, whose first one only its reader may take, nobody knows."""
    records, table = arguments.get("records"), arguments.get("table_name")
    if not isinstance(records, list | tuple) or not records or not has_vector(records[0]):
        return None
    schema = arguments.get("schema_name")
    return StoreWrite("copy", f"{schema}.{table}" if schema else table, len(records), *_server(owner))


def _documents(result: Any, owner: Any, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = read_statement(_text(owner, arguments), arguments.get("args", ()))
    rows = result if isinstance(result, list) else [result]
    for row in rows[:_MOST_ROWS]:
        if found is not None and hasattr(row, "keys"):
            yield row_document(row.keys(), row.values(), found.columns, _is_plain)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return value[:1] != "[" or not value[1:2].lstrip("-").isdigit()  # a vector, where nobody decodes it
    return isinstance(value, _PLAIN)


integration = AsyncpgIntegration()

"""psycopg 3 where it asks pgvector: what looks for what is near is a retrieval, what writes vectors a counted step.

Of ``COPY`` the first row tells whether vectors are in it. All other statements of a program pass unread but for one
look for a character.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from agentops_sdk.integration import Begun, Patches, around, around_async, guard, semconv
from agentops_sdk.integration.stores import (
    StoreCalls,
    StoreQuery,
    StoreWrite,
    copied_into,
    has_vector,
    read_statement,
    row_document,
)

_MOST_ROWS = 1_000
_NOT_TOLD = object()
_SITE = "psycopg.copy"


class PsycopgIntegration:
    """Wraps the cursors of both kinds of connection; those that stay at the server are asked, and not read."""

    name = "psycopg"
    target = "psycopg"
    requires = ">=3.1,<4"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the cursors."""
        calls = StoreCalls(self.name, patches, system="postgresql")
        for name in ("Cursor", "ServerCursor", "AsyncCursor", "AsyncServerCursor"):
            awaits = name.startswith("Async")
            owner = getattr(module, name)
            calls.statement(owner, "execute", _asked, _documents, awaits=awaits)
            if "Server" not in name:
                calls.statement(owner, "executemany", _asked_of_many, _documents, awaits=awaits)
                calls.streamed(owner, "stream", _asked, awaits=awaits)
        copies = _Copies(calls)
        for name in ("", "Async"):
            patches.wrap(getattr(module, f"{name}Cursor"), "copy", copies.begun)
            patches.wrap(getattr(module, f"{name}Copy"), "write_row", copies.row)
            patches.wrap(getattr(module, f"{name}Copy"), "finish", copies.ended)


def _text(query: Any, cursor: Any) -> str | None:
    """A statement as text. One that is composed is put together where a part of it may be an operator."""
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    parts = getattr(query, "_obj", None)
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        return None
    pieces = [text for part in parts if isinstance(text := getattr(part, "_obj", None), str)]
    asks = any("<" in piece or "::" in piece for piece in pieces)
    return str(query.as_string(cursor)) if asks else None


def _asked(cursor: Any, arguments: Mapping[str, Any], *, many: bool = False) -> StoreQuery | StoreWrite | None:
    parameters: Any = arguments.get("params_seq" if many else "params") or ()
    rows: int | None = 1
    if many:
        rows = len(parameters) if isinstance(parameters, list | tuple) else None
        parameters = parameters[0] if rows else ()
    text = _text(arguments.get("query"), cursor)
    found = None if text is None else read_statement(text, parameters)
    if found is None:
        return None
    info = cursor.connection.info
    if found.writes:
        return StoreWrite(found.writes, found.table, rows, info.host or None, info.port)
    return StoreQuery(found.table, None, found.top_k, info.host or None, info.port)


def _asked_of_many(cursor: Any, arguments: Mapping[str, Any]) -> StoreQuery | StoreWrite | None:
    return _asked(cursor, arguments, many=True)


# --- COPY, whose rows come one by one --------------------------------------------------------------


class _Rows:
    """What one ``COPY`` has written so far, of which its end tells; without a step where no vectors are in it."""

    def __init__(self, step: Any) -> None:
        self.step = step
        self.count = 0

    def attach(self) -> None: ...

    def detach(self, token: Any) -> None: ...

    def fail(self, error: BaseException) -> None:
        with guard(_SITE):
            self.step.set(semconv.DB_OPERATION_BATCH_SIZE, self.count)
            self.step.fail(error)

    def finish(self) -> bool:
        self.step.set(semconv.DB_OPERATION_BATCH_SIZE, self.count)
        return bool(self.step.finish())


class _Copies:
    """The copies that are under way, each with its rows."""

    def __init__(self, calls: StoreCalls) -> None:
        self._calls = calls
        self._statements: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._known: WeakKeyDictionary[Any, _Rows] = WeakKeyDictionary()

    def begun(self, wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard(_SITE):
            self._statements[cursor] = args[0] if args else kwargs.get("statement")
        return wrapped(*args, **kwargs)

    def row(self, wrapped: Callable[..., Any], copy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard(_SITE):
            rows = self._known.get(copy)
            if rows is None:
                rows = self._known[copy] = _Rows(self._first(copy.cursor, args[0] if args else kwargs.get("row")))
            rows.count += 1
        return wrapped(*args, **kwargs)

    def _first(self, cursor: Any, row: Any) -> Any:
        table = copied_into(_text(self._statements.get(cursor), cursor) or "") if has_vector(row) else None
        if table is None:
            return None
        info = cursor.connection.info
        return self._calls.begin(StoreWrite("copy", table, None, info.host or None, info.port))

    def ended(self, wrapped: Callable[..., Any], copy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raised = args[0] if args else kwargs.get("exc")
        run = around_async if iscoroutinefunction(wrapped) else around
        return run(_SITE, wrapped, args, kwargs, partial(self._end, copy, args, kwargs), partial(_accept, raised))

    def _end(self, copy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
        rows = self._known.pop(copy, None)
        return None if rows is None or rows.step is None else Begun(rows, args, kwargs)


def _accept(raised: BaseException | None, rows: Any, result: Any) -> bool:
    if raised is not None:
        rows.fail(raised)
    return raised is None


# --- rows, which the client holds already and nobody has read ----------------------------------------


def _documents(result: Any, cursor: Any, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows as they came, of a result that the program will read: none of its own readers is asked."""
    found = read_statement(_text(arguments.get("query"), cursor) or "", arguments.get("params") or ())
    rows = cursor.pgresult
    if found is None or rows is None:
        return
    columns = range(rows.nfields)
    names = [rows.fname(at).decode() for at in columns]
    readers = [(_BINARY if rows.fformat(at) else _TEXT).get(rows.ftype(at)) for at in columns]
    for row in range(min(rows.ntuples, _MOST_ROWS)):
        values = [_value(reader, rows.get_value(row, at)) for at, reader in enumerate(readers)]
        yield row_document(names, values, found.columns, _is_told)


def _is_told(value: Any) -> bool:
    return value is not _NOT_TOLD


def _value(reader: Callable[[bytes], Any] | None, data: bytes | None) -> Any:
    return _NOT_TOLD if data is None or reader is None else reader(bytes(data))


def _unpacked(form: str) -> Callable[[bytes], Any]:
    return lambda data: struct.unpack(form, data)[0]


_TEXT: dict[int, Callable[[bytes], Any]] = {
    16: lambda data: data == b"t",
    **dict.fromkeys((20, 21, 23), int),
    **dict.fromkeys((700, 701, 1700), float),
    # names, texts, JSON, dates and times, UUID
    **dict.fromkeys((18, 19, 25, 114, 1042, 1043, 1082, 1083, 1114, 1184, 2950, 3802), bytes.decode),
}
"""Of the types that PostgreSQL itself has, by their numbers. A vector's number is another in each database."""
_BINARY: dict[int, Callable[[bytes], Any]] = {
    16: _unpacked("!?"), 20: _unpacked("!q"), 21: _unpacked("!h"), 23: _unpacked("!i"), 700: _unpacked("!f"),
    701: _unpacked("!d"), 2950: bytes.hex, **dict.fromkeys((18, 19, 25, 114, 1042, 1043), bytes.decode),
}  # fmt: skip

integration = PsycopgIntegration()

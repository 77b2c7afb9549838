"""Lines out of Parquet: files that ``agentops compact`` made hold each line whole, exported ones its parts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PARQUET", "is_ours", "parquet_lines"]

PARQUET: Final = ".parquet"
_ROWS: Final = 2_000
_EXPORTED: Final = ("trace_id", "span_id", "parent_id", "name", "kind", "outcome", "status_message", "start", "end",
                    "attributes", "events", "links", "resource")  # fmt: skip


def parquet_lines(path: Path) -> Iterator[bytes]:
    """Each line of a compacted or an exported file, in order.

    Raises:
        TraceError: neither DuckDB nor pyarrow is here, or the file is no Parquet with spans.
    """
    names = _columns(path)
    if "record" in names:
        for (record,) in _rows(path, ("record",)):
            yield (record or "").encode() + b"\n"
        return
    if not set(_EXPORTED) <= set(names):
        raise TraceError(f"{path} is Parquet without span records")
    for values in _rows(path, _EXPORTED):
        yield _exported(dict(zip(_EXPORTED, values, strict=True)))


def is_ours(path: Path) -> bool:
    """Whether the file holds whole lines: it was made by compaction."""
    return "record" in _columns(path)


def _exported(row: dict[str, Any]) -> bytes:
    """A row of ``agentops export`` as a line: what it left out (flags, scope, status) has its default."""
    end = row["end"] if row["end"] is not None else row["start"]
    fields = {
        **{name: row[name] for name in ("trace_id", "span_id", "parent_id", "name", "kind", "outcome")},
        "start_ns": row["start"],
        "end_ns": end,
        "status": "error" if row["outcome"] == "error" else "unset",
        **{name: orjson.loads(row[name]) for name in ("attributes", "events", "links", "resource")},
    }
    if row["status_message"] is not None:
        fields["status_message"] = row["status_message"]
    return orjson.dumps(fields) + b"\n"


def _columns(path: Path) -> list[str]:
    duckdb = _engine("duckdb")
    try:
        if duckdb is not None:
            rows = duckdb.connect().execute("SELECT name FROM parquet_schema(?)", [str(path)]).fetchall()
            return [name for (name,) in rows[1:]]
        return list(_pyarrow(path).schema_arrow.names)
    except TraceError:
        raise
    except Exception as error:
        raise TraceError(f"cannot read {path}: {str(error).strip().partition(chr(10))[0]}") from error


def _rows(path: Path, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    duckdb = _engine("duckdb")
    if duckdb is not None:
        listed = ", ".join(f'epoch_ns("{name}")' if name in ("start", "end") else f'"{name}"' for name in names)
        connection = duckdb.connect()
        cursor = connection.execute(f"SELECT {listed} FROM read_parquet(?)", [str(path)])  # noqa: S608 - our own names
        while rows := cursor.fetchmany(_ROWS):
            yield from rows
        return
    for batch in _pyarrow(path).iter_batches(batch_size=_ROWS, columns=list(names)):
        columns = [_integers(batch.column(name)) for name in names]
        yield from zip(*columns, strict=True)


def _integers(column: Any) -> list[Any]:
    arrow: Any = import_module("pyarrow")
    return list((column.cast(arrow.int64()) if arrow.types.is_timestamp(column.type) else column).to_pylist())


def _engine(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


def _pyarrow(path: Path) -> Any:
    parquet = _engine("pyarrow.parquet")
    if parquet is None:
        raise TraceError(f'{path} needs DuckDB: pip install "agentops-recorder[duckdb]"')
    return parquet.ParquetFile(path)

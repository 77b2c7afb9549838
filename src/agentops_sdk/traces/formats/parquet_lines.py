"""Lines out of Parquet: files that ``agentops compact`` made hold each line whole, exported ones its parts."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PARQUET", "columns_of", "duckdb_cursor", "parquet_lines"]

PARQUET: Final = ".parquet"
_ROWS: Final = 2_000
_FILES: Final = 200
_EXPORTED: Final = ("trace_id", "span_id", "parent_id", "name", "kind", "outcome", "status_message", "start", "end",
                    "attributes", "events", "links", "resource")  # fmt: skip


def parquet_lines(path: Path) -> Iterator[bytes]:
    """Each line of a compacted or an exported file, in order.

    Raises:
        TraceError: neither DuckDB nor pyarrow is here, or the file is no Parquet with spans.
    """
    names = columns_of([path])[path]
    if "record" in names:
        for (record,) in _rows(path, ("record",)):
            yield (record or "").encode() + b"\n"
        return
    if not set(_EXPORTED) <= set(names):
        raise TraceError(f"{path} is Parquet without span records")
    for values in _rows(path, _EXPORTED):
        yield _exported(dict(zip(_EXPORTED, values, strict=True)))


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


def columns_of(paths: Sequence[Path]) -> dict[Path, list[str]]:
    """The names of each file's columns.

    Raises:
        TraceError: neither DuckDB nor pyarrow is here, or a file is no Parquet.
    """
    parts = (paths[at : at + _FILES] for at in range(0, len(paths), _FILES))
    return {path: names for part in parts for path, names in _columns(part).items()}


def _columns(paths: Sequence[Path]) -> dict[Path, list[str]]:
    names: dict[str, list[str]] = {str(path): [] for path in paths}
    try:
        if _engine("duckdb") is not None:
            with duckdb_cursor() as cursor:
                question = "SELECT file_name, name FROM parquet_schema(?)"
                for file, name in cursor.execute(question, [list(names)]).fetchall():
                    names[file].append(name)
            names = {file: listed[1:] for file, listed in names.items()}  # the first is the root of the schema
        else:
            names = {str(path): list(_pyarrow(path).schema_arrow.names) for path in paths}
    except TraceError:
        raise
    except Exception as error:
        if len(paths) > 1:  # which of them it is
            return {path: found for each in paths for path, found in _columns([each]).items()}
        raise TraceError(f"cannot read {paths[0]}: {str(error).strip().partition(chr(10))[0]}") from error
    return {path: names[str(path)] for path in paths}


def _rows(path: Path, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    if _engine("duckdb") is not None:
        listed = ", ".join(f'epoch_ns("{name}")' if name in ("start", "end") else f'"{name}"' for name in names)
        with duckdb_cursor() as cursor:
            cursor.execute(f"SELECT {listed} FROM read_parquet(?)", [str(path)])  # noqa: S608 - our own names
            while rows := cursor.fetchmany(_ROWS):
                yield from rows
        return
    for batch in _pyarrow(path).iter_batches(batch_size=_ROWS, columns=list(names)):
        columns = [_integers(batch.column(name)) for name in names]
        yield from zip(*columns, strict=True)


def _integers(column: Any) -> list[Any]:
    arrow: Any = import_module("pyarrow")
    return list((column.cast(arrow.int64()) if arrow.types.is_timestamp(column.type) else column).to_pylist())


def duckdb_cursor() -> Any:
    """A connection to this process's own DuckDB, with temporary tables of its own, to be used in a ``with``."""
    return _database(os.getpid()).cursor()


@cache
def _database(process: int) -> Any:
    """One for each process, as its threads do not outlive a fork: making one takes longer than reading a small file."""
    database = import_module("duckdb").connect()
    folder = tempfile.mkdtemp(prefix="agentops-")  # for its owner only, as what it is filled with where memory is short
    atexit.register(_remove, folder, process)
    database.execute("SET temp_directory = ?", [str(Path(folder) / "duckdb")])
    return database


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # a fork has handlers of its parent
        shutil.rmtree(folder, ignore_errors=True)


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

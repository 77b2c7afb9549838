"""Where a store is: a directory, a file, a pattern of files, or a ClickHouse server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.store.result import Store

__all__ = ["is_address", "is_stored", "open_store"]


def is_address(text: str) -> bool:
    """Whether it is the address of a server and no path."""
    return text.startswith(("clickhouse://", "clickhouses://"))


def is_stored(place: Path | str) -> bool:
    """Whether a store is to be asked for the runs of a place, instead of reading every file of it.

    That is a server, a Parquet file, a pattern that names only such, and a directory that holds nothing else.
    """
    if isinstance(place, str):
        return True
    if place.is_dir():
        from agentops_sdk.traces.files import trace_files
        from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX

        files = trace_files(place)
        return (
            bool(files) and all(path.suffix == ".parquet" for path in files) and not any(place.rglob(f"*{OPEN_SUFFIX}"))
        )
    return place.suffix == ".parquet" and (place.exists() or "*" in place.name)


def open_store(place: Path | str) -> Store:
    """The store at a place.

    Raises:
        AgentOpsError: what it needs is not installed, or it cannot be reached or read.
    """
    if isinstance(place, str) and is_address(place):
        from agentops_sdk.store.clickhouse_store import ClickHouseStore

        return ClickHouseStore.at(place)
    from agentops_sdk.store.duckdb_store import DuckDBStore

    return DuckDBStore(Path(place).expanduser())

"""Where a store is: a directory, a file, a pattern of files, or a ClickHouse server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentops_sdk.store.result import Store

__all__ = ["MEMORY", "SECONDS", "is_address", "is_stored", "open_store"]

SECONDS: Final = 60.0
"""Of work on one question that somebody asks in SQL, where nothing else is said."""
MEMORY: Final = "2GB"
"""What DuckDB may keep in memory for such a question."""


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
        from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
        from agentops_sdk.traces.places import trace_files

        files = trace_files(place)
        return (
            bool(files) and all(path.suffix == ".parquet" for path in files) and not any(place.rglob(f"*{OPEN_SUFFIX}"))
        )
    return place.suffix == ".parquet" and (place.exists() or "*" in place.name)


def open_store(place: Path | str, *, seconds: float | None = None, memory: str | None = None) -> Store:
    """The store at a place.

    Args:
        place: a path, or the address of a server.
        seconds: of work on one question; a longer one is broken off.
        memory: what DuckDB may keep in memory before it uses the disk; a server has its own limits.

    Raises:
        AgentOpsError: what it needs is not installed, or it cannot be reached or read.
        ConfigError: ``memory`` is no size.
    """
    if isinstance(place, str) and is_address(place):
        from agentops_sdk.store.clickhouse_store import ClickHouseStore

        return ClickHouseStore.at(place, seconds)
    from agentops_sdk.store.duckdb_store import DuckDBStore

    return DuckDBStore(Path(place).expanduser(), seconds=seconds, memory=memory)

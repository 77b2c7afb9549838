"""Packed files as relations of DuckDB's: their rows, and what they say of the runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.store.duckdb_dialect import KEYS, STORED_COLUMNS, columns_of_lines, quoted
from agentops_sdk.store.run_rules import RUN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["PackedFiles", "packed_files"]

_TOLD: Final = frozenset(STORED_COLUMNS).difference(KEYS)
"""What the views tell of a span."""
_MANY: Final = 16
_SMALL: Final = 1_048_576
"""Where more files than that are smaller than this on average, they are read once: to open one takes longer."""
_TABLE_BYTES: Final = 64 * _SMALL


class PackedFiles(NamedTuple):
    """Queries over them.

    Attributes:
        rows: for the line and :data:`STORED_COLUMNS` of each span.
        summed: for :data:`RUN_COLUMNS` of each run, of files that have them.
        unsummed: for the ids of the runs in the others.
    """

    rows: list[str]
    summed: list[str]
    unsummed: list[str]


def packed_files(connection: Any, columns: Mapping[Path, Iterable[str]]) -> PackedFiles:
    """The files by path, with the names of their columns."""
    alike: dict[frozenset[str], list[Path]] = {}
    for path, names in columns.items():
        alike.setdefault(frozenset(names), []).append(path)
    files = PackedFiles([], [], [])
    for number, (names, paths) in enumerate(alike.items()):
        listed = ", ".join(quoted(str(path)) for path in paths)
        size = sum(path.stat().st_size for path in paths)
        if len(paths) > _MANY and size < min(_TABLE_BYTES, _SMALL * len(paths)):
            source = f"packed_{number}"
            connection.execute(f"CREATE TABLE {source} AS SELECT * FROM read_parquet([{listed}])")
        else:  # the columns are the same in all: so that DuckDB knows all statistics before it reads
            source = f"read_parquet([{listed}], union_by_name=true)"
        if names.issuperset(_TOLD):
            # Without the keys a comparison is left to the readers.
            listed = ", ".join(name if name in names else f"NULL AS {name}" for name in STORED_COLUMNS)
            files.rows.append(f"SELECT record, {listed} FROM {source}")
        else:  # an earlier version packed them, before a column came: its values stand in the lines
            files.rows.append(columns_of_lines(f"SELECT record FROM {source}"))
        if names.issuperset(RUN_COLUMNS.values()):
            files.summed.append(
                f"SELECT trace_id, {', '.join(RUN_COLUMNS.values())} FROM {source}"
                f" WHERE {RUN_COLUMNS['unusual']} IS NOT NULL"
            )
        else:
            files.unsummed.append(f"SELECT trace_id FROM {source}")
    return files

"""``stats`` over many closed files: of one file at a time what its index tells, so that memory does not grow with them.

Runs that are not plain, or not in one closed file alone, are read and added up as trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentops_sdk.traces.figures.plain_runs import KEYS
from agentops_sdk.traces.figures.table_rows import Row, Stats
from agentops_sdk.traces.figures.tables import costliest_first, stats
from agentops_sdk.traces.files import INDEXED, Traces
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
from agentops_sdk.traces.places import add_alone, add_listed, trace_files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Summed", "sums_of_files"]


class Summed(NamedTuple):
    """The table, and the runs that had to be read for it, with all that is to be said of the files."""

    stats: Stats
    read: Traces


def sums_of_files(place: Path, by: str) -> Summed | None:
    """The table over a directory or file; ``None`` where it has to be made from all runs.

    Raises:
        TraceError: a file given by name cannot be read or holds no span; or a line cannot be read again.
    """
    if by not in KEYS:
        return None
    read, closed = Traces(), Traces(INDEXED)
    indexed: list[Path] = []
    seen, apart, currencies = set[str](), set[str](), set[str]()
    if not place.is_dir():
        add_alone(read, place)
    else:
        for path in sorted(place.rglob(f"*{OPEN_SUFFIX}")):  # first: what ends while the others are read is in them
            read.add_open_file(path)
        for path in trace_files(place):
            index = closed.index_of(path)
            if index is None:
                add_listed(read, path)
                continue
            indexed.append(path)
            here = read.take_note(index)
            apart |= seen.intersection(here)
            seen.update(here)
    apart |= seen.intersection(read.ids)
    read.join_messages()
    rows: dict[str, Row] = {}
    runs = 0
    for path in indexed:
        one = Traces(INDEXED)
        add_listed(one, path)
        trees = one.set_apart(apart, read)
        one.add_plain(by, rows, trees)
        runs += len(one) - len(trees)
        currencies |= one.currencies()
        for trace_id in trees:
            apart.add(trace_id)
            for line in one.lines(trace_id):
                read.add_line(line)
        read.torn, read.foreign = read.torn + one.torn, read.foreign + one.foreign
        read.files += one.files
        read.unreadable += one.unreadable
    if not runs and not read:
        return None
    trees = read.set_apart(apart, read)
    read.add_plain(by, rows, trees)
    runs += len(read) - len(trees)
    if len(currencies | read.currencies()) > 1:
        return None  # which of them is counted goes by the order of the runs
    return Summed(_joined(stats(map(read.get, trees), by), rows, runs), read)


def _joined(table: Stats, plain: dict[str, Row], runs: int) -> Stats:
    """A table with the rows of further runs, which have all ended."""
    rows = {row.key: row for row in table.rows}
    for key, row in plain.items():
        table.total.merge(row)
        known = rows.get(key)
        if known is None:
            rows[key] = row
        else:
            known.merge(row)
            known.traces += row.traces
    table.total.traces += runs
    for row in (*rows.values(), table.total):
        row.durations.sort()
    return Stats(table.by, costliest_first(rows.values()), table.total, table.partial)

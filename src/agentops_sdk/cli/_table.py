"""A plain table that fits the width: text columns give way first, figures never."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.text import Text

T = TypeVar("T")
Cell = tuple[str, str]
"""A text and its style."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """Everything about one column: what the table shows, what programs read, how it gives way.

    Attributes:
        title: its heading; without one it is in no table, with an empty one in no pipe: it is for the eye.
        cell: a row's text and style.
        key: what programs call it; without one it is in tables only.
        value: what programs get, as JSON or CSV holds it.
        right: figures stand at the right.
        shrink: above 0 lets it be cut where the width does not suffice, the higher the later.
        bare: without its heading where people read, whom its words tell enough.
        drop: above 0 lets it be left out, the lowest first, before anything is cut to less than :data:`_READABLE`.
    """

    title: str | None = None
    cell: Callable[[T], Cell] = lambda row: ("", "")
    key: str = ""
    value: Callable[[T], Any] = lambda row: None
    right: bool = False
    shrink: int = 0
    drop: int = 0
    bare: bool = False


def as_table(columns: Sequence[Column[T]], rows: Iterable[T], width: int | None, ascii_only: bool) -> Iterator[Text]:
    """The rows as lines of text, by the columns that have a title."""
    shown = [column for column in columns if column.title is not None]
    return table(shown, [[column.cell(row) for column in shown] for row in rows], width, ascii_only)


def as_data(columns: Sequence[Column[T]], row: T) -> dict[str, Any]:
    """A row as plain data, by the columns that have a key."""
    return {column.key: column.value(row) for column in columns if column.key}


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add ``--columns``."""
    parser.add_argument(
        "--columns",
        metavar="NAME,...",
        help="only these columns, in this order: headings of the table, or keys of --json",
    )


def choose(columns: Sequence[Column[T]], names: str | None) -> Sequence[Column[T]]:
    """The columns with these names, separated by commas; all where there are none.

    Raises:
        ConfigError: there is no such column.
    """
    if names is None:
        return columns
    by_name: dict[str, Column[T]] = {}
    for column in columns:
        title = (column.title or "").partition(" (")[0]
        for name in filter(None, (column.key, title)):
            by_name.setdefault(name, column)
    chosen = []
    for name in (name.strip() for name in names.split(",")):
        if name not in by_name:
            raise ConfigError("--columns", name, f"some of {', '.join(by_name)}")
        chosen.append(_whole(by_name[name], name))
    return chosen


def _whole(column: Column[T], name: str) -> Column[T]:
    """A column that is in tables and in data alike."""
    value, cell = column.value, column.cell
    if column.title is None:
        return replace(column, title=name, cell=lambda row: (_shown(value(row)), ""))
    if not column.key:
        return replace(column, key=name, value=lambda row: cell(row)[0])
    return column


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


_READABLE = 12
LONGEST = 1_048_576
_NARROWEST = 6


def table(
    columns: Sequence[Column[Any]], rows: Sequence[Sequence[Cell]], width: int | None, ascii_only: bool = False
) -> Iterator[Text]:
    """Lines of text for cells of ``(text, style)``; empty columns are left out, control characters shown.

    If columns were left out for lack of width, the last line names them. Without a width nothing is cut
    or aligned: two blanks stand between cells, and a dash where one is empty.
    """
    from rich.text import Text

    longest = LONGEST if width is None else 500
    cells = [[Text(line(text, longest), style) for text, style in row] for row in rows]
    kept = [i for i in range(len(columns)) if any(row[i].plain for row in cells)]
    if width is not None:
        yield from _aligned(columns, cells, kept, width, ascii_only)
        return
    kept = [i for i in kept if columns[i].title]
    for row in ([Text(column.title or "", "dim") for column in columns], *cells):
        yield Text("  ").join(row[i] if row[i].plain else Text("-") for i in kept)


def _aligned(
    columns: Sequence[Column[Any]], cells: Sequence[Sequence[Text]], kept: list[int], width: int, ascii_only: bool
) -> Iterator[Text]:
    from rich.cells import cell_len
    from rich.text import Text

    titles = ["" if column.bare else column.title or "" for column in columns]
    widths = {i: max(cell_len(titles[i]), *(row[i].cell_len for row in cells)) for i in kept}
    dropped = []
    for index in sorted((i for i in kept if columns[i].drop), key=lambda i: columns[i].drop):
        least = sum(min(widths[i], _READABLE) if columns[i].shrink else widths[i] for i in kept) + 2 * (len(kept) - 1)
        if least > width:
            kept.remove(index)
            dropped.append(columns[index].title or "share bars")
    over = sum(widths[i] for i in kept) + 2 * (len(kept) - 1) - width
    for floor in (_READABLE, _NARROWEST):
        for index in sorted((i for i in kept if columns[i].shrink), key=lambda i: columns[i].shrink):
            cut = min(max(over, 0), max(0, widths[index] - floor))
            widths[index] -= cut
            over -= cut
    head = [Text(title, "dim") for title in titles]
    for row in (head, *cells):
        row_text = Text()
        for index in kept:
            cell = row[index].copy()
            if cell.cell_len > widths[index]:
                cell.truncate(widths[index] - (3 if ascii_only else 1))
                cell.append("..." if ascii_only else "…")
            gap = " " * (widths[index] - cell.cell_len)
            if row_text.plain:
                row_text.append("  ")
            if columns[index].right:
                row_text.append(gap)
                row_text.append_text(cell)
            else:
                row_text.append_text(cell)
                row_text.append(gap)
        row_text.rstrip()
        yield row_text
    if dropped:
        yield Text(f"a wider terminal also shows: {', '.join(dropped)}", "dim")

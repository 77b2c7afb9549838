"""``agentops stats``: what each model, tool, agent, session, user, day or tag did, took and cost."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.cli._filters import chosen
from agentops_sdk.cli._pager import paged
from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import (
    add_source,
    few_collections,
    looked_at,
    place,
    reading,
    report,
    screen,
    shown,
    tell_of,
)
from agentops_sdk.cli._table import Cell, Column, add_columns, as_data, as_table, choose
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

    from agentops_sdk.traces.cost import Cost
    from agentops_sdk.traces.figures.table_rows import Row, Stats

HELP = "Add up calls, errors, latency, tokens and cost by model, tool, agent, session, user, day, tag and more."
_BAR = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--by",
        default="model",
        metavar="WHAT",
        type=_grouping,
        help="what to group by: model (default), tool, agent, session, user, service, outcome, day, hour, tag, "
        "decision, finding, release, environment, revision, variant, prompt, or an attribute such as metadata.KEY",
    )
    add_columns(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    form.add_argument("--json", action="store_true", help="print one JSON object")
    add_source(parser)


def _grouping(text: str) -> str:
    from agentops_sdk.traces.figures.tables import BY
    from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES

    if text not in BY and text not in SHORT_NAMES and "." not in text:
        raise argparse.ArgumentTypeError(
            f"one of {', '.join((*BY, *SHORT_NAMES))}, or an attribute such as metadata.KEY"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from agentops_sdk.traces.figures.tables import BY, stats
    from agentops_sdk.traces.search.attribute_condition import attribute_names

    columns = _chosen(args.by, args.columns) if args.columns is not None else None
    table = _sums(args)
    if table is None:
        asked = [] if args.by in BY else attribute_names(args.by)
        with reading(place(args), args, asked) as traces, progress("adding up", f"{len(traces):,} runs"):
            table = traces.sums(args.by) or stats(traces, args.by)
    if args.json:
        rows = [as_json(Line(table, row), columns) for row in table.rows]
        not_read = {"not_read": args.not_read} if getattr(args, "not_read", None) else {}
        print(json.dumps({"by": table.by, "rows": rows, "total": table.total.as_dict(), **not_read}))
    elif args.csv:
        _csv(table, columns or COLUMNS)
    elif not table.rows and not table.total.running and not table.total.unfinished:
        raise TraceError(f"these traces hold nothing to group by {args.by}")
    else:
        _print(table, columns)
    if table.partial:
        print(f"agentops: of {table.partial:,} very large run(s), {looked_at()}", file=sys.stderr)
    return 0


def _sums(args: argparse.Namespace) -> Stats | None:
    """The table over files, where nothing but sums is asked of them; ``None`` where it takes all runs as trees."""
    where = place(args)
    if isinstance(where, str) or not where.exists() or chosen(args):
        return None
    from agentops_sdk.traces.summed_files import sums_of_files

    if any(where.rglob("*.parquet")) or where.suffix == ".parquet":
        return _sums_of_store(where, args)
    with few_collections(), progress("reading", shown(where)):
        summed = sums_of_files(where, args.by)
    if summed is None:
        return None
    report(summed.read, args)
    return summed.stats


def _sums_of_store(where: Path, args: argparse.Namespace) -> Stats | None:
    """The table over packed files, and what lies beside them; ``None`` without DuckDB, or where that cannot tell."""
    from importlib.util import find_spec

    from agentops_sdk.store.address import open_store
    from agentops_sdk.store.duckdb_store import DuckDBStore
    from agentops_sdk.store.duckdb_sums import KEYS, sums

    if args.by not in KEYS or find_spec("duckdb") is None:
        return None
    with progress("reading", shown(where)):
        store = open_store(where)
        table = sums(store, args.by) if isinstance(store, DuckDBStore) else None
    if table is not None:
        tell_of(store.not_read, store.remarks, args)
    return table


def _print(table: Stats, columns: Sequence[Column[Line]] | None) -> None:
    with paged() as file:
        _print_to(file, table, columns)


def _print_to(file: TextIO | None, table: Stats, columns: Sequence[Column[Line]] | None) -> None:
    console, width, ascii_only = screen(140, file)
    rows = [*table.rows, *([table.total] if len(table.rows) > 1 else [])]
    lines = [Line(table, row, ascii_only) for row in rows]
    for text in as_table(columns or _columns(table.by), lines, width, ascii_only) if lines else ():
        console.print(text)
    if table.total.running or table.total.unfinished:
        states = ("running", table.total.running), ("unfinished", table.total.unfinished)
        console.print("runs: " + ", ".join(f"{count} {state}" for state, count in states if count), style="dim")
    if reasons := table.total.cost.unknowns:
        mark = "a lower bound" if table.total.cost.known else "unknown"
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        listed = "; ".join(f"{count} x {line(reason)}" for reason, count in ordered)
        console.print(f"cost is {mark}: {listed}", style="dim")


class Line(NamedTuple):
    """One row of the table, and whether it is shown in ASCII."""

    stats: Stats
    row: Row
    ascii_only: bool = False

    @property
    def is_total(self) -> bool:
        return self.row is self.stats.total

    @property
    def share(self) -> float:
        return self.stats.share(self.row)

    @property
    def first_chunk(self) -> float | None:
        from agentops_sdk.traces.figures.table_rows import percentile

        return percentile(self.row.first_chunks, 50)

    @property
    def first(self) -> str:
        return number_format.duration(self.first_chunk) if self.row.first_chunks else ""

    @property
    def bar(self) -> str:
        filled = min(round(self.share * _BAR), _BAR)
        full, empty = ("#", ".") if self.ascii_only else ("█", "░")
        return "" if self.is_total else full * filled + empty * (_BAR - filled)

    @property
    def cached(self) -> str:
        hits = self.row.usage.cache_hit_share if self.row.usage.cache_read else None
        return f"{hits:.0%}" if hits is not None else ""

    def runs(self, number: int, style: str) -> Cell:
        """Of runs: a row's; the total says them below the table."""
        return f"{number:,}" if number and not self.is_total else "", style

    def money(self, cost: Cost) -> str:
        return number_format.cost(cost, ascii_only=self.ascii_only)


def _amount(cost: Cost) -> str:
    return f"{cost.amount:f}" if cost.known or not cost.unknowns else ""


COLUMNS: Final[Sequence[Column[Line]]] = (
    Column(key="key", value=lambda line: _text(line.row.key)),
    Column(key="traces", value=lambda line: line.row.traces),
    Column("calls", lambda line: (f"{line.row.calls:,}", ""), "calls", lambda line: line.row.calls, right=True),
    Column(
        "err", lambda line: (f"{line.row.errors:,}", "bold red") if line.row.errors else ("-", "dim"),
        "errors", lambda line: line.row.errors, right=True,
    ),
    Column(
        "refused", lambda line: (f"{line.row.refused:,}" if line.row.refused else "", "yellow"),
        "refused", lambda line: line.row.refused, right=True, drop=6,
    ),
    Column("running", lambda line: line.runs(line.row.running, "yellow"), right=True, drop=5),
    Column("unfinished", lambda line: line.runs(line.row.unfinished, "bold red"), right=True, drop=4),
    Column(
        "p50", lambda line: (number_format.duration(line.row.percentile(50)), ""),
        "p50_s", lambda line: line.row.percentile(50), right=True,
    ),
    Column(
        "p95", lambda line: (number_format.duration(line.row.percentile(95)), ""),
        "p95_s", lambda line: line.row.percentile(95), right=True,
    ),
    Column(
        "first", lambda line: (line.first, ""),
        "first_chunk_p50_s", lambda line: line.first_chunk, right=True, drop=3,
    ),
    Column(key="input_tokens", value=lambda line: line.row.usage.input),
    Column(key="output_tokens", value=lambda line: line.row.usage.output),
    Column(
        "tokens", lambda line: (number_format.all_tokens(line.row.usage, ascii_only=line.ascii_only), ""), right=True,
    ),
    Column(
        "cached", lambda line: (line.cached, ""),
        "cache_read_tokens", lambda line: line.row.usage.cache_read, right=True, drop=2,
    ),
    Column(key="estimated_tokens", value=lambda line: line.row.usage.estimated.total),
    Column(key="unknown_usage", value=lambda line: line.row.usage.unknown),
    Column(
        "cost", lambda line: (line.money(line.row.own_cost), ""),
        "cost", lambda line: _amount(line.row.own_cost), right=True,
    ),
    Column(key="currency", value=lambda line: line.row.cost.currency),
    Column(key="cost_estimated", value=lambda line: f"{line.row.cost.estimated:f}"),
    Column(key="cost_unknown", value=lambda line: line.row.own_cost.unknown_count),
    Column(
        "wasted", lambda line: (line.money(line.row.wasted), "red"),
        "wasted", lambda line: _amount(line.row.wasted), right=True,
    ),
    Column(
        "share", lambda line: ("" if line.is_total else f"{line.share:.0%}", ""),
        "share", lambda line: round(line.share, 6), right=True,
    ),
    Column("", lambda line: (line.bar, "cyan"), drop=1),
    Column(key="running", value=lambda line: line.row.running),
    Column(key="unfinished", value=lambda line: line.row.unfinished),
)  # fmt: skip
"""The table, its CSV and its JSON. To add a column, add a row."""


def _columns(by: str) -> list[Column[Line]]:
    """The columns where rows stand for what is called so."""
    of_rows = next(column for column in COLUMNS if column.key == "key")
    key = replace(of_rows, title=by, cell=lambda line: (line.row.key, "bold"), shrink=1)
    return [key, *(column for column in COLUMNS if column is not of_rows)]


def _chosen(by: str, names: str) -> Sequence[Column[Line]]:
    """The columns with these names; what a row is of stands first, where nobody has said elsewhere."""
    key, *others = _columns(by)
    columns = choose([key, *others], names)
    return columns if any(column.key == "key" for column in columns) else [key, *columns]


_NESTED: Final = {
    "input_tokens", "output_tokens", "cache_read_tokens", "estimated_tokens", "unknown_usage", "currency",
    "cost_estimated", "cost_unknown",
}  # fmt: skip
"""What JSON holds inside of ``usage`` and ``cost``."""


def as_json(line: Line, chosen: Sequence[Column[Line]] | None = None) -> dict[str, Any]:
    """A row with its usage and costs whole, and whatever else there is a column for; or only what was chosen."""
    if chosen is not None:
        return {**as_data(chosen, line), "key": line.row.key}
    whole = {**line.row.as_dict(), "share": line.share}
    columns = {key: value for key, value in as_data(COLUMNS, line).items() if key not in _NESTED}
    return {**columns, **whole}


def _csv(table: Stats, columns: Sequence[Column[Line]]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([column.key for column in columns if column.key])
    out.writerows(as_data(columns, Line(table, row)).values() for row in table.rows)


def _text(text: str) -> str:
    """A captured name that no spreadsheet takes for a formula and no terminal for a command."""
    shown = line(text)
    return f"'{shown}" if shown[:1] in "=+-@" else shown

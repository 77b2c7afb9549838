"""``agentops sql``: a question in SQL, over files with DuckDB or over a fleet's spans in ClickHouse."""

from __future__ import annotations

import csv
import json
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_dir, place, screen, shown, tell_of
from agentops_sdk.cli.ls import positive
from agentops_sdk.errors import ConfigError
from agentops_sdk.store.address import MEMORY, SECONDS, open_store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

HELP = (
    "Ask in SQL: views spans, llm_calls, tool_calls, decisions, traces, feedback, agents. Extra: duckdb or clickhouse."
)
_LIMIT = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "query", metavar="QUERY", nargs="?", help="one SELECT; - reads it from stdin; without one the views are listed"
    )
    parser.add_argument(
        "-n", "--limit", type=positive, default=_LIMIT, metavar="ROWS", help=f"rows at most (default: {_LIMIT:,})"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object per row")
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    parser.add_argument(
        "--schema",
        action="store_true",
        help="print statements that give the Collector's ClickHouse table typed columns, indexes and a limit of age",
    )
    parser.add_argument(
        "--timeout", type=float, default=SECONDS, metavar="SECONDS", help=f"when to give up (default: {SECONDS:g})"
    )
    parser.add_argument(
        "--memory",
        default=MEMORY,
        metavar="SIZE",
        help=f"what DuckDB may keep in memory before it uses the disk (default: {MEMORY})",
    )
    parser.add_argument("--days", type=int, default=30, help="with --schema: how long spans are kept (default: 30)")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Print the rows."""
    if args.schema:
        return _print_schema(args)
    query = sys.stdin.read() if args.query == "-" else args.query
    if query is not None and not query.strip():
        raise ConfigError("QUERY", query, "a SELECT over the views spans, llm_calls, traces, ...")
    if not 0 < args.timeout < 1e9:
        raise ConfigError("--timeout", args.timeout, "seconds above 0")
    store = open_store(place(args), seconds=args.timeout, memory=args.memory)
    try:
        tell_of(store.not_read, store.remarks, args)
        if query is None:
            return _list(store)
        names, rows = store.query(query)
        some = list(islice(rows, args.limit)) if not (args.json or args.csv) else islice(rows, args.limit)
        _print(args, names, some)
        if next(rows, None) is not None:
            print(f"agentops: only the first {args.limit:,} rows are shown; -n shows more", file=sys.stderr)
    finally:
        store.close()
    return 0


def _list(store: Any) -> int:
    """The views and their columns."""
    from agentops_sdk.store.views import VIEWS

    console, _, _ = screen()
    for name in VIEWS:
        names, _rows = store.query(f"SELECT * FROM {name} LIMIT 0")  # noqa: S608 - our own names
        console.print(f"{name}: {', '.join(names)}", markup=False, highlight=False)
    return 0


def _print(args: argparse.Namespace, names: list[str], rows: Any) -> None:
    if args.json:
        for row in rows:
            print(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False))
    elif args.csv:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(names)
        out.writerows(_cells(rows))
    else:
        from agentops_sdk.cli._table import LONGEST, Column, table

        console, width, ascii_only = screen(200)
        most = LONGEST if width is None else width
        columns: list[Column[Any]] = [Column(name, right=_is_number(rows, i), shrink=1) for i, name in enumerate(names)]
        cells = [[(_text(value), "") for value in row] for row in rows]
        for text in table(columns, cells, width, ascii_only) if cells else ():
            console.print(text)
        if not cells:
            console.print("no rows", style="dim")
        if cut := sum(len(text) > most for row in cells for text, _ in row):
            print(
                f"agentops: {cut:,} value(s) of more than {most:,} characters are cut; --json prints all",
                file=sys.stderr,
            )


def _is_number(rows: list[tuple[Any, ...]], position: int) -> bool:
    return any(isinstance(row[position], (int, float)) for row in rows) and not any(
        isinstance(row[position], str) for row in rows
    )


def _cells(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """Values for a table of others: no text that a spreadsheet takes for a formula."""
    for row in rows:
        values = [value if isinstance(value, (int, float)) else _text(value) for value in row]
        yield [f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124 - NaN
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if type(value).__name__ == "Decimal" else str(value)


def _print_schema(args: argparse.Namespace) -> int:
    from agentops_sdk.store.clickhouse_dialect import MOST_DAYS, schema

    if not 0 <= args.days <= MOST_DAYS:
        raise ConfigError("--days", args.days, f"1 to {MOST_DAYS:,} days, or 0 to leave the limit as it is")
    where = place(args)
    if isinstance(where, str):
        from urllib.parse import parse_qs, urlsplit

        from agentops_sdk.store.clickhouse_store import ClickHouseStore

        store = ClickHouseStore.at(where)
        table = parse_qs(urlsplit(where).query).get("table", ["otel_traces"])[-1]
        print(schema(table, days=args.days, is_json=store.is_json), end="")
        print(f"agentops: for {shown(where)}; nothing was run there", file=sys.stderr)
        store.close()
    else:
        print(schema(days=args.days), end="")
    return 0

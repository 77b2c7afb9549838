"""``agentops stats``: what each model, tool, agent, session, day or tag did, took and cost."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import PARTIAL, add_source, directory, reading, screen
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.traces.stats import Row, Stats

HELP = "Add up calls, errors, latency, tokens and cost by model, tool, agent, session, day, tag or decision."
_BAR = 8
_CSV_HEAD = (
    *("key", "traces", "calls", "errors", "p50_s", "p95_s", "first_chunk_p50_s"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "estimated_tokens", "unknown_usage"),
    *("cost", "currency", "cost_estimated", "cost_unknown", "wasted", "share", "running", "unfinished"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--by",
        default="model",
        choices=("model", "tool", "agent", "session", "day", "tag", "decision"),
        help="what a row is (default: model)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    form.add_argument("--json", action="store_true", help="print one JSON object")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from agentops_sdk.traces.stats import stats

    with reading(directory(args)) as traces:
        made = stats(traces, args.by)
    if args.json:
        rows = [{**row.as_dict(), "share": made.share(row)} for row in made.rows]
        print(json.dumps({"by": made.by, "rows": rows, "total": made.total.as_dict()}))
    elif args.csv:
        _csv(made)
    elif not made.rows and not made.total.running and not made.total.unfinished:
        raise TraceError(f"these traces hold nothing to add up by {args.by}")
    else:
        _print(made)
    if made.partial:
        print(f"agentops: of {made.partial:,} very large run(s), {PARTIAL}", file=sys.stderr)
    return 0


def _print(made: Stats) -> None:
    from agentops_sdk.cli._table import Column, table

    console, width, ascii_only = screen()
    columns = [
        Column(made.by, shrink=1),
        Column("calls", right=True),
        Column("err", right=True),
        Column("running", right=True, drop=5),
        Column("unfinished", right=True, drop=4),
        Column("p50", right=True),
        Column("p95", right=True),
        Column("first", right=True, drop=3),
        Column("tokens", right=True),
        Column("cached", right=True, drop=2),
        Column("cost", right=True),
        Column("wasted", right=True),
        Column("share", right=True),
        Column("", drop=1),
    ]
    rows = [_cells(made, row, ascii_only) for row in made.rows]
    if len(rows) > 1:
        rows.append(_cells(made, made.total, ascii_only))
    for line in table(columns, rows, width, ascii_only) if rows else ():
        console.print(line)
    if made.total.running or made.total.unfinished:
        states = ("running", made.total.running), ("unfinished", made.total.unfinished)
        console.print("runs: " + ", ".join(f"{count} {state}" for state, count in states if count), style="dim")
    if reasons := made.total.cost.unknowns:
        from agentops_sdk.traces.terminal_text import line as one_line

        mark = "a lower bound" if made.total.cost.known else "unknown"
        said = "; ".join(f"{count} x {one_line(reason)}" for reason, count in reasons.items())
        console.print(f"cost is {mark}: {said}", style="dim")


def _cells(made: Stats, row: Row, ascii_only: bool) -> list[tuple[str, str]]:
    from agentops_sdk.traces import number_format
    from agentops_sdk.traces.stats import percentile

    total = row is made.total
    hits = row.usage.cache_hit_share if row.usage.cache_read else None
    share = made.share(row)
    filled = round(share * _BAR)
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    return [
        (row.key, "bold"),
        (f"{row.calls:,}", ""),
        (f"{row.errors:,}" if row.errors else "-", "bold red" if row.errors else "dim"),
        (f"{row.running:,}" if row.running and not total else "", "yellow"),
        (f"{row.unfinished:,}" if row.unfinished and not total else "", "bold red"),
        (number_format.duration(row.percentile(50)), ""),
        (number_format.duration(row.percentile(95)), ""),
        (number_format.duration(percentile(row.first_chunks, 50)) if row.first_chunks else "", ""),
        (number_format.all_tokens(row.usage, ascii_only=ascii_only), ""),
        (f"{hits:.0%}" if hits is not None else "", ""),
        (number_format.cost(row.cost, ascii_only=ascii_only, digits=2), ""),
        (number_format.cost(row.wasted, ascii_only=ascii_only, digits=2), "red"),
        ("" if total else f"{share:.0%}", ""),
        ("" if total else full * min(filled, _BAR) + empty * max(0, _BAR - filled), "cyan"),
    ]


def _csv(made: Stats) -> None:
    from agentops_sdk.traces.stats import percentile

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_CSV_HEAD)
    for row in made.rows:
        known = row.cost.known or not row.cost.unknowns
        out.writerow(
            [
                _cell(row.key),
                row.traces,
                row.calls,
                row.errors,
                row.percentile(50),
                row.percentile(95),
                percentile(row.first_chunks, 50),
                row.usage.input,
                row.usage.output,
                row.usage.cache_read,
                row.usage.estimated.total,
                row.usage.unknown,
                f"{row.cost.amount:f}" if known else "",
                row.cost.currency,
                f"{row.cost.estimated:f}",
                row.cost.unknown_count,
                f"{row.wasted.amount:f}" if row.wasted.known or not row.wasted.unknowns else "",
                round(made.share(row), 6),
                row.running,
                row.unfinished,
            ]
        )


def _cell(text: str) -> str:
    """A captured name that no spreadsheet takes for a formula and no terminal for a command."""
    from agentops_sdk.traces.terminal_text import line

    shown = line(text)
    return f"'{shown}" if shown[:1] in "=+-@" else shown

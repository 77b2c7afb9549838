"""``agentops compare``: two runs, files, date ranges or variants side by side."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._filters import chosen
from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._sides import SIDE, is_one_or_a_place, side
from agentops_sdk.cli._source import add_source, looked_at, place, screen, shown, tell_of
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.traces.figures.comparison import Comparison, Figure, Side

HELP = "Compare two runs, files, date ranges or variants: decisions, cost, latency, tokens, errors."
_ROWS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("a", metavar="A", help=SIDE)
    parser.add_argument("b", metavar="B", help="what to compare it with, in the same form")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the comparison."""
    from agentops_sdk.traces.figures.comparison import compare, told_apart_by

    comparison = _of_store(args) or compare(side(args, args.a), side(args, args.b), apart=told_apart_by(args.a, args.b))
    if args.json:
        print(json.dumps(comparison.as_dict()))
    else:
        _print(comparison, args.a, args.b)
    return 0


def _of_store(args: argparse.Namespace) -> Comparison | None:
    """The comparison of many packed runs; ``None`` without DuckDB, and where it takes the runs themselves."""
    from importlib.util import find_spec

    where = place(args)
    if isinstance(where, str) or chosen(args) or any(map(is_one_or_a_place, (args.a, args.b))):
        return None
    if find_spec("duckdb") is None or not (where.suffix == ".parquet" or any(where.rglob("*.parquet"))):
        return None
    from agentops_sdk.store.address import open_store
    from agentops_sdk.store.duckdb_comparison import comparison
    from agentops_sdk.store.duckdb_store import DuckDBStore

    with progress("comparing", shown(where)):
        store = open_store(where)
        both = comparison(store, args.a, args.b) if isinstance(store, DuckDBStore) else None
    if both is not None:
        tell_of(store.not_read, store.remarks, args)
    return both


def _print(both: Comparison, name_a: str, name_b: str) -> None:
    from agentops_sdk.cli._table import Column, table

    console, width, ascii_only = screen(120)

    def show(columns: list[Column[Any]], rows: list[list[tuple[str, str]]]) -> None:
        for text in table(columns, rows, width, ascii_only):
            console.print(text)

    console.print(f"A: {line(_about(name_a, both.a))}  B: {line(_about(name_b, both.b))}", markup=False)
    if both.shared:
        console.print(_shared(both), style="bold")
    console.print()
    rows = [_figure_cells(row, both.currency) for row in both.figures]
    share_a, share_b = both.a.errors / max(1, both.a.ended), both.b.errors / max(1, both.b.ended)
    rows.append([("failed runs", ""), (f"{share_a:.0%}", ""), (f"{share_b:.0%}", ""), ("", ""), (_p(both.error_p), "")])
    for name, in_a, in_b in (
        ("  of them unfinished", both.a.unfinished, both.b.unfinished),
        ("still running, left out", both.a.running, both.b.running),
    ):
        if in_a or in_b:
            rows.append([(name, ""), (str(in_a), ""), (str(in_b), ""), ("", ""), ("", "")])
    if both.a.looping or both.b.looping:
        rows.append([("runs with loops", ""), (str(both.a.looping), ""), (str(both.b.looping), ""), ("", ""), ("", "")])
    titles: list[Column[Any]] = [Column("per run (median)", shrink=1), Column("A", right=True), Column("B", right=True)]
    show([*titles, Column("change", right=True), Column("p")], rows)
    if both.steps:
        console.print()
        marks = {"both": " ", "a": "-", "b": "+"}
        for side, (name, choice) in both.steps:
            style = {"a": "red", "b": "green"}.get(side, "")
            console.print(line(f"{marks[side]} {name}: {choice}"), style=style, markup=False, highlight=False)
    elif both.shares:
        console.print()
        show(
            [Column("decision", shrink=2), Column("choice", shrink=1), Column("A", right=True),
             Column("B", right=True), Column("p")],
            [
                [
                    (row.decision, ""),
                    (row.choice, "bold" if row.changed else ""),
                    (f"{row.count_a}/{row.total_a}", ""),
                    (f"{row.count_b}/{row.total_b}", ""),
                    (_p(row.p), "bold" if row.changed else "dim"),
                ]
                for row in both.shares[:_ROWS]
            ],
        )  # fmt: skip
        if len(both.shares) > _ROWS:
            console.print(f"{len(both.shares) - _ROWS:,} more choices; --json prints all", style="dim")
    if both.a.partial or both.b.partial:
        console.print(f"of very large runs, {looked_at()}", style="dim")
    console.print()
    console.print(
        "p: Fisher's exact test for shares, Wilcoxon rank-sum for figures, corrected by Holm; * is below 0.05.",
        style="dim", markup=False, highlight=False,
    )  # fmt: skip


def _about(name: str, side: Side) -> str:
    """What a side was asked for by, the id of its only run, and how many they are."""
    (trace_id,) = side.trace_ids if len(side.trace_ids) == 1 else ("",)
    shown = f"{name} ({trace_id[:8]})" if not trace_id.startswith(name) else name
    return f"{shown if trace_id else name}, {side.runs} run(s)"


def _shared(both: Comparison) -> str:
    """What is to be said of runs that are compared with themselves."""
    if both.shared == both.a.runs == both.b.runs:
        same = "the same run" if both.shared == 1 else f"the same {both.shared:,} runs"
        return f"A and B are {same}: no difference can show. agentops ls lists the others."
    return f"{both.shared:,} run(s) stand on both sides and are compared with themselves."


def _figure_cells(row: Figure, currency: str) -> list[tuple[str, str]]:
    change = ""
    if row.median_a and row.median_b is not None:
        change = f"{(row.median_b - row.median_a) / row.median_a:+.0%}"
    style = "bold" if row.changed else ""
    return [
        (row.name + (" (some unknown)" if row.unknown_a or row.unknown_b else ""), style),
        (_figure(row.name, row.median_a, currency), ""),
        (_figure(row.name, row.median_b, currency), ""),
        (change, style),
        (_p(row.p), style),
    ]


def _figure(name: str, value: float | None, currency: str) -> str:
    from agentops_sdk.traces.cost import money
    from agentops_sdk.traces.figures import number_format

    if value is None:
        return "unknown"
    if name == "duration":
        return number_format.duration(value)
    return money(Decimal(repr(value)), currency) if name == "cost" else f"{value:,.0f}"


def _p(value: float) -> str:
    shown = "<0.001" if value < 0.001 else f"{value:.3f}"
    return f"{shown} *" if value < 0.05 else "" if value >= 0.9995 else shown

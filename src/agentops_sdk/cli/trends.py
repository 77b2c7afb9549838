"""``agentops trends``: runs week over week, what got dearer, slower or worse, and which steps account for it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.trends import Period, Trends

HELP = "Show runs week over week, by release, agent, model or prompt: what changed, and which steps account for it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--by", default="week", choices=["week", "day", "month", "hour"], help="length of a period (UTC)"
    )
    parser.add_argument(
        "--split", default="", metavar="WHAT", type=_split,
        help="tell apart by release, agent, model, prompt, environment, variant, or an attribute such as metadata.KEY",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_source(parser)


def _split(text: str) -> str:
    from agentops_sdk.traces.figures.trends import checked_split

    try:
        return checked_split(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.expected) from None


def run(args: argparse.Namespace) -> int:
    """Print the periods, and the changes from the last but one to the last."""
    from agentops_sdk.traces.figures.trends import trends
    from agentops_sdk.traces.search.attribute_condition import attribute_names

    asked = () if args.split in ("", "agent", "model") else attribute_names(args.split)
    with reading(place(args), args, asked) as traces, progress("adding up", f"{len(traces):,} runs"):
        found = trends(traces, args.by, args.split)
    if args.json:
        print(json.dumps(_as_dict(found)))
    else:
        _print(found)
    return 0


def _as_dict(found: Trends) -> dict[str, Any]:
    from dataclasses import asdict

    changes = [{**asdict(change), "change": change.change, "worse": change.is_worse} for change in found.changes]
    return {
        "by": found.by,
        "split": found.split,
        "periods": [row.as_dict() for row in found.periods],
        "changes": changes,
    }


def _print(found: Trends) -> None:
    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.traces.figures.table_rows import percentile
    from agentops_sdk.traces.figures.trend_sentences import per_run, sentences

    def took(row: Period, percent: float) -> str:
        value = percentile(row.figures.get("seconds", []), percent)
        return "" if value is None else number_format.duration(value)

    columns: list[Column[Period]] = [
        Column(found.split or "of", lambda row: (row.of, "bold"), shrink=1),
        Column(found.by, lambda row: (row.name, "")),
        Column("runs", lambda row: (f"{row.runs:,}", ""), right=True),
        Column("failed", lambda row: (per_run("errors", row.mean("errors")) if row.errors else "", "red"), right=True),
        Column("unfinished", lambda row: (f"{row.unfinished:,}" if row.unfinished else "", ""), right=True, drop=2),
        Column("p50", lambda row: (took(row, 50), ""), right=True),
        Column("p95", lambda row: (took(row, 95), ""), right=True, drop=1),
        Column("tokens/run", lambda row: (per_run("tokens", row.mean("tokens")), ""), right=True),
        Column("cost/run", lambda row: (_cost(row), ""), right=True),
        Column("scores", lambda row: (_scores(row), ""), shrink=1),
    ]
    console, width, ascii_only = screen()
    for text in as_table(columns, found.periods, width, ascii_only):
        console.print(text)
    for change in found.moved:
        if change.is_sure:
            console.print()
            first, *rest = sentences(change)
            style = "bold red" if change.is_worse else "bold green"
            console.print(line(first), style=style, markup=False, highlight=False)
            for sentence in rest:
                console.print(line(f"· {sentence}"), markup=False, highlight=False)
    if by_chance := [change for change in found.moved if not change.is_sure]:
        console.print()
        console.print("no more than chance explains (--json has the parts):", style="dim", markup=False)
        for change in by_chance:
            console.print(line(sentences(change)[0]), markup=False, highlight=False)
    if not found.changes:
        console.print("one period: nothing to compare", style="dim")


def _cost(row: Period) -> str:
    from agentops_sdk.traces.figures.trend_sentences import per_run

    unknown = row.parts.unknown["cost"]
    return per_run("cost", row.mean("cost")) + (f" ({unknown} unknown)" if unknown else "")


def _scores(row: Period) -> str:
    return ", ".join(f"{name} {row.score(name):.3g}" for name in sorted(row.scores))

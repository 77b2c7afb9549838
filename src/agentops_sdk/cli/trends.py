"""``agentops trends``: runs week over week, what got dearer, slower or worse, and which steps account for it."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.trends import Change, Period, Trends

HELP = "Show runs week over week, by release, agent, model or prompt: what changed, and which steps account for it."
_CAUSES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--by", default="week", choices=["week", "day", "month", "hour"], help="how long a period is (UTC)"
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
    with reading(place(args), args, asked) as traces:
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

    def took(row: Period, percent: float) -> str:
        value = percentile(row.figures.get("seconds", []), percent)
        return "" if value is None else number_format.duration(value)

    columns: list[Column[Period]] = [
        Column(found.split or "of", lambda row: (row.of, "bold"), shrink=1),
        Column(found.by, lambda row: (row.name, "")),
        Column("runs", lambda row: (f"{row.runs:,}", ""), right=True),
        Column("failed", lambda row: (_figure("errors", row.mean("errors")) if row.errors else "", "red"), right=True),
        Column("unfinished", lambda row: (f"{row.unfinished:,}" if row.unfinished else "", ""), right=True, drop=2),
        Column("p50", lambda row: (took(row, 50), ""), right=True),
        Column("p95", lambda row: (took(row, 95), ""), right=True, drop=1),
        Column("tokens/run", lambda row: (_figure("tokens", row.mean("tokens")), ""), right=True),
        Column("cost/run", lambda row: (_cost(row), ""), right=True),
        Column("scores", lambda row: (_scores(row), ""), shrink=1),
    ]
    console, width, ascii_only = screen()
    for text in as_table(columns, found.periods, width, ascii_only):
        console.print(text)
    for change in sorted(found.changes, key=lambda each: (not each.is_worse, each.p)):
        if change.change:
            console.print()
            for sentence, style in _lines(change):
                console.print(line(sentence), style=style, markup=False, highlight=False)
    if not found.changes:
        console.print("one period: nothing to compare", style="dim")


def _cost(row: Period) -> str:
    unknown = row.parts.unknown["cost"]
    return _figure("cost", row.mean("cost")) + (f" ({unknown} unknown)" if unknown else "")


def _scores(row: Period) -> str:
    return ", ".join(f"{name} {row.score(name):.3g}" for name in sorted(row.scores))


def _lines(change: Change) -> list[tuple[str, str]]:
    of = f"{change.of}: " if change.of else ""
    p = "<0.001" if change.p < 0.001 else f"{change.p:.3f}"
    sure = f"p {p}" + (" *" if change.p < 0.05 else "")
    moved = (
        f"{of}{change.name}{'' if change.name == 'errors' else ' per run'} {_figure(change.name, change.before)} -> "
    )
    moved += f"{_figure(change.name, change.after)} ({sure})"
    style = ("bold red" if change.is_worse else "bold green") if change.p < 0.05 else ""
    lines = [(moved, style)]
    shown = [cause for cause in change.causes if cause.change][:_CAUSES]
    for cause in shown:
        often, each = _signed(change.name, cause.more_often), _signed(change.name, cause.each)
        parts = f"more or fewer calls {often}, each call {each}"
        share = "" if cause.share is None else f", {cause.share:.0%} of it"
        lines.append((f"· {_signed(change.name, cause.change)} {cause.component} ({parts}{share})", ""))
    rest = [cause for cause in change.causes if cause.change][_CAUSES:]
    if rest:
        amount = sum(cause.change for cause in rest)
        lines.append((f"· {_signed(change.name, amount)} {len(rest)} more, see --json", "dim"))
    return lines


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name == "seconds":
        return number_format.duration(value)
    if name == "errors":
        return f"{value:.1%}"
    if name == "cost":
        from agentops_sdk.traces.cost import money

        return money(Decimal(f"{value:.6g}"))
    return f"{value:,.0f}" if name == "tokens" else f"{value:.3g}"


def _signed(name: str, value: float) -> str:
    return f"{'-' if value < 0 else '+'}{_figure(name, abs(value))}"

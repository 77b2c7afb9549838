"""``agentops ls``: the recent traces, one per line."""

from __future__ import annotations

import argparse
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.cli._pager import paged
from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.cli._table import Cell, Column, add_columns, as_data, as_table, choose
from agentops_sdk.report.backend_page import backend_page
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_sdk.traces.trace import Trace

HELP = "List recent traces: when, name, duration, models, tokens, cost, outcome."


_OPERATION = re.compile(r"^(invoke_agent|invoke_workflow|execute_tool) (?=\S)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-n", "--limit", type=positive, default=20, help="number of traces, latest first (default: 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per trace, one per line")
    add_columns(parser)
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    columns = choose(COLUMNS, args.columns)
    with reading(place(args), args) as traces:
        runs = traces.runs
        latest = list(islice(runs, args.limit))
    if args.json:
        for trace in latest:
            print(json.dumps(as_data(columns, Listed(trace))))
        return 0
    with paged() as file:
        console, width, ascii_only = screen(140, file)
        for line in as_table(columns, [Listed(trace, ascii_only) for trace in latest], width, ascii_only):
            console.print(line)
        if len(runs) > len(latest):
            console.print(f"{len(runs) - len(latest):,} more; -n shows more", style="dim")
        if others := len(traces) - len(runs):
            console.print(f"{others:,} more hold feedback and nothing else: agentops feedback", style="dim")
    return 0


class Listed(NamedTuple):
    """A trace in the list, and whether it is shown in ASCII."""

    trace: Trace
    ascii_only: bool = False

    @property
    def took(self) -> str:
        return number_format.duration(
            self.trace.duration, at_least=bool(self.trace.outline.open), ascii_only=self.ascii_only
        )

    @property
    def models(self) -> str:
        return ", ".join(self.trace.models)

    @property
    def feedback(self) -> str:
        return ", ".join(dict.fromkeys(f"{each.name} {each.verdict}" for each in self.trace.evaluations))

    @property
    def outcome(self) -> Cell:
        from agentops_sdk.traces.display.render import style_of

        return self.trace.outcome, style_of(self.trace.outcome)


COLUMNS: Final[Sequence[Column[Listed]]] = (
    Column("trace", lambda row: (row.trace.trace_id[:8], ""), "trace_id", lambda row: row.trace.trace_id),
    Column("when (UTC)", lambda row: (f"{row.trace.start:%m-%d %H:%M}", "dim")),
    Column(
        "name", lambda row: (_OPERATION.sub("", row.trace.name), "bold"),
        "name", lambda row: row.trace.name, shrink=2,
    ),
    Column(key="start", value=lambda row: row.trace.start.isoformat()),
    Column("took", lambda row: (row.took, ""), "duration_s", lambda row: row.trace.duration, right=True),
    Column(key="outcome", value=lambda row: row.trace.outcome),
    Column(key="complete", value=lambda row: row.trace.complete),
    Column(key="spans", value=lambda row: len(row.trace)),
    Column(key="llm_calls", value=lambda row: row.trace.outline.llm_calls),
    Column(key="tool_calls", value=lambda row: sum(1 for _ in row.trace.outline.of_kind("tool"))),
    Column(key="errors", value=lambda row: len(row.trace.outline.errors)),
    Column("models", lambda row: (row.models, ""), "models", lambda row: row.trace.models, shrink=1),
    Column(key="session", value=lambda row: row.trace.session_id),
    Column(key="user", value=lambda row: row.trace.user_id),
    Column(key="url", value=lambda row: backend_page(row.trace.trace_id)),
    Column(
        "tokens", lambda row: (number_format.all_tokens(row.trace.usage, ascii_only=row.ascii_only), ""),
        "usage", lambda row: row.trace.usage.as_dict(), right=True,
    ),
    Column(
        "cost", lambda row: (number_format.cost(row.trace.cost, ascii_only=row.ascii_only), ""),
        "cost", lambda row: row.trace.cost.as_dict(), right=True,
    ),
    Column(
        "feedback", lambda row: (row.feedback, ""),
        "feedback", lambda row: [each.as_dict() for each in row.trace.evaluations], shrink=1, drop=1,
    ),
    Column("outcome", lambda row: row.outcome, bare=True),
)  # fmt: skip
"""The list, as a table and as JSON. To add a column, add a row: times are ISO 8601 (UTC), durations in seconds."""


def summary(trace: Trace) -> dict[str, Any]:
    """One trace as plain data."""
    return as_data(COLUMNS, Listed(trace))


def positive(text: str) -> int:
    """A number above 0, as an option's value."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least 1")
    return number

"""``agentops agents``: which agents were seen, one per line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.cli._table import Column, add_columns, as_data, as_table, choose
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    import argparse
    from collections import Counter
    from collections.abc import Sequence

    from agentops_sdk.traces.figures.agents_seen import Agent

HELP = "List the agents seen: framework, tools, whom they call, models, runs, errors, cost."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per agent, one per line")
    add_columns(parser)
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from agentops_sdk.traces.figures.agents_seen import agents_in

    columns = choose(COLUMNS, args.columns)
    with reading(place(args), args) as traces:
        agents = agents_in(traces)
    if args.json:
        for agent in agents:
            print(json.dumps(as_data(columns, agent)))
        return 0
    console, width, ascii_only = screen()
    if not agents:
        console.print("No agent was recorded in these runs.", markup=False)
        return 0
    for line in as_table(columns, agents, width, ascii_only):
        console.print(line)
    return 0


def _counts(counter: Counter[str]) -> str:
    """The most frequent first; what never ran stands without a number."""
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" if count else name for name, count in ordered)


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names))


COLUMNS: Final[Sequence[Column[Agent]]] = (
    Column("agent", lambda row: (row.name, "bold"), "name", lambda row: row.name, shrink=4),
    Column("version", lambda row: (_names(row.versions), "dim"), "versions", lambda row: sorted(row.versions), drop=1),
    Column("framework", lambda row: (_names(row.frameworks), ""), "frameworks", lambda row: sorted(row.frameworks)),
    Column("runs", lambda row: (str(row.figures.calls), ""), "runs", lambda row: row.figures.calls, right=True),
    Column(
        "errors", lambda row: (str(row.figures.errors or ""), "red"), "errors", lambda row: row.figures.errors,
        right=True,
    ),
    Column("tools", lambda row: (_counts(row.tools), ""), "tools", lambda row: dict(row.tools), shrink=1),
    Column("servers", lambda row: (_counts(row.servers), ""), "servers", lambda row: dict(row.servers), drop=2),
    Column(key="providers", value=lambda row: sorted(row.providers)),
    Column(key="urls", value=lambda row: sorted(row.urls)),
    Column(key="skills", value=lambda row: sorted(row.skills)),
    Column("models", lambda row: (_counts(row.models), ""), "models", lambda row: dict(row.models), shrink=2),
    Column("calls", lambda row: (_counts(row.calls), ""), "calls", lambda row: dict(row.calls), shrink=3),
    Column(key="called_by", value=lambda row: dict(row.called_by)),
    Column(key="traces", value=lambda row: row.figures.traces),
    Column(key="usage", value=lambda row: row.figures.usage.as_dict()),
    Column(
        "cost", lambda row: (number_format.cost(row.figures.own_cost), ""), "cost",
        lambda row: row.figures.own_cost.as_dict(), right=True,
    ),
)  # fmt: skip
"""The list, as a table and as JSON. To add a column, add a row. Figures are the agent's own, up to the next below."""

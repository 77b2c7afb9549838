"""``agentops ls``: the recent traces, one per line."""

from __future__ import annotations

import argparse
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_source, directory, reading, screen

if TYPE_CHECKING:
    from agentops_sdk.traces.trace import Trace

HELP = "List recent traces: when, name, duration, models, tokens, cost, outcome."


_DATED = re.compile(r"-(20\d\d-\d\d-\d\d|20\d{6})$")  # a model's date says little in a narrow table
_OPERATION = re.compile(r"^(invoke_agent|invoke_workflow|execute_tool) (?=\S)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-n", "--limit", type=_positive, default=20, help="how many, latest first (default: 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per trace and line")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    with reading(directory(args)) as traces:
        latest = list(islice(traces, args.limit))
    if args.json:
        for trace in latest:
            print(json.dumps(summary(trace)))
        return 0
    from agentops_sdk.cli._table import Column, table

    console, width, ascii_only = screen()
    columns = [
        Column("trace"),
        Column("when (UTC)"),
        Column("name", shrink=2),
        Column("took", right=True),
        Column("models", shrink=1),
        Column("tokens", right=True),
        Column("cost", right=True),
        Column(""),
    ]
    for line in table(columns, [_cells(trace, ascii_only) for trace in latest], width, ascii_only):
        console.print(line)
    if len(traces) > len(latest):
        console.print(f"{len(traces) - len(latest):,} more; -n shows more", style="dim")
    return 0


def _cells(trace: Trace, ascii_only: bool) -> list[tuple[str, str]]:
    from agentops_sdk.traces import number_format
    from agentops_sdk.traces.render import style_of

    return [
        (trace.trace_id[:8], ""),
        (f"{trace.start:%m-%d %H:%M}", "dim"),
        (_OPERATION.sub("", trace.name), "bold"),
        (number_format.duration(trace.duration, at_least=bool(trace.outline.open), ascii_only=ascii_only), ""),
        (", ".join(_DATED.sub("", model) for model in trace.models), ""),
        (number_format.all_tokens(trace.usage, ascii_only=ascii_only), ""),
        (number_format.cost(trace.cost, ascii_only=ascii_only, digits=2), ""),
        (trace.outcome, style_of(trace.outcome)),
    ]


def summary(trace: Trace) -> dict[str, Any]:
    """One trace as plain data: times in ISO 8601 (UTC), duration in seconds."""
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "start": trace.start.isoformat(),
        "duration_s": trace.duration,
        "outcome": trace.outcome,
        "complete": trace.complete,
        "spans": len(trace),
        "llm_calls": trace.outline.llm_calls,
        "tool_calls": sum(1 for _ in trace.outline.of_kind("tool")),
        "errors": len(trace.outline.errors),
        "models": trace.models,
        "session": trace.session_id,
        "usage": trace.usage.as_dict(),
        "cost": trace.cost.as_dict(),
    }


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number

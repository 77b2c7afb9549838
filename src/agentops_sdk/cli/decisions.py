"""``agentops decisions``: the story of a run, told by its decisions."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._pager import paged
from agentops_sdk.cli._source import add_source, add_trace, looked_at, screen, the_trace_among_others

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

    from agentops_sdk.traces.decisions.model import Decision

_MOST = 1_000

HELP = "Print the story of a run: what was decided, by whom, why, and what followed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trace(parser)
    parser.add_argument(
        "--all", action="store_true", help="look at every span and print everything, even for a very large run"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per decision")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the story."""
    from agentops_sdk.traces.decisions.approvals import answered_in, asked_in
    from agentops_sdk.traces.decisions.narrative import story
    from agentops_sdk.traces.display.terminal_text import line

    trace, traces = the_trace_among_others(args)
    if not args.all and trace.beginning is not trace:
        trace = trace.beginning
        print(f"agentops: {looked_at()}; --all looks at everything", file=sys.stderr)
    if args.json:
        for decision in trace.decisions:
            halves = {"asked_in": asked_in(decision, traces), "answered_in": answered_in(trace, decision, traces)}
            print(json.dumps({**_plain(decision), **{name: ids for name, ids in halves.items() if ids}}))
        return 0
    with paged() as file:
        console, width, _ = screen(100, file)
        console.print(f"{line(trace.name)} ({trace.outcome})", style="bold", markup=False, highlight=False)
        sentences = story(trace, traces)
        if not sentences:
            console.print("No decision was recorded in this run.", markup=False)
            return 0
        left_out = 0 if args.all else len(sentences) - _MOST
        if left_out > 0:
            del sentences[_MOST:]
        _print(console, width, sentences)
        if left_out > 0:
            console.print(f"{left_out:,} more sentences; --all prints them", style="dim")
    return 0


def _print(console: Console, width: int | None, sentences: list[str]) -> None:
    if width is None:
        for number, sentence in enumerate(sentences, 1):
            console.print(f"{number}. {sentence}")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1), expand=False)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for number, sentence in enumerate(sentences, 1):
        grid.add_row(f"{number}.", Text(sentence))
    console.print(Padding(grid, (0, 0)), width=width)


def _plain(decision: Decision) -> dict[str, Any]:
    return {
        "name": decision.name,
        "kind": decision.kind,
        "options": list(decision.options),
        "chosen": list(decision.choices),
        "reason": decision.reason,
        "confidence": decision.confidence,
        "by": decision.by,
        "by_name": decision.by_name,
        "policy": decision.policy,
        "model": decision.model,
        "forced": decision.forced,
        "unlisted": decision.unlisted,
        "waited": decision.waited,
        "prompt_fingerprint": decision.prompt_fingerprint,
        "span_id": decision.span.span_id,
        "followed_by": [
            {"span_id": span.span_id, "name": span.name, "outcome": span.outcome} for span in decision.followed_by
        ],
    }

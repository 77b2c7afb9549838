"""``agentops report``: one HTML page that shows runs, in one file that opens from anywhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_source, add_traces, shown, the_traces
from agentops_sdk.errors import AgentOpsError

if TYPE_CHECKING:
    import argparse

HELP = "Write a run as one HTML file: tree, messages, decisions, cost; it opens without a server or a network."

_MOST = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; - is stdout (default: TRACE.html)")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from agentops_sdk.report.page import html, save

    traces = the_traces(args, _MOST)
    if args.output == "-":
        sys.stdout.buffer.write(html(traces).encode())  # the page names its encoding; the terminal has its own
        return 0
    path = Path(args.output or f"{traces[0].trace_id[:8]}.html")
    try:
        with progress("writing", shown(path)):
            save(traces, path)
    except OSError as error:
        raise AgentOpsError(f"cannot write {shown(path)}: {error.strerror}") from error
    print(shown(path))
    return 0

"""``agentops report``: one HTML page that shows runs, in one file that opens from anywhere."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._filters import chosen
from agentops_sdk.cli._source import add_source, directory, reading, shown, the_trace
from agentops_sdk.errors import AgentOpsError

if TYPE_CHECKING:
    from agentops_sdk.traces.trace import Trace

HELP = "Write a run as one HTML file: tree, messages, decisions, cost; it opens without a server or a network."

_MOST = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "traces",
        nargs="*",
        metavar="TRACE",
        help="a trace id or its beginning, a file or a directory (its latest trace), or 'latest' (default; with "
        "filters, all that meet them)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; - is stdout (default: TRACE.html)")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from agentops_sdk.report.page import html, save

    if not args.traces and chosen(args):
        traces = _all_chosen(args)
    else:
        named = (_named(name, args) for name in args.traces or ["latest"])
        traces = list({trace.trace_id: trace for trace in named}.values())
    if args.output == "-":
        sys.stdout.buffer.write(html(traces).encode())  # the page names its encoding; the terminal has its own
        return 0
    path = Path(args.output or f"{traces[0].trace_id[:8]}.html")
    try:
        save(traces, path)
    except OSError as error:
        raise AgentOpsError(f"cannot write {shown(path)}: {error.strerror}") from error
    print(shown(path))
    return 0


def _named(name: str, args: argparse.Namespace) -> Trace:
    if name != "latest" and Path(name).is_dir():
        with reading(Path(name), args) as traces:
            return traces.latest
    return the_trace(argparse.Namespace(**{**vars(args), "trace": name}))


def _all_chosen(args: argparse.Namespace) -> list[Trace]:
    """Where filters are given and no trace is named: all that meet them, up to a number that a page can hold."""
    with reading(directory(args), args) as traces:
        if len(traces) > _MOST:
            print(f"agentops: {len(traces):,} runs meet the filters; the latest {_MOST} are shown", file=sys.stderr)
        return list(islice(traces, _MOST))

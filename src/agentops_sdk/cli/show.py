"""``agentops show``: one trace as a tree."""

from __future__ import annotations

import argparse

from agentops_sdk.cli._pager import paged
from agentops_sdk.cli._source import add_source, add_trace, screen, the_trace
from agentops_sdk.private_files import open_private
from agentops_sdk.report.backend_page import backend_page
from agentops_sdk.traces.display.terminal_text import line as safe

HELP = "Show one trace as a tree: agents, model calls, tools, decisions, tokens, cost, errors."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trace(parser)
    parser.add_argument("--messages", action="store_true", help="also show the messages")
    parser.add_argument("--internal", action="store_true", help="also show the internal steps of frameworks")
    parser.add_argument("--plumbing", dest="internal", action="store_true", help=argparse.SUPPRESS)  # of before
    parser.add_argument(
        "--all", action="store_true", help="show every span, alike or not, even of a trace with more than a thousand"
    )
    parser.add_argument("--depth", type=depth, metavar="N", help="show N levels; steps below them are counted")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the records, one per line")
    form.add_argument("--svg", metavar="FILE", help="write the tree as an SVG image to FILE")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the trace."""
    trace = the_trace(args)
    if args.json:
        for span in trace.spans:
            print(span.model_dump_json(exclude_unset=True))
        return 0
    from agentops_sdk.traces.display.render import Tree, svg

    if args.svg:
        with open(args.svg, "w", encoding="utf-8", opener=open_private) as file:
            file.write(svg(trace, messages=args.messages, whole=args.all))
        return 0
    with paged() as file:
        console, width, ascii_only = screen(120, file)
        tree = Tree(
            trace,
            width,
            ascii_only=ascii_only,
            messages=args.messages,
            internal=args.internal,
            whole=args.all,
            depth=args.depth,
            more="--all shows them" if args.depth is None else "without --depth, --all shows them",
        )
        for line in tree.lines():
            console.print(line)
        if trace.elsewhere is not None:  # the tree shows those that stand in it
            for each in trace.evaluations:
                comment = f": {safe(each.comment)}" if each.comment else ""
                console.print(f"{safe(each.name)} {safe(each.verdict)}{comment}", style="dim", markup=False)
        if url := backend_page(trace.trace_id):
            console.print(url, style="dim")
    return 0


def depth(text: str) -> int:
    """A number of levels, as an option's value."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be at least 0")
    return number

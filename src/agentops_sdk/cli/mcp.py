"""``agentops mcp``: a server of the Model Context Protocol for coding agents, over standard input and output."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir, followed, shown
from agentops_sdk.errors import AgentOpsError

if TYPE_CHECKING:
    import argparse

HELP = (
    "Serve traces to a coding agent (Model Context Protocol, stdio): list, search, show, explain, compare. Extra: mcp."
)
_LEAST = 2_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--content",
        action="store_true",
        help="also answer with what was recorded of messages, arguments, results and reasons: the model that asks "
        "gets to read it (default: names, figures, decisions and errors alone)",
    )
    parser.add_argument(
        "--max-chars", type=int, default=20_000, metavar="N", help="characters of one answer (default: 20,000)"
    )
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until the client closes standard input."""
    from agentops_sdk.errors import ConfigError

    if args.max_chars < _LEAST:
        raise ConfigError("--max-chars", args.max_chars, f"{_LEAST:,} or more")
    path = followed(args)
    try:
        from agentops_sdk.mcp_server.answers import Answers
        from agentops_sdk.mcp_server.protocol import server

        serving = server(Answers(path, content=args.content, most=args.max_chars))
    except ImportError as error:
        raise AgentOpsError(f'{error.name} is missing: pip install "agentops-recorder[mcp]"') from None
    what = "with content" if args.content else "without content; --content shows it"
    print(f"agentops: serving {shown(path)} over stdio, {what}. The client's end ends it.", file=sys.stderr)
    # The library closes what it writes to; the command line flushes its own afterwards.
    own, sys.stdout = sys.stdout, os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    try:
        serving.run()
    finally:
        sys.stdout = own
    return 0

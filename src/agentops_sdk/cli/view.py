"""``agentops view``: a local page over a directory of traces."""

from __future__ import annotations

import secrets
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from agentops_sdk.cli._filters import add_filters, chosen
from agentops_sdk.cli._source import add_dir, place, shown, stored
from agentops_sdk.errors import AgentOpsError

if TYPE_CHECKING:
    import argparse

HELP = "Serve local pages: runs, live, each as its report, two side by side, sessions, stats, trends. Extra: view."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=0, help="the port (default: a free one)")
    add_dir(parser)
    add_filters(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    try:
        import uvicorn

        from agentops_sdk.store.address import is_stored
        from agentops_sdk.traces.files import Traces
        from agentops_sdk.traces.places import load
        from agentops_sdk.traces.search.filters import conditions
        from agentops_sdk.view import application
    except ImportError as error:
        raise AgentOpsError(f'{error.name} is missing: pip install "agentops-recorder[view]"') from None
    filters = chosen(args)
    conditions(filters)  # what is wrong with one is said here, not on the page
    path, token = place(args), secrets.token_urlsafe(24)
    words = {name: "true" if value is True else value for name, value in filters.items()}
    try:
        family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
        listener = socket.create_server((args.host, args.port), family=family)
    except (OSError, OverflowError) as error:
        raise AgentOpsError(f"cannot listen on {args.host}:{args.port}: {error}") from error
    port = listener.getsockname()[1]
    name = f"[{args.host}]" if ":" in args.host else args.host
    print(f"http://{name}:{port}/?{urlencode({**words, 'token': token}, doseq=True)}", flush=True)
    in_store = is_stored(path)
    missing = "" if in_store or (isinstance(path, Path) and path.exists()) else " (nothing is there yet)"
    print(f"agentops: showing {shown(path)}{missing}; who has this address can read it. Ctrl-C ends.", file=sys.stderr)

    def asked() -> Traces:
        # A directory of Parquet that has got a file of feedback is no store any more.
        return stored(path) or (load(path) if isinstance(path, Path) and path.is_dir() else Traces())

    settings = uvicorn.Config(
        application(
            path if isinstance(path, Path) else None,
            token=token,
            host=args.host,
            stored=asked if in_store else None,
        ),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    with listener:
        uvicorn.Server(settings).run(sockets=[listener])
    return 0

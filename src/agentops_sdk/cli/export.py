"""``agentops export``: runs in the form that another program reads."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_source, add_traces, base_directory, shown, the_traces
from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.traces.advance import advancing
from agentops_sdk.traces.exports import form, name_of_ending, names

if TYPE_CHECKING:
    import argparse

HELP = "Write runs as Markdown, JSON, OTLP, Chrome trace events (Perfetto) or Parquet."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--as", dest="form", choices=names(), default=None,
        help="the form (default: what the ending of FILE says; with --user: json)",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; - is stdout (default: TRACE.SUFFIX)")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file and print its path."""
    from pathlib import Path

    users = list(args.user or ())
    name = args.form or name_of_ending(args.output or "") or ("json" if users else None)
    if name is None:
        endings = ", ".join(f"{name} ({form(name).SUFFIX})" for name in names())
        raise ConfigError("--as", None, f"one of {endings}, or a FILE that ends so")
    if users:
        from agentops_sdk.cli.erase import ids_of_user

        if pattern := next((user for user in users if "*" in user), None):
            raise ConfigError("--user", pattern, "the id of one person, whose data it gives out; * would be many")
        args.user = list(dict.fromkeys(name for user in users for name in ids_of_user(user)))
    written = form(name)
    traces = the_traces(args)
    if users:
        from agentops_sdk.cli.erase import tell

        args.user = users
        tell("export", args, base_directory(args), {"traces": len(traces)})
    if args.output == "-":
        written.write(traces, sys.stdout.buffer)
        return 0
    path = Path(args.output or f"{traces[0].trace_id[:8]}{written.SUFFIX}")
    try:
        with (
            open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file,
            progress("writing", shown(path)),
        ):
            written.write(advancing(traces), file)
    except OSError as error:
        raise AgentOpsError(f"cannot write {shown(path)}: {error.strerror}") from error
    except AgentOpsError:
        path.unlink(missing_ok=True)
        raise
    print(shown(path))
    return 0

"""``agentops export``: runs in the form that another program reads."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Final

from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_source, add_traces, base_directory, place, reading, shown, tell_of, the_traces
from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.private_files import open_private
from agentops_sdk.traces.advance import advancing
from agentops_sdk.traces.exports import form, name_of_ending, names

HELP = "Write runs as Markdown, JSON, OTLP, Chrome trace events (Perfetto) or Parquet."
_HASH: Final = re.compile(r"\[[a-z_]+:[0-9a-f]{16}\]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--as", dest="form", choices=names(), default=None,
        help="the form (default: what the ending of FILE says; with --user: json)",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; - is stdout (default: TRACE.SUFFIX)")
    add_source(parser)


def _tell_of_hashes(args: argparse.Namespace) -> None:
    """Say so where users are hashes and there is no key: some of them may be who was asked for."""
    everybody = argparse.Namespace(**{**vars(args), "user": None})
    with reading(place(args), everybody) as traces:
        count = sum(_HASH.fullmatch(trace.user_id or "") is not None for trace in traces)
    if count:
        sentence = f"{count:,} run(s) of users whose ids were recorded as hashes: without pii_key nobody knows whose"
        tell_of([sentence], (), args)


def run(args: argparse.Namespace) -> int:
    """Write the file and print its path; 1 where there may be more that could not be read."""
    from pathlib import Path

    users = list(args.user or ())
    name = args.form or name_of_ending(args.output or "") or ("json" if users else None)
    if name is None:
        endings = ", ".join(form(name).SUFFIX for name in names())
        expected = f"a FILE that ends in one of {endings}; or --as with one of {', '.join(names())}"
        raise ConfigError("--output", args.output, expected)
    if users:
        from agentops_sdk.cli.erase import ids_of_user

        if pattern := next((user for user in users if "*" in user), None):
            raise ConfigError("--user", pattern, "the id of one person, whose data it gives out; * would be many")
        ids = list(dict.fromkeys(name for user in users for name in ids_of_user(user)))
        if len(ids) == len(set(users)):
            _tell_of_hashes(args)
        args.user = ids
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
            open(path, "wb", opener=open_private) as file,
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

"""``agentops run``: start a program as it is, and record what its agents do."""

from __future__ import annotations

import argparse
import os
import sys

HELP = "Run a program with recording on, without changing it: a Python file, -m MODULE, or an installed command."

PROGRAM_ONLY = True
"""Every word behind ``run`` is the program's."""

_USAGE = """agentops run FILE.py [ARGUMENT ...]
       agentops run -m MODULE [ARGUMENT ...]
       agentops run COMMAND [ARGUMENT ...]"""
_ABOUT = """\
The program is what it is without us: its process, exit code, signals, sys.argv
and sys.path. Recorded is what agentops.init() without arguments would record;
settings come from the environment and from files. What the program starts in
its turn is recorded too: reloaders, workers, spawned processes. Words that
begin with - and stand before the program are options of Python."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the help says; the words themselves are taken as they are."""
    parser.usage, parser.epilog = _USAGE, _ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("program", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Become the program; returns only where that cannot be done: 2 wrong usage, 126 it cannot be started."""
    from agentops_sdk._auto_instrumentation.command import command, environment, replace_process

    words: list[str] = args.program
    if words[:1] in (["-h"], ["--help"]):
        parser = argparse.ArgumentParser(description=HELP)
        add_arguments(parser)
        parser.print_help()
        return 0
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        print(f"usage: {_USAGE}", file=sys.stderr)
        return 2
    arguments = command(words)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        replace_process(arguments, environment(words, os.environ))
    except OSError as error:
        print(f"agentops: cannot start {words[0]}: {error.strerror}", file=sys.stderr)
        return 126

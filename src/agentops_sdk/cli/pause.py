"""``agentops pause``: stop an agent in every process that writes to a folder."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir, base_directory, directory, shown
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.display.terminal_text import line as safe

if TYPE_CHECKING:
    import argparse

HELP = "Stop an agent before its next step, in every process of the folder; without a name, list what is paused."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_whose(parser)
    parser.add_argument("--reason", metavar="TEXT", default="", help="shown in the error that the program gets")
    add_dir(parser)


def add_whose(parser: argparse.ArgumentParser) -> None:
    """Declare how an agent is named."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("agent", metavar="AGENT", nargs="?", help="its name")
    whose.add_argument("--all", action="store_true", help="everything")


def run(args: argparse.Namespace) -> int:
    """Pause it, or list what is paused."""
    return switch("pause", args, args.reason)


def switch(action: str, args: argparse.Namespace, reason: str) -> int:
    """Pause or resume what was named, and write it into the audit log."""
    from agentops_sdk._audit import audit_log
    from agentops_sdk._limits.pause_folder import PauseFolder
    from agentops_sdk.config import inspect

    base = base_directory(args).absolute()
    folder = PauseFolder(base)
    agent = "" if args.all else args.agent
    if not agent and not args.all:
        paused = sorted(folder.found().items())
        for name, why in paused:
            print(safe(f"{name or 'everything'}: {why}" if why else name or "everything"))
        if not paused:
            print(f"agentops: nothing is paused in {shown(base)}", file=sys.stderr)
        return 0
    settings = inspect()[0]
    if action == "pause":
        folder.pause(agent, audit_log.scrubbed(reason))
    elif not folder.resume(agent):
        print(safe(f"agentops: {agent or 'everything'} is not paused in {shown(base)}"), file=sys.stderr)
        return 1
    about = {"agent": agent or None, "reason": reason, "everywhere": True}
    audit_log.record(action, audit_log.login(), about, base, settings.audit_key)
    print(safe(f"{agent or 'everything'}: {action}d"), flush=True)
    if action == "pause" and agent and agent not in (names := _seen(args)):
        near = get_close_matches(agent, names, 3)
        meant = f": did you mean {', '.join(near)}?" if near else ""
        print(safe(f"agentops: no agent of that name was ever seen here{meant}"), file=sys.stderr)
    return 0


def _seen(args: argparse.Namespace) -> list[str]:
    """The names of all agents in the folder's traces, after the pause holds: it may take a moment to read them."""
    from agentops_sdk.traces.figures.agents_seen import agents_in
    from agentops_sdk.traces.places import load

    try:
        return [agent.name for agent in agents_in(load(directory(args)))]
    except TraceError:
        return []

"""``agentops resume``: let go on what ``agentops pause`` has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir
from agentops_sdk.cli.pause import add_whose, switch

if TYPE_CHECKING:
    import argparse

HELP = "Let a paused agent go on, in every process of the folder; without a name, list what is paused."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_whose(parser)
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Resume it, or list what is paused."""
    return switch("resume", args, "")

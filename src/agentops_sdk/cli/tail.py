"""``agentops tail``: steps as they start and end, in every process that writes here."""

from __future__ import annotations

import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._filters import add_filters, chosen
from agentops_sdk.cli._source import Unopened, add_dir, followed, screen
from agentops_sdk.traces.search.filter_values import seconds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import Console

    from agentops_sdk.traces.display.step_lines import StepLines
    from agentops_sdk.traces.follower import Event

HELP = "Follow what happens: steps as they start and end, and in a terminal what is running, with its age."
_PAUSE = 0.25
_RUNNING = 10
_OWN = ("errors", "since")  # of steps, not of runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--since", metavar="AGE", help="begin with what ended within the last AGE, such as 10m (default: from now on)"
    )
    parser.add_argument("--seconds", metavar="N", help="stop after N seconds (default: at Ctrl-C)")
    parser.add_argument("--errors", action="store_true", help="only steps that did not end well")
    parser.add_argument("--json", action="store_true", help="print the records of steps that ended, one per line")
    add_dir(parser)
    add_filters(parser, without=_OWN)


def run(args: argparse.Namespace) -> int:
    """Follow until stopped."""
    from agentops_sdk.traces.display.step_lines import StepLines
    from agentops_sdk.traces.follower import Follower
    from agentops_sdk.traces.search.chosen_events import ChosenEvents

    events = ChosenEvents(chosen(args, without=_OWN))
    end = time.monotonic() + seconds("--seconds", args.seconds) if args.seconds else None
    oldest = time.time() - seconds("--since", args.since) if args.since else None
    follower = Follower(followed(args, waits=True), since=oldest)
    unopened = Unopened(follower)
    console, width, ascii_only = screen()
    lines = StepLines(ascii_only=ascii_only)
    with _status(console, lines, shown=width is not None and not args.json):
        while True:
            for event in events.of(follower.events()):
                if oldest is None or event.record.end_ns >= oldest * 1e9:
                    _print(args, console, lines, event)
            sys.stdout.flush()
            unopened.tell()
            if end is not None and time.monotonic() >= end:
                return unopened.code
            time.sleep(_PAUSE)


def _print(args: argparse.Namespace, console: Console, lines: StepLines, event: Event) -> None:
    record = event.record
    text = lines.started(record) if event.kind == "started" else lines.ended(record)
    if args.errors and (event.kind == "started" or record.outcome == "ok"):
        return
    if not args.json:
        console.print(text)
    elif event.kind == "ended":
        print(record.model_dump_json(exclude_unset=True))


def _status(console: Console, lines: StepLines, *, shown: bool) -> Any:
    """In a terminal, what is running, below all that is printed; nothing elsewhere."""
    from contextlib import nullcontext

    if not shown:
        return nullcontext()
    from rich.live import Live

    class Running:
        def __rich_console__(self, *_: Any) -> Iterator[Any]:
            yield from islice(lines.running(), _RUNNING)

    return Live(Running(), console=console, refresh_per_second=2, transient=True, vertical_overflow="crop")

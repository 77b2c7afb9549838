"""``agentops top``: what runs now, and what each agent, model and tool does per minute."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.cli._filters import add_filters, chosen
from agentops_sdk.cli._source import Unopened, add_dir, followed, screen
from agentops_sdk.cli._table import Column, as_table
from agentops_sdk.cli.ls import positive
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.search.filter_values import seconds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from agentops_sdk.traces.figures.table_rows import Row
    from agentops_sdk.traces.follower import Follower
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.search.chosen_events import ChosenEvents

HELP = "Watch what runs: agents with their age; calls, errors, tokens and cost per minute by agent, model and tool."
_BY = ("agent", "model", "tool")
_MOST = 50_000
_FEWEST = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--window", default="1m", metavar="AGE", help="what is counted: the last AGE (default: 1m)")
    parser.add_argument("--interval", default="1s", metavar="AGE", help="time between two looks (default: 1s)")
    parser.add_argument("-n", "--frames", type=positive, metavar="N", help="stop after N looks (default: at Ctrl-C)")
    add_dir(parser)
    add_filters(parser)


def run(args: argparse.Namespace) -> int:
    """Watch until stopped."""
    from agentops_sdk.traces.follower import Follower
    from agentops_sdk.traces.search.chosen_events import ChosenEvents

    window, interval = seconds("--window", args.window), seconds("--interval", args.interval)
    if not window or not interval:
        raise ConfigError("--interval" if window else "--window", 0, "more than 0 seconds")
    follower = Follower(followed(args, waits=True), since=time.time() - window)
    now = Now(follower, window, ChosenEvents(chosen(args)))
    unopened = Unopened(follower)
    console, width, ascii_only = screen()
    if width is None or not console.is_terminal:
        for number in _frames(args.frames, interval):
            now.look()
            if number:
                print()
            for text in now.lines(None, None, ascii_only):
                console.print(text)
            sys.stdout.flush()
            unopened.tell()
        return unopened.code
    from rich.console import Group
    from rich.live import Live

    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        for _ in _frames(args.frames, interval):
            now.look()
            size = console.size  # as it is now: a terminal may be resized at any time
            live.update(Group(*now.lines(size.width, size.height - 1, ascii_only)), refresh=True)
    unopened.tell()  # no earlier: the picture would hide it
    return unopened.code


def _frames(count: int | None, interval: float) -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
        if number == count:
            return
        time.sleep(interval)


class Running(NamedTuple):
    """A run that has not ended: its outermost step that is known, and the one that began last."""

    first: SpanRecord
    last: SpanRecord
    ascii_only: bool

    @property
    def age(self) -> str:
        age = max(0, time.time_ns() - self.first.start_ns) / 1e9
        return number_format.duration(age, ascii_only=self.ascii_only)


class Rate(NamedTuple):
    """What a row of the figures comes to in a minute."""

    row: Row
    minutes: float
    ascii_only: bool

    def tokens(self) -> str:
        return number_format.all_tokens(self.row.usage, minutes=self.minutes, ascii_only=self.ascii_only)

    def money(self) -> str:
        from agentops_sdk.traces.cost import Cost

        cost, minutes = self.row.cost, _decimal(self.minutes)
        rate = Cost(
            cost.amount / minutes,
            cost.currency,
            estimated=cost.estimated / minutes,
            known=cost.known,
            unknowns=cost.unknowns,
        )
        return number_format.cost(rate, ascii_only=self.ascii_only)


def _decimal(number: float) -> Any:
    from decimal import Decimal

    return Decimal(str(number))


RUNNING: Final[Sequence[Column[Running]]] = (
    Column("running", lambda row: (row.first.name, "bold"), shrink=2),
    Column("for", lambda row: (row.age, "yellow"), right=True),
    Column("at", lambda row: (row.last.name if row.last is not row.first else "", ""), shrink=1),
    Column("trace", lambda row: (row.first.trace_id[:8], "dim"), drop=1),
)  # fmt: skip
RATES: Final[Sequence[Column[Rate]]] = (
    Column("calls/min", lambda rate: (f"{rate.row.calls / rate.minutes:,.1f}", ""), right=True),
    Column("err", lambda rate: (f"{rate.row.errors:,}", "bold red") if rate.row.errors else ("-", "dim"), right=True),
    Column("p50", lambda rate: (number_format.duration(rate.row.percentile(50)), ""), right=True, drop=1),
    Column("tokens/min", lambda rate: (rate.tokens(), ""), right=True),
    Column("cost/min", lambda rate: (rate.money(), ""), right=True),
)  # fmt: skip


class Now:
    """What is running, and what has ended within the window. Bounded: of more than that, the latest."""

    def __init__(self, follower: Follower, window: float, chosen_events: ChosenEvents) -> None:
        self._follower = follower
        self._chosen_events = chosen_events
        self._window = window
        self._ended: deque[SpanRecord] = deque(maxlen=_MOST)
        self._running: dict[str, SpanRecord] = {}

    def look(self) -> None:
        """Take up what has happened."""
        for event in self._chosen_events.of(self._follower.events()):
            if event.kind == "started":
                self._running[event.record.span_id] = event.record
            else:
                self._running.pop(event.record.span_id, None)
                self._ended.append(event.record)
        oldest = time.time_ns() - self._window * 1e9
        self._ended = deque((record for record in self._ended if record.end_ns >= oldest), _MOST)

    def lines(self, width: int | None, height: int | None, ascii_only: bool) -> Iterator[Text]:
        """The picture, at most ``height`` lines."""
        from rich.text import Text

        from agentops_sdk.traces.figures.tables import stats
        from agentops_sdk.traces.places import load

        runs = list(self._runs(ascii_only))
        traces = load(self._whole())
        tables = [stats(traces, by) for by in _BY]
        minutes = self._window / 60
        calls = tables[_BY.index("model")].total
        total = Rate(calls, minutes, ascii_only)
        facts = (
            f"{len(runs):,} running", f"{calls.calls / minutes:,.1f} calls/min", f"{calls.errors:,} failed",
            f"{total.tokens() or 0} tokens/min", f"{total.money() or '$0'}/min",
        )  # fmt: skip
        head = Text("agentops top ", "bold").append(time.strftime("%H:%M:%S UTC", time.gmtime()), "not bold dim")
        yield head.append("  " + "  ".join(facts), "not bold")
        shown = [table for table in tables if any(_counts(row) for row in table.rows)]
        most = None if height is None else max(_FEWEST, (height - 1) // (len(shown) + 1) - 2)
        if runs:
            yield Text()
            yield from as_table(RUNNING, runs[:most], width, ascii_only)
            if most is not None and len(runs) > most:
                yield Text(f"{len(runs) - most:,} more", "dim")
        for table in shown:
            key: Column[Rate] = Column(table.by, lambda rate: (line(rate.row.key), "bold"), shrink=1)
            rates = [Rate(row, minutes, ascii_only) for row in table.rows if _counts(row)]
            yield Text()
            yield from as_table([key, *RATES], rates[:most], width, ascii_only)

    def _whole(self) -> Iterator[SpanRecord]:
        """What has ended, as if nothing were missing above it: what is still running there is no call that was lost."""
        ids = {record.span_id for record in self._ended}
        for record in self._ended:
            has_all = record.parent_id is None or record.parent_id in ids
            yield record if has_all else record.model_copy(update={"parent_id": None, "flags": 0})

    def _runs(self, ascii_only: bool) -> Iterator[Running]:
        by_trace: dict[str, list[SpanRecord]] = {}
        for record in self._running.values():
            by_trace.setdefault(record.trace_id, []).append(record)
        for records in sorted(by_trace.values(), key=lambda records: min(record.start_ns for record in records)):
            ordered = sorted(records, key=lambda record: record.start_ns)
            yield Running(ordered[0], ordered[-1], ascii_only)


def _counts(row: Row) -> bool:
    return bool(row.calls) and not row.key.startswith("(no ")

"""``agentops sessions``: conversations that took several runs."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from agentops_sdk.cli._pager import paged
from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.cli._table import Column, add_columns, as_data, as_table, choose
from agentops_sdk.cli.ls import positive
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from agentops_sdk.traces.session import Session
    from agentops_sdk.traces.trace import Trace

HELP = "List sessions (several runs as one conversation), or show one: what was asked and answered, run by run."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("id", nargs="?", metavar="SESSION", help="show this session, or 'latest' (default: list them)")
    parser.add_argument(
        "-n", "--limit", type=positive, default=20, help="number of sessions, latest first (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per session, or per run of the one")
    add_columns(parser)
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or the session."""
    from agentops_sdk.traces.session import sessions

    if args.id not in (None, "latest") and args.session is None:
        args.session = [args.id]
    columns = choose(COLUMNS, args.columns)
    with reading(place(args), args) as traces:
        with progress("adding up", f"{len(traces):,} runs"):
            every = sessions(traces.runs)
        if not every:
            raise TraceError("no run names a session: set one by agentops_sdk.context(session_id=...)")
        if args.id is not None:
            _show(every[0], args)
            return 0
        rows = [Listed(session) for session in islice(every, args.limit)]
    if args.json:
        for row in rows:
            print(json.dumps(as_data(columns, row)))
        return 0
    console, width, ascii_only = screen()
    for text in as_table(columns, [row._replace(ascii_only=ascii_only) for row in rows], width, ascii_only):
        console.print(text)
    if len(every) > len(rows):
        console.print(f"{len(every) - len(rows):,} more; -n shows more", style="dim")
    return 0


def _show(session: Session, args: argparse.Namespace) -> None:
    from agentops_sdk.traces.session import exchange

    if args.json:
        for trace in session.traces:
            asked, answered = exchange(trace)
            about = {"trace_id": trace.trace_id, "start": trace.start.isoformat(), "outcome": trace.outcome}
            print(json.dumps({**about, "cost": trace.cost.as_dict(), "asked": asked, "answered": answered}))
        return
    with paged() as file:
        console, width, ascii_only = screen(100, file)
        for text in _lines(session, ascii_only):
            console.print(text, width=width, soft_wrap=width is None)


def _lines(session: Session, ascii_only: bool) -> Iterator[Text]:
    from rich.text import Text

    from agentops_sdk.traces.session import exchange

    row = Listed(session, ascii_only)
    facts = (f"{len(session)} run(s)", row.tokens and f"{row.tokens} tokens", row.money)
    head = Text(f"session {line(session.session_id)}", "bold")
    yield head.append(f"  {'  '.join(filter(None, (*facts, *map(line, session.users))))}", "dim not bold")
    for trace in session.traces:
        yield Text()
        yield _about(trace, ascii_only)
        asked, answered = exchange(trace)
        for who, said in (("user", asked), ("agent", answered)):
            if said:
                yield Text(f"{who}: ", "bold").append(block(said), "not bold")


def _about(trace: Trace, ascii_only: bool) -> Text:
    from rich.text import Text

    from agentops_sdk.traces.display.render import style_of

    text = Text(f"{trace.start:%Y-%m-%d %H:%M:%S}  {line(trace.name)}  ", "dim")
    text.append(trace.outcome, style_of(trace.outcome))
    took = number_format.duration(trace.duration, at_least=bool(trace.outline.open), ascii_only=ascii_only)
    money = number_format.cost(trace.sums[1], ascii_only=ascii_only)
    return text.append("".join(f"  {fact}" for fact in (took, money, trace.trace_id[:8]) if fact), "dim")


class Listed(NamedTuple):
    """A session in the list, and whether it is shown in ASCII."""

    session: Session
    ascii_only: bool = False

    @property
    def tokens(self) -> str:
        return number_format.all_tokens(self.session.usage, ascii_only=self.ascii_only)

    @property
    def money(self) -> str:
        return number_format.cost(self.session.cost, ascii_only=self.ascii_only)

    @property
    def outcome(self) -> tuple[str, str]:
        from agentops_sdk.traces.display.render import style_of

        return self.session.outcome, style_of(self.session.outcome)


COLUMNS: Final[Sequence[Column[Listed]]] = (
    Column("session", lambda row: (row.session.session_id, "bold"), "session", lambda row: row.session.session_id,
           shrink=2),
    Column("last run (UTC)", lambda row: (f"{row.session.traces[-1].start:%m-%d %H:%M}", "dim")),
    Column(key="start", value=lambda row: row.session.start.isoformat()),
    Column(key="end", value=lambda row: row.session.end.isoformat()),
    Column("user", lambda row: (", ".join(row.session.users), ""), "users", lambda row: row.session.users, shrink=1),
    Column("runs", lambda row: (f"{len(row.session):,}", ""), "runs", lambda row: len(row.session), right=True),
    Column("failed", lambda row: (str(row.session.failed or ""), "bold red"), "failed", lambda row: row.session.failed,
           right=True),
    Column("tokens", lambda row: (row.tokens, ""), "usage", lambda row: row.session.usage.as_dict(), right=True),
    Column("cost", lambda row: (row.money, ""), "cost", lambda row: row.session.cost.as_dict(), right=True),
    Column("outcome", lambda row: row.outcome, "outcome", lambda row: row.session.outcome, bare=True),
    Column(key="trace_ids", value=lambda row: [trace.trace_id for trace in row.session.traces]),
)  # fmt: skip
"""The list, as a table and as JSON. To add a column, add a row."""

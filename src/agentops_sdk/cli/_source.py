"""Where the traces come from and which are chosen: the options that every reading command shares.

Long because each option is one line of help and one of what it chooses.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._filters import add_filters, asked_for, chosen
from agentops_sdk.cli._progress import progress
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.follower import Follower
    from agentops_sdk.traces.trace import Trace

BASE = ".agentops"


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add ``--dir`` and the filters."""
    add_dir(parser)
    add_filters(parser)


def add_dir(parser: argparse.ArgumentParser) -> None:
    """Add ``--dir`` and ``--from``."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="PLACE",
        help="a directory, a file, *.parquet, or clickhouse://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE",
    )
    parser.add_argument(
        "--dir",
        metavar="PATH",
        help=f"a directory with traces, or a trace file (default: $AGENTOPS_DIR, else ./{BASE})",
    )
    parser.add_argument(
        "--encryption-key",
        metavar="SOURCE",
        help="where the encryption key of the files is kept: env:NAME or file:PATH (default: the setting's)",
    )


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Add the positional ``TRACE`` that :func:`the_trace` reads."""
    parser.add_argument(
        "trace",
        nargs="?",
        default="latest",
        metavar="TRACE",
        help="a trace id or a prefix of one, a file (its latest trace), or 'latest' (default)",
    )


def add_traces(parser: argparse.ArgumentParser) -> None:
    """Add the positional ``TRACE ...`` that :func:`the_traces` reads."""
    parser.add_argument(
        "traces",
        nargs="*",
        metavar="TRACE",
        help="a trace id or its beginning, a file or a directory (its latest trace), or 'latest' (default; with "
        "filters, all that meet them)",
    )


def the_trace(args: argparse.Namespace) -> Trace:
    """The trace that ``TRACE`` names.

    Raises:
        TraceError: there is none, or the beginning of its id is not unique.
    """
    return the_trace_among_others(args)[0]


def the_trace_among_others(args: argparse.Namespace) -> tuple[Trace, Traces]:
    """The trace that ``TRACE`` names, and all that lie where it does.

    Raises:
        TraceError: there is none, or the beginning of its id is not unique.
    """
    path = Path(args.trace)
    if args.trace != "latest" and path.is_file():
        with reading(path, args) as traces:
            return traces.latest, traces
    with reading(place(args), args) as traces:
        return traces.get(args.trace), traces


def the_traces(args: argparse.Namespace, most: int | None = None) -> Sequence[Trace]:
    """Every trace that ``args.traces`` names, each once; where none is named, the latest, or all that meet the filters.

    Args:
        args: what was asked for.
        most: of those that meet the filters, the latest; that others are left out is said on stderr.

    Raises:
        TraceError: there is none.
    """
    if args.traces or not chosen(args):
        named = (_named(name, args) for name in args.traces or ["latest"])
        return list({trace.trace_id: trace for trace in named}.values())
    with reading(place(args), args) as traces:
        if most is not None and len(traces) > most:
            print(f"agentops: {len(traces):,} runs meet the filters; the latest {most} are shown", file=sys.stderr)
        return list(islice(traces, most))


def _named(name: str, args: argparse.Namespace) -> Trace:
    if name != "latest" and Path(name).is_dir():
        with reading(Path(name), args) as traces:
            return traces.latest
    args.trace = name
    return the_trace(args)


def base_directory(args: argparse.Namespace) -> Path:
    """``--from`` or ``--dir``, else where a program that starts here would write: the setting ``directory``."""
    from agentops_sdk.config import inspect

    given = getattr(args, "source", None) or args.dir
    return Path(given).expanduser() if given else Path(inspect()[0].directory)


def own_directory(args: argparse.Namespace) -> Path:
    """:func:`base_directory`, or of a server the directory of this machine."""
    from agentops_sdk.config import inspect

    return Path(inspect()[0].directory) if isinstance(place(args), str) else base_directory(args)


def place(args: argparse.Namespace) -> Path | str:
    """What to read: the address of a server, or else :func:`directory`.

    Raises:
        ConfigError: it is the address of something that is not known.
    """
    address = getattr(args, "source", None) or args.dir or ""
    if "://" not in address:
        return directory(args)
    from agentops_sdk.store.address import is_address

    if not is_address(address):
        raise ConfigError("--from", address, "a directory, a file, *.parquet, or clickhouse://HOST/DATABASE")
    return str(address)


def followed(args: argparse.Namespace, *, waits: bool = False) -> Path:
    """A place whose files are followed as they grow.

    Args:
        args: of the command line.
        waits: whether the command waits for a place that is not there yet, which stderr then says.

    Raises:
        ConfigError: it is the address of a server.
    """
    where = place(args)
    if isinstance(where, str):
        raise ConfigError("--from", shown(where), "a directory or file: what grows there is followed")
    if waits and not where.exists():
        print(f"agentops: {shown(where)} does not exist yet: waiting for it", file=sys.stderr)
    return where


class Unopened:
    """Says on stderr, once, that what is followed holds lines that are encrypted and cannot be opened."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._is_said = False

    def tell(self) -> None:
        """Look whether there were some by now."""
        if self._follower.sealed is not None and not self._is_said:
            self._is_said = True
            print(f"agentops: lines are left out: {self._follower.sealed}", file=sys.stderr)

    @property
    def code(self) -> int:
        """The exit code: 1 where something was left out."""
        return int(self._is_said)


def directory(args: argparse.Namespace) -> Path:
    """The place to read: ``traces`` below :func:`base_directory`.

    A directory without a folder ``traces``, or a file, is read itself.
    """
    base = base_directory(args)
    return base / "traces" if (base / "traces").is_dir() or base == Path(BASE) else base


@contextmanager
def reading(path: Path | str, args: argparse.Namespace, attributes: Iterable[str] = ()) -> Iterator[Traces]:
    """Load a place, insist that something is there, and say on stderr at the end what was skipped.

    Args:
        path: of a directory or file, or the address of a server.
        args: which traces, see :mod:`agentops_sdk.cli._filters`.
        attributes: that are asked for of many spans.

    Raises:
        ConfigError: a filter is wrong.
        TraceError: nothing is there, or nothing that meets the filters.
    """
    from agentops_sdk.traces.places import load
    from agentops_sdk.traces.search.filters import attributes_of

    filters = chosen(args)
    asked = (*attributes, *attributes_of(filters)) if filters else attributes

    if isinstance(path, Path) and not path.exists() and "*" not in path.name:
        raise TraceError(f"{shown(path)} does not exist: no traces yet? (--dir or AGENTOPS_DIR set another directory)")
    with few_collections(), progress("reading", shown(path)):
        traces = stored(path, asked) or load(path, attributes=asked)
    try:
        if not traces:
            raise TraceError(f"no traces in {shown(path)}")
        if filters:
            count = len(traces)
            with progress("searching", f"{count:,} runs"):
                traces = traces.where(**filters)
            if not traces:
                raise TraceError(f"of {count:,} run(s) in {shown(path)} none meets {line(asked_for(filters))}")
        with few_collections():
            yield traces
        sys.stdout.flush()
    finally:
        report(traces, args)


@contextmanager
def few_collections() -> Iterator[None]:
    """For the length of a block, look for garbage in circles a hundredth as often: what is read makes hardly any."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def stored(path: Path | str, attributes: Iterable[str] = ()) -> Traces | None:
    """The runs of a server or of Parquet, which are not read before they are asked for; ``None`` of other files."""
    if isinstance(path, Path) and not path.is_dir() and path.suffix != ".parquet":
        return None
    from agentops_sdk.store.address import is_stored, open_store

    if not is_stored(path):
        return None
    from agentops_sdk.store.stored_traces import StoredTraces

    return StoredTraces(open_store(path), attributes)


def looked_at() -> str:
    """What is to be said of a very large run."""
    from agentops_sdk.traces import trace

    return f"decisions and loops were looked for in the first {trace.LARGE:,} spans alone"


def report(traces: Traces, args: argparse.Namespace) -> None:
    """Say on stderr which lines were skipped or left out and why; what was not read makes the exit code 1."""
    tell_of(traces.not_read, traces.notes, args)
    for path in traces.foreign_files:
        name = traces.named.get(path)
        print(f"agentops: {shown(path)} holds no span records{f': {name}' if name else ''}", file=sys.stderr)
    if traces.torn:
        print(f"agentops: {traces.torn} torn line(s) skipped", file=sys.stderr)
    if traces.foreign:
        print(f"agentops: {traces.foreign} unrecognised line(s) or span(s) skipped", file=sys.stderr)


def tell_of(not_read: Iterable[str], notes: Iterable[str], args: argparse.Namespace) -> None:
    """Say on stderr what was not read, and what else is to be said; ``args.not_read`` gathers the former."""
    args.not_read = list(dict.fromkeys((*getattr(args, "not_read", ()), *not_read)))
    for remark in dict.fromkeys((*not_read, *notes)):
        print(f"agentops: {line(remark)}", file=sys.stderr)


def shown(path: Path | str) -> str:
    """A path that is safe to print; of an address what is no secret."""
    if isinstance(path, str):
        from agentops_sdk.addresses import without_secrets

        path = without_secrets(path)
    return line(str(path))


def screen(most: int = 140, file: TextIO | None = None) -> tuple[Console, int | None, bool]:
    """The console on stdout or what stands in its place, its width in cells, and whether only ASCII can be shown.

    The width is ``most`` at most, and ``None`` where a program reads: nothing is cut for a pipe or a
    file, and nothing is padded.
    """
    from agentops_sdk.traces.display.render import console_for

    console = console_for(file)
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    try:
        read_by_a_program = not os.isatty(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):  # no real file: a notebook, a test
        read_by_a_program = False
    return console, None if read_by_a_program else min(console.width, most), not encoding.startswith("utf")

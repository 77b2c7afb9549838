"""``agentops watch``: alerts over a folder of traces or a fleet's spans, also of programs that know nothing of them."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import sys
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk.cli._other_spans import OtherSpans
from agentops_sdk.cli._source import add_dir, own_directory, place, shown
from agentops_sdk.encryption import opened_line
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk._alerts.notice import Notice
    from agentops_sdk._alerts.told_file import ToldFile
    from agentops_sdk.alert_rules import AlertRule

HELP = "Evaluate the alert rules of a file over a folder of traces, and notify whom they name."

_LATE = 120 * 10**9  # nanoseconds by which a span may reach a server after it has ended
_RUNS = 500
_MOST_KNOWN = 1_000_000
_BEFORE = 60.0  # seconds; what was over for longer when a first watch begins is told to nobody
_DEATH = 10.0  # seconds; a process shows that it lives more often
_MOST_BYTES = 16 * 1024 * 1024  # that are read of one file in one go


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rules", metavar="RULES", help="a TOML file with tables [[alert]]")
    parser.add_argument(
        "--once",
        action="store_true",
        help="look at what is there and end: 0 if nothing fires, 1 if anything does, 2 if it cannot be read",
    )
    parser.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS", help="seconds between looks (default: 2)"
    )
    parser.add_argument("--json", action="store_true", help="print each alert as one JSON object")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Watch until interrupted, or look once."""
    try:
        return _watch(args)
    except (TraceError, OSError) as error:
        if not args.once or isinstance(error, BrokenPipeError):
            raise
        # 1 says that something fires.
        print(f"agentops: {error}", file=sys.stderr)
        return 2


def _watch(args: argparse.Namespace) -> int:
    from agentops_sdk._alerts.engine import Engine
    from agentops_sdk._alerts.notice_delivery import Delivery
    from agentops_sdk.alert_rules import from_file

    rules, where = from_file(args.rules), place(args)
    if isinstance(where, Path) and not where.exists() and args.once:
        raise TraceError(f"{shown(where)} does not exist")
    own = own_directory(args)
    folder = (own.parent if own.is_file() else own) / "alerts"
    memory = _remembered(None if args.once else folder / f"watch-{_name(args.rules)}")
    begun = now = time.time()
    # A first watch tells nothing of what was over before it began; one that looks once tells everything.
    since = 0.0 if args.once else memory.looked - _DEATH if memory.looked else begun - _BEFORE
    source = _source(where, 0.0 if args.once else memory.looked or begun, everything=args.once)
    fired: list[str] = []

    def tell(rule: AlertRule, notice: Notice) -> None:
        if notice.state == "firing":
            fired.append(notice.id)
        print(json.dumps(notice.as_dict()) if args.json else notice.text, flush=True)
        targets = tuple(target for target in rule.then if target != "log")  # it has been printed
        delivery.put(dataclasses.replace(rule, then=targets), notice)

    def keep() -> None:
        _keep(memory, now)

    engine = Engine(rules, tell, told=memory.told, since=since, begun=begun)
    delivery = Delivery(rules, folder, keep=keep)
    if not args.once:
        with guard("alerts.spool"):
            delivery.adopt(engine.has_told)
    while True:
        now, newest = time.time(), 0.0
        for seen in sorted(source.observations(), key=lambda each: each.at):
            newest = max(newest, seen.at)
            engine.observe(seen)
        # What is there is judged by its own times, what is silent or over by the clock.
        engine.tick(newest if args.once else time.time())
        delivery.work(last=args.once)
        if args.once:
            return 1 if fired else 0
        keep()
        sys.stdout.flush()
        time.sleep(max(0.05, args.every))


def _source(where: Path | str, looked: float, *, everything: bool) -> _Folder | _Stored:
    if isinstance(where, Path) and where.suffix != ".parquet":
        return _Folder(where, everything)
    return _Stored(where, looked)


def _name(rules: str) -> str:
    return hashlib.sha256(os.fsencode(Path(rules).resolve())).hexdigest()[:16]


def _remembered(path: Path | None) -> ToldFile:
    """What an earlier watch has told, by its file; ``None`` remembers nothing."""
    from agentops_sdk._alerts.told_file import ToldFile

    memory = ToldFile(path)
    try:
        memory.read()
    except (OSError, ValueError, TypeError):
        print(f"agentops: {shown(path) if path else ''} cannot be read; it is written anew", file=sys.stderr)
    return memory


def _keep(memory: ToldFile, now: float) -> None:
    try:
        memory.keep(now)
    except OSError as error:
        if memory.path is not None:
            print(f"agentops: {shown(memory.path)} cannot be written: {error.strerror}", file=sys.stderr)
        memory.path = None


class _Stored:
    """The spans of a store that have ended since it was last looked at, by whoever did so before."""

    def __init__(self, where: Path | str, looked: float) -> None:
        from agentops_sdk.store.address import open_store

        self._store = open_store(where)
        self._since = max(0, int(looked * 1e9) - _LATE)
        self._known: OrderedDict[str, None] = OrderedDict()

    def observations(self) -> Iterator[Any]:
        from agentops_sdk._alerts.observation import of_fields

        query = f"SELECT trace_id, max(end_ns) FROM spans WHERE end_ns > {self._since} GROUP BY trace_id"  # noqa: S608 - a number
        ended = list(self._store.query(query).rows)
        since, ids = self._since, [str(trace_id) for trace_id, _ in ended]
        for first in range(0, len(ids), _RUNS):
            for line in self._store.lines(ids[first : first + _RUNS]):
                record = json.loads(line)
                if record["end_ns"] > since and record["span_id"] not in self._known:
                    self._known[record["span_id"]] = None
                    yield of_fields(record)
        # A collector hands over its batches late, and not in order.
        self._since = max([self._since, *(int(end) - _LATE for _, end in ended)])
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


class _Folder:
    """The spans of a folder's files that have not been read before, and the runs in it that nobody will end."""

    def __init__(self, place: Path, everything: bool) -> None:
        self._place = place
        self._everything = everything
        self._offsets: dict[str, int] = {}
        self._open: dict[Path, list[dict[str, Any]]] = {}
        """Lines about spans that had not ended, by the file of the process that they are of."""
        self._dead: set[Path] = set()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._foreign: set[Path] = set()
        self._others = OtherSpans()

    def observations(self) -> Iterator[Any]:
        from agentops_sdk._alerts.observation import of_fields

        paths = sorted(self._place.rglob("*.jsonl*")) if self._place.is_dir() else [self._place]
        # First what was open, then what has ended: who is dead by then, and has not said so, never will.
        marked = [path for path in paths if path.suffix == ".open" and path not in self._dead]
        for path in marked:
            self._open.setdefault(path, []).extend(
                raw
                for raw in self._new(path)
                if raw.get("outcome") == "running" and isinstance(raw.get("trace_id"), str)
            )
        for path in self._open.keys() - marked:  # all of it has ended
            del self._open[path]
        for path in paths:
            for raw in self._new(path) if path.suffix == ".jsonl" else ():
                try:
                    seen = of_fields(raw)
                except (KeyError, TypeError, ValueError, AttributeError):
                    if "trace_id" not in raw:
                        self._foreign.add(path)  # no line of ours
                    continue
                self._ended[str(raw.get("span_id"))] = None
                yield seen
        for path in self._others.files(self._place, self._offsets, self._foreign):
            for raw in self._others.new(path):
                if raw["outcome"] not in ("running", "unfinished"):
                    yield of_fields(raw)
        while len(self._ended) > _MOST_KNOWN:
            self._ended.popitem(last=False)
        for path in marked:
            yield from self._unfinished(path)

    def _unfinished(self, path: Path) -> Iterator[Any]:
        """One observation for each run that a process had open when it was gone."""
        from agentops_sdk._alerts.observation import of_fields
        from agentops_sdk.traces.formats.parse import as_records

        raws = self._open[path]
        try:
            changed = path.stat().st_mtime
            if not raws or next(iter(as_records(raws[-1], path))).outcome != "unfinished":
                return
        except (OSError, ValueError):
            return
        self._dead.add(path)
        runs: dict[str, Any] = {}
        known = set(self._ended)
        for raw in self._open.pop(path):
            with suppress(ValueError):
                for record in as_records(raw, path):
                    is_top = record.parent_id is None or record.parent_id not in known
                    known.add(record.span_id)
                    if is_top and record.span_id not in self._ended:
                        runs.setdefault(record.trace_id, record)
        for record in runs.values():
            # Its line was written when it had begun; the file was last touched when the process still lived.
            seen = of_fields(record.model_dump(mode="python"))
            yield seen._replace(at=max(seen.at, changed), outermost=True)

    def _new(self, path: Path) -> Iterator[dict[str, Any]]:
        """What was written since it was read last, line by line."""
        more = True
        while more:
            start = self._offsets.get(str(path), 0)
            try:
                if path.stat().st_size <= start:
                    return
                with path.open("rb") as file:
                    file.seek(start)
                    data = file.read(_MOST_BYTES)
            except OSError:
                return
            whole = data[: data.rfind(b"\n") + 1]  # the last line may still be being written
            self._offsets[str(path)] = start + len(whole)
            more = self._everything and bool(whole)
            for line in whole.splitlines():
                try:
                    raw = json.loads(opened_line(line))
                except ValueError:
                    continue
                if isinstance(raw, dict):
                    yield raw

"""``agentops watch``: alerts over a folder of traces or a fleet's spans, also of programs that know nothing of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_dir, own_directory, place, shown
from agentops_sdk.encryption import opened_line
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk._alerts.notice import Notice
    from agentops_sdk.alert_rules import AlertRule

HELP = "Watch a folder of traces by the rules of a file, and tell whoever they say."

_LATE = 120 * 10**9  # nanoseconds by which a span may reach a server after it has ended
_RUNS = 500
_MOST_KNOWN = 1_000_000
_MOST_BYTES = 16 * 1024 * 1024  # that are read of one file in one go


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rules", metavar="RULES", help="a TOML file with tables [[alert]]")
    parser.add_argument("--once", action="store_true", help="look at what is there and end; 1 if anything fires")
    parser.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS", help="seconds between looks (default: 2)"
    )
    parser.add_argument("--json", action="store_true", help="print each alert as one JSON object")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Watch until interrupted."""
    from agentops_sdk._alerts.engine import Engine
    from agentops_sdk._alerts.notice_delivery import Delivery
    from agentops_sdk.alert_rules import from_file

    rules, where = from_file(args.rules), place(args)
    if isinstance(where, Path) and not where.exists() and args.once:
        raise TraceError(f"{shown(where)} does not exist")
    source = _Folder(where) if isinstance(where, Path) and where.suffix != ".parquet" else _Stored(where, args.once)
    delivery = Delivery(rules, own_directory(args) / "alerts")
    fired: list[str] = []

    def tell(rule: AlertRule, notice: Notice) -> None:
        if notice.state == "firing":
            fired.append(notice.id)
        print(json.dumps(notice.as_dict()) if args.json else notice.text, flush=True)
        targets = [target for target in rule.then if target != "log"]  # it has been printed
        if targets:
            delivery.put(rule, notice)

    engine = Engine(rules, tell)
    while True:
        newest = 0.0
        for seen in sorted(source.observations(), key=lambda each: each.at):
            newest = max(newest, seen.at)
            engine.observe(seen)
        # What is there is judged by its own times, what is silent or over by the clock.
        engine.tick(newest if args.once else time.time())
        delivery.work(last=args.once)
        if args.once:
            return 1 if fired else 0
        sys.stdout.flush()
        time.sleep(max(0.05, args.every))


class _Stored:
    """The spans of a store that have ended since the last look."""

    def __init__(self, where: Path | str, everything: bool) -> None:
        from agentops_sdk.store.address import open_store

        self._store = open_store(where)
        self._since = 0 if everything else time.time_ns() - _LATE
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
    """The lines of a folder's files that have not been read before, and the runs in it that nobody will end."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._offsets: dict[Path, int] = {}
        self._unfinished: set[str] = set()

    def observations(self) -> Iterator[Any]:
        from agentops_sdk._alerts.observation import of_fields

        for path in sorted(self._place.rglob("*.jsonl*")) if self._place.is_dir() else [self._place]:
            for record in self._records(path):
                try:
                    seen = of_fields(record)
                except (KeyError, TypeError, ValueError, AttributeError):
                    continue  # no span record
                if seen.outcome == "unfinished":
                    if seen.trace_id in self._unfinished:
                        continue
                    self._unfinished.add(seen.trace_id)
                elif seen.outcome == "running":
                    continue
                yield seen

    def _records(self, path: Path) -> Iterator[dict[str, Any]]:
        from agentops_sdk.traces.formats.parse import as_records

        if path.suffix not in (".jsonl", ".open"):
            return
        for line in self._lines(path, again=path.suffix == ".open"):
            try:
                raw = json.loads(opened_line(line))
            except ValueError:
                continue
            if isinstance(raw, dict) and raw.get("outcome") == "running":
                for record in as_records(raw, path):
                    yield record.model_dump(mode="python")
            elif isinstance(raw, dict):
                yield raw

    def _lines(self, path: Path, *, again: bool) -> list[bytes]:
        start = 0 if again else self._offsets.get(path, 0)
        try:
            with path.open("rb") as file:
                file.seek(start)
                data = file.read(_MOST_BYTES)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]  # the last line may still be being written
        self._offsets[path] = start + len(whole)
        return whole.splitlines()

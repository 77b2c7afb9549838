"""``agentops watch``: alerts over a folder of traces, also of programs that know nothing of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_dir, base_directory, directory, shown
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk._alerts.notice import Notice
    from agentops_sdk.alert_rules import AlertRule

HELP = "Watch a folder of traces by the rules of a file, and tell whoever they say."

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

    rules, place = from_file(args.rules), directory(args)
    if not place.exists() and args.once:
        raise TraceError(f"{shown(place)} does not exist")
    delivery = Delivery(rules, base_directory(args) / "alerts")
    fired: list[str] = []

    def tell(rule: AlertRule, notice: Notice) -> None:
        if notice.state == "firing":
            fired.append(notice.id)
        print(json.dumps(notice.as_dict()) if args.json else notice.text, flush=True)
        targets = [target for target in rule.then if target != "log"]  # it has been printed
        if targets:
            delivery.put(rule, notice)

    engine = Engine(rules, tell)
    folder = _Folder(place)
    while True:
        newest = 0.0
        for seen in sorted(folder.observations(), key=lambda each: each.at):
            newest = max(newest, seen.at)
            engine.observe(seen)
        # What is there is judged by its own times, what is silent or over by the clock.
        engine.tick(newest if args.once else time.time())
        delivery.work(last=args.once)
        if args.once:
            return 1 if fired else 0
        sys.stdout.flush()
        time.sleep(max(0.05, args.every))


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
                raw = json.loads(line)
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

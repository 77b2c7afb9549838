"""``agentops ship``: send what is left: spools that dead processes left behind, or JSONL files."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import base_directory
from agentops_sdk.cli._spools import ITEMS, look, signal_of
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.exporters.otlp import OTLPExporter

HELP = "Send to an OTLP backend what it has not received yet: spans waiting in a spool on disk, or JSONL files."
_CHUNK = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="PATH", help="JSONL files or directories to send (default: the spool)"
    )
    parser.add_argument("--to", metavar="URL", help="the endpoint (default: from OTEL_EXPORTER_OTLP_*)")
    parser.add_argument("--dir", metavar="PATH", help="the .agentops directory (default: $AGENTOPS_DIR)")
    parser.add_argument("--all", action="store_true", help="also send spools of other endpoints to this one")
    parser.add_argument("--refused", action="store_true", help="retry what a backend has refused")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="when to give up (default: 60)")


def run(args: argparse.Namespace) -> int:
    """Send; 0 when nothing is left, 1 when something is."""
    from agentops_sdk.exporters.otlp import OTLPExporter
    from agentops_sdk.exporters.otlp.destination import SIGNALS, Endpoint

    if args.timeout <= 0:
        raise ConfigError("--timeout", args.timeout, "seconds above 0")
    spool = base_directory(args) / "spool"
    deadline = time.monotonic() + args.timeout
    code, own = 0, set()
    for signal in SIGNALS:
        sink = OTLPExporter(Endpoint.resolve(args.to, signal=signal), directory=spool, max_age=10 * 365 * 86_400.0)
        assert sink.folder is not None
        own.add(sink.folder)
        if signal != "traces" and (args.files or not _spools(spool, sink.folder, signal, everything=args.all)):
            sink.shutdown(0.0)
            continue
        unsendable = 0
        if args.files:
            unsendable = _submit(sink, args.files)
        else:
            _gather(sink, spool, signal, everything=args.all, refused=args.refused)
        while time.monotonic() < deadline and not sink.force_flush(int((deadline - time.monotonic()) * 1000) + 1):
            if sink.stats()["failing"] >= 3:
                break
            time.sleep(0.3)
        sink.shutdown(0.0)
        for remark in sink.remarks:
            print(f"agentops: {remark}", file=sys.stderr)
        code = _report(sink, signal) or (1 if unsendable else 0) or code
    if not args.files and not args.all:
        _tell_of_others(folder for folder in _directories(spool) if folder not in own)
    return code


def _tell_of_others(folders: Iterable[Path]) -> None:
    """Name the spools of other addresses, of which a program may know in its code alone."""
    for folder in folders:
        items, waiting, owned, held, _ = look(folder)
        if waiting:
            how = "--to with its address sends them there, --all here"
            print(f"agentops: {waiting} {items} wait in {line(str(folder))}: {how}", file=sys.stderr)
        if held:
            how = f"{owned} live processes deliver them"
            print(f"agentops: {held} {items} wait in {line(str(folder))}: {how}", file=sys.stderr)


def _spools(spool: Path, own: Path, signal: str, *, everything: bool) -> list[Path]:
    """Directories of a signal that may hold something: that of this endpoint, or all of them."""
    return [folder for folder in _directories(spool) if folder == own or (everything and signal_of(folder) == signal)]


def _directories(spool: Path) -> list[Path]:
    return [folder for folder in sorted(spool.iterdir()) if folder.is_dir()] if spool.is_dir() else []


def _report(sink: OTLPExporter, signal: str) -> int:
    stats = sink.stats()
    adopted = stats["adopted"]
    sent, left = stats["exported"] + adopted["exported"], stats["pending"] + adopted["pending"]
    lost = sum(stats["dropped"].values()) + sum(adopted["dropped"].values())
    print(f"{sent} {ITEMS[signal]} sent to {stats['endpoint']}" + (f", {left} left in the spool" if left else ""))
    if lost:
        reasons = {**stats["dropped"], **adopted["dropped"]}
        print(f"agentops: {lost} not accepted ({', '.join(reasons)}): {stats['last_error']}", file=sys.stderr)
    elif left:
        print(f"agentops: {stats['last_error'] or 'time limit reached'}", file=sys.stderr)
    return 1 if left or lost else 0


def _gather(sink: OTLPExporter, spool: Path, signal: str, *, everything: bool, refused: bool) -> None:
    """Take over what dead processes left, without waiting for the sink's own round."""
    from agentops_sdk.exporters.otlp.run_directory import REFUSED

    assert sink.folder is not None
    sink.adopt()
    others = _spools(spool, sink.folder, signal, everything=everything)
    for folder in others:
        if folder != sink.folder:
            sink.adopt(folder)
    if refused:
        for folder in {sink.folder, *others}:
            for path in sorted((folder / REFUSED).glob("*.seg")):
                try:
                    sink.take_file(path)
                except (OSError, ValueError) as error:
                    print(f"agentops: {path}: {error}, left where it is", file=sys.stderr)


def _submit(sink: OTLPExporter, paths: list[Path]) -> int:
    """Hand over the records of files, which stay what they are; the number of spans that no request can hold."""
    from agentops_sdk.traces.formats.wire_values import UNENCODABLE
    from agentops_sdk.traces.otlp import to_otlp
    from agentops_sdk.traces.places import load

    unsendable = 0
    for trace in (trace for path in paths for trace in load(path)):
        records = [record for record in trace if record.ended]
        parts = [records[start : start + _CHUNK] for start in range(0, len(records), _CHUNK)]
        while parts:
            part = parts.pop()
            try:
                sink.submit(to_otlp(part).SerializeToString(), len(part))
            except UNENCODABLE as error:
                if len(part) > 1:
                    parts += [part[len(part) // 2 :], part[: len(part) // 2]]
                else:
                    unsendable += 1
                    problem = f"{type(error).__name__}: {line(str(error), 200)}"
                    print(f"agentops: span {part[0].span_id} cannot be sent ({problem})", file=sys.stderr)
    return unsendable

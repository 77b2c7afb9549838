"""Takes content out of closed trace files that are old enough; figures, names, times and outcomes stay."""

from __future__ import annotations

import gzip
import re
import time
from pathlib import Path
from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk.encryption import DamagedError, SealedError, opened_line
from agentops_sdk.exporters._event_records import log_records
from agentops_sdk.exporters.jsonl.rewriting import rewrite_lines
from agentops_sdk.exporters.jsonl.run_files import claimed, is_own_name
from agentops_sdk.traces.formats.parquet_lines import parquet_lines

__all__ = ["expire", "without_content"]

_MARK: Final = f'"{semconv.CONTENT_EXPIRED}":true'.encode()
_SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".parquet")
_FLIGHT: Final = re.compile(r"\d{8}T\d{6}-[a-z0-9-]*-\d+-\d+\.jsonl")
_TEXTS: Final = frozenset((*semconv.CONTENT, semconv.EXCEPTION_MESSAGE, semconv.EXCEPTION_STACKTRACE))


def expire(directory: Path, max_age: float, *, packed: bool = False) -> list[Path]:
    """Take the content out of every closed file of ours that was last written more than ``max_age`` seconds ago.

    Also of the flight recorder's beside them.

    Args:
        directory: of the files.
        max_age: in seconds.
        packed: also out of those that :mod:`agentops_sdk.store.compaction` has packed. Not in a program of the user's:
            an interpreter that ends while DuckDB works on another thread aborts.

    Raises:
        AgentOpsError: something is packed, and DuckDB is not installed.
        OSError: a file cannot be written; it is as it was.
        TraceError: a packed file cannot be read.
    """
    oldest = time.time() - max_age
    done: list[Path] = []
    flights = [path for path in (directory.parent / "flights").glob("*.jsonl") if _FLIGHT.fullmatch(path.name)]
    ours = [path for path in directory.iterdir() if is_own_name(path) and path.name.endswith(_SUFFIXES[: 2 + packed])]
    for path in sorted((*ours, *flights)):
        try:
            due = path.stat().st_mtime < oldest and not _is_done(path)
        except OSError:
            continue  # another process tidies as well
        if due:
            with claimed(path) as claim:
                if claim is not None and _expired(path):
                    done.append(path)
    return done


def _expired(path: Path) -> bool:
    if path.suffix != ".parquet":
        rewrite_lines(path, without_content)
        return True
    from agentops_sdk.store.compaction import pack, restore

    lines = restore(path).path
    if lines == path:
        return False  # no file that we have made
    rewrite_lines(lines, without_content)  # a kill before the end leaves these, for the next process
    pack(lines)
    return True


def without_content(line: bytes) -> bytes:
    """A line of a trace file without what people and models wrote; one that is no record goes as it is."""
    try:
        record = orjson.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    _strip(record)
    for event in log_records(record):
        _strip(event)
    for event in record.get("events") or ():
        if isinstance(event, dict):
            _strip(event)
    if record.get("status_message"):
        record["status_message"] = ""
    record.setdefault("attributes", {})[semconv.CONTENT_EXPIRED] = True
    return orjson.dumps(record) + b"\n"


def _strip(holder: dict[str, Any]) -> None:
    attributes = holder.get("attributes")
    if isinstance(attributes, dict):
        holder["attributes"] = {name: value for name, value in attributes.items() if name not in _TEXTS}
    elif isinstance(attributes, list):  # of an event in OTLP's JSON
        holder["attributes"] = [pair for pair in attributes if not (type(pair) is dict and pair.get("key") in _TEXTS)]


def _is_done(path: Path) -> bool:
    if path.suffix == ".parquet":
        return _MARK in next(iter(parquet_lines(path)), _MARK)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            return _MARK in opened_line(file.readline(16_777_216))
        except (SealedError, DamagedError):
            return True  # nothing can be done about it here

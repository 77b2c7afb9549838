"""Takes content out of what is old enough below a directory; figures, names, times and outcomes stay.

Closed trace files, those of the flight recorder and of replayed runs, results of experiments, and the local page's
feedback, of which each line has an age of its own.
"""

from __future__ import annotations

import gzip
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk.encryption import DamagedError, SealedError, opened_line
from agentops_sdk.exporters._event_records import log_records
from agentops_sdk.exporters.jsonl.rewriting import overwrite_lines, rewrite_lines
from agentops_sdk.exporters.jsonl.run_files import claimed, is_own_name
from agentops_sdk.traces.formats.parquet_lines import parquet_lines

__all__ = ["expire", "without_content"]

_MARK: Final = f'"{semconv.CONTENT_EXPIRED}":true'.encode()
_SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".parquet")
_EXPERIMENTS: Final = "experiments"
_FEEDBACK: Final = "feedback.jsonl"
_BESIDE: Final = (
    ("flights", "", re.compile(r"\d{8}T\d{6}-[a-z0-9-]*-\d+-\d+\.jsonl")),
    ("replays", "", re.compile(r"[0-9a-f]{8}-\d+\.jsonl")),
    (_EXPERIMENTS, "*/", re.compile(r".+\.jsonl")),
)
"""Folders beside the traces, the folders in them, and the names of their files."""
_TEXTS: Final = frozenset((*semconv.CONTENT, semconv.EXCEPTION_MESSAGE, semconv.EXCEPTION_STACKTRACE))


def expire(directory: Path, max_age: float, *, packed: bool = False, unopened: list[Path] | None = None) -> list[Path]:
    """Take the content out of every closed file of ours that was last written more than ``max_age`` seconds ago.

    Also of those of the flight recorder, of replays and of experiments beside them; out of feedback line by line.

    Args:
        directory: of the trace files.
        max_age: in seconds.
        packed: also out of those that :mod:`agentops_sdk.store.compaction` has packed. Not in a program of the user's:
            an interpreter that ends while DuckDB works on another thread aborts.
        unopened: gathers what is old enough and cannot be opened: it keeps its content.

    Raises:
        AgentOpsError: something is packed, and DuckDB is not installed.
        OSError: a file cannot be written; it is as it was.
        TraceError: a packed file cannot be read.
    """
    oldest = time.time() - max_age
    done: list[Path] = []
    beside = directory.parent
    others = [path for name, folders, form in _BESIDE for path in (beside / name).glob(f"{folders}*.jsonl")
              if form.fullmatch(path.name)]  # fmt: skip
    ours = [path for path in directory.iterdir() if is_own_name(path) and path.name.endswith(_SUFFIXES[: 2 + packed])]
    for path in sorted((*ours, *others)):
        try:
            due = path.stat().st_mtime < oldest and not _is_done(path)
        except OSError:
            continue  # another process tidies as well
        except (SealedError, DamagedError):
            if unopened is not None:
                unopened.append(path)
            continue
        if due:
            with claimed(path) as claim:
                if claim is not None and _expired(path):
                    done.append(path)
    feedback = directory / _FEEDBACK
    if feedback.is_file() and overwrite_lines(feedback, lambda line: _without_comment(line, oldest * 1e9)):
        done.append(feedback)
    return done


def _expired(path: Path) -> bool:
    if path.suffix != ".parquet":
        rewrite_lines(path, _without_results if path.parent.parent.name == _EXPERIMENTS else without_content)
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
    record = _record(line)
    if record is None:
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


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _without_results(line: bytes) -> bytes:
    """A line of an experiment's results as it is written where content is not captured."""
    record = _record(line)
    if record is None:
        return line
    record |= {name: None for name in ("input", "expected", "output") if name in record}
    if isinstance(record.get("metadata"), dict):
        record["metadata"] = {}
    if isinstance(record.get("error"), str):
        record["error"] = record["error"].partition(":")[0]
    if isinstance(scores := record.get("scores"), dict):
        kept = {name: score for name, score in scores.items() if isinstance(score, dict)}
        record["scores"] = {
            name: {key: value for key, value in score.items() if key not in ("label", "comment")}
            for name, score in kept.items()
        }
    return orjson.dumps({**record, semconv.CONTENT_EXPIRED: True}) + b"\n"


def _without_comment(line: bytes, oldest_ns: float) -> bytes:
    """A verdict of the local page without its comment, where it was given before then; one is no longer after it."""
    if semconv.EVALUATION_EXPLANATION.encode() not in line:
        return line
    try:
        record = orjson.loads(line)
        given = max(event["time_ns"] for event in record["events"])
    except (ValueError, KeyError, TypeError):
        return line
    if given >= oldest_ns:
        return line
    for holder in (record, *record["events"]):
        _strip(holder)
    return orjson.dumps(record) + b"\n"


def _strip(holder: dict[str, Any]) -> None:
    attributes = holder.get("attributes")
    if isinstance(attributes, dict):
        holder["attributes"] = {name: value for name, value in attributes.items() if name not in _TEXTS}
    elif isinstance(attributes, list):  # of an event in OTLP's JSON
        holder["attributes"] = [pair for pair in attributes if not (type(pair) is dict and pair.get("key") in _TEXTS)]


def _is_done(path: Path) -> bool:
    """Whether there is no content any more.

    Raises:
        DamagedError: its line is cut.
        SealedError: it is encrypted, and there is no key for it.
    """
    if path.suffix == ".parquet":
        return _MARK in next(iter(parquet_lines(path)), _MARK)
    if path.parent.parent.name == _EXPERIMENTS:  # one that is resumed goes on behind what has expired
        for line in reversed(list(filter(bytes.strip, path.read_bytes().splitlines()))):
            with suppress(DamagedError):  # cut off by a kill
                return _MARK in opened_line(line + b"\n")
        return True
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return _MARK in opened_line(file.readline(16_777_216))

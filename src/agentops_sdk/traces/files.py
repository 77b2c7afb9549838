"""From files to traces: an index of every line first, records only of the traces that are looked at."""

from __future__ import annotations

import gzip
import os
import re
import time
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.background_work import BackgroundWork
from agentops_sdk.traces.process_identity import is_locked
from agentops_sdk.traces.reading import as_records, looks_like_record
from agentops_sdk.traces.record import SpanRecord
from agentops_sdk.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Place = tuple[Path, int, int]  # file, offset, length: where a line can be read again

SUFFIXES: Final = (".jsonl", ".jsonl.gz")
OPEN_SUFFIX: Final = ".jsonl.open"
"""Of the file in which a process tells what it has open."""
LATEST: Final = "latest"
_FRESH: Final = 3.0
"""Seconds after which the outermost span of a run that goes on is on disk for certain."""
_WRITER = re.compile(r"-(\d+)-[0-9a-f]{8}\.jsonl")
_OURS = re.compile(rb'^\{"v":\d')


@dataclass(slots=True)
class _Entry:
    """What is known of a trace before its records are made."""

    start_ns: int
    lines: list[Place | bytes | SpanRecord] = field(default_factory=list)


class Traces:
    """Many traces, latest first. Records are read and checked only when a trace is looked at.

    ``traces["4bf9"]`` finds by the beginning of a trace id, ``traces["latest"]`` by time, ``traces[0]`` by
    position. ``torn`` counts lines that were cut off while being written, ``foreign`` lines that hold
    no span; both are skipped.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._order: list[str] | None = None
        # By a graph's checkpoint: the traces that stopped at it, and those that went on from it, each once.
        self._stopped: dict[str, dict[str, None]] = {}
        self._resumed: dict[str, dict[str, None]] = {}
        self._background = BackgroundWork()
        self.files: list[Path] = []
        self.torn = 0
        self.foreign = 0
        self.foreign_files: list[Path] = []
        """Files that hold lines but not one span."""

    @property
    def ids(self) -> list[str]:
        """Trace ids, latest first by the start of their first span."""
        if self._order is None:
            self._order = sorted(self._entries, key=lambda key: (-self._entries[key].start_ns, key))
        return self._order

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Trace]:
        for trace_id in self.ids:
            made = self._trace(trace_id)
            if made is not None:
                yield made

    def __repr__(self) -> str:
        return f"<{len(self):,} traces>"

    def _repr_html_(self) -> str:
        from agentops_sdk.traces.notebook import of_traces

        return of_traces(self)

    def __contains__(self, trace_id: object) -> bool:
        return trace_id in self._entries

    def __getitem__(self, key: str | int) -> Trace:
        if isinstance(key, int):
            return self.get(self.ids[key])
        return self.get(key)

    def get(self, wanted: str = LATEST) -> Trace:
        """The trace with this id, the beginning of one, or ``latest``.

        Raises:
            TraceError: no such trace, or several begin like that.
        """
        if not self._entries:
            raise TraceError("no traces here")
        if wanted == LATEST:
            found = [self.ids[0]]
        else:
            found = [key for key in self.ids if key.startswith(wanted.lower())] if wanted else []
        if not found:
            raise TraceError(f"no trace begins with {wanted!r}; {len(self)} are here, the latest is {self.ids[0]}")
        if len(found) > 1:
            raise TraceError(f"{len(found)} traces begin with {wanted!r}: {', '.join(found[:4])}")
        made = self._trace(found[0])
        if made is None:
            raise TraceError(f"trace {found[0]} holds no valid span")
        return made

    @property
    def latest(self) -> Trace:
        """The trace that started last."""
        return self.get(LATEST)

    def stopped_at(self, checkpoint: str) -> list[str]:
        """Ids of the traces in which a graph ended at this checkpoint: to ask a person, or because it was done."""
        return list(self._stopped.get(checkpoint, ()))

    def resumed_from(self, checkpoint: str) -> list[str]:
        """Ids of the traces in which a graph went on from this checkpoint."""
        return list(self._resumed.get(checkpoint, ()))

    def records(self, trace_id: str) -> Iterator[SpanRecord]:
        """The records of one trace, in file order; a line that turns out not to hold a span counts as foreign."""
        import orjson

        with ExitStack() as opened:
            handles: dict[Path, BinaryIO] = {}
            for line in self._entries[trace_id].lines:
                if isinstance(line, SpanRecord):
                    yield line
                    continue
                raw = line if isinstance(line, bytes) else _read_again(line, handles, opened)
                try:
                    yield from as_records(orjson.loads(raw), line[0] if isinstance(line, tuple) else None)
                except ValueError:
                    self.foreign += 1

    def _trace(self, trace_id: str) -> Trace | None:
        records = list(self.records(trace_id))
        if not records:
            return None
        trace = Trace(records, missing="unfinished", background=self._background)
        if trace.orphans and time.time_ns() - trace.end_ns < _FRESH * 1e9 and self._is_written(trace_id):
            return Trace(
                records, missing="running", background=self._background
            )  # its outermost span is too young to be on disk
        return trace

    def _is_written(self, trace_id: str) -> bool:
        files = {line[0] for line in self._entries[trace_id].lines if isinstance(line, tuple)}
        return any(is_locked(file) for file in files)

    def _add(self, raw: dict[str, Any], line: Place | bytes | SpanRecord) -> None:
        start: int = raw["start_ns"]
        entry = self._entries.get(raw["trace_id"])
        if entry is None:
            entry = self._entries[raw["trace_id"]] = _Entry(start)
        elif start < entry.start_ns:
            entry.start_ns = start
        entry.lines.append(line)
        self._order = None
        attributes = raw.get("attributes")
        if type(attributes) is dict:
            self._background.add(attributes, str(raw.get("span_id")), start)
        if type(attributes) is dict and semconv.GRAPH_CHECKPOINT_ID in attributes:
            stopped = self._stopped.setdefault(str(attributes[semconv.GRAPH_CHECKPOINT_ID]), {})
            stopped[raw["trace_id"]] = None
        if type(attributes) is dict and semconv.GRAPH_RESUMED_FROM in attributes:
            resumed = self._resumed.setdefault(str(attributes[semconv.GRAPH_RESUMED_FROM]), {})
            resumed[raw["trace_id"]] = None

    def add_record(self, record: SpanRecord) -> None:
        """Add one record that is already in memory."""
        about = {name: getattr(record, name) for name in ("trace_id", "span_id", "start_ns", "attributes")}
        self._add(about, record)

    def add_line(self, line: bytes, place: Place | None = None) -> bool:
        """Add one line of a file; blank lines are nothing, torn and foreign ones are counted. True if a span."""
        import orjson

        if not line.strip():
            return False
        try:
            raw = orjson.loads(line)
        except orjson.JSONDecodeError:
            if _OURS.match(line) or (not line.endswith(b"\n") and line.startswith(b"{")):
                self.torn += 1
            else:
                self.foreign += 1
            return False
        if looks_like_record(raw):
            self._add(raw, place if place is not None else line)
            return True
        if isinstance(raw, dict) and isinstance(raw.get("resourceSpans"), list):
            return self._add_otlp(raw)
        self.foreign += 1
        return False

    def _add_otlp(self, raw: dict[str, Any]) -> bool:
        """One line as the OpenTelemetry Collector's file exporter writes it."""
        from google.protobuf.json_format import ParseError

        from agentops_sdk.traces.otlp import from_otlp_json

        try:
            records = list(from_otlp_json(raw))
        except (ParseError, ValueError, AttributeError, TypeError):
            self.foreign += 1
            return False
        for record in records:
            self.add_record(record)
        return bool(records)

    def add_open_file(self, path: Path) -> None:
        """Add the spans that a process has open, as things stand now. The file goes once nothing is open any more."""
        import orjson

        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            return
        self.files.append(path)
        opened: list[dict[str, Any]] = []
        seen_ns = 0  # the last sign of life
        for line in lines:
            try:
                raw = orjson.loads(line)
            except ValueError:
                self.torn += 1
                continue
            if looks_like_record(raw):
                opened.append(raw)
            elif isinstance(raw, dict) and type(raw.get("seen_ns")) is int:
                seen_ns = max(seen_ns, raw["seen_ns"])
        for raw in opened:
            until = raw.get("end_ns")
            if type(until) is int:
                raw["end_ns"] = max(until, seen_ns)
            try:
                for record in as_records(raw, path):
                    self.add_record(record)
            except ValueError:
                self.foreign += 1

    def add_file(self, path: Path) -> int:
        """Index one file, plain or gzip; returns the number of spans found in it.

        Raises:
            TraceError: the file cannot be read.
        """
        found = lines = offset = 0
        try:
            path, source = _opened(path)
            packed = path.suffix == ".gz"
            self.files.append(path)
            with source:
                for line in source:
                    place = None if packed else (path, offset, len(line))
                    offset += len(line)
                    lines += bool(line.strip())
                    found += self.add_line(line, place)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.torn += 1  # a gzip file that was cut off, or is none
        except OSError as error:
            raise TraceError(f"cannot read {path}: {error.strerror or error}") from error
        if lines and not found:
            self.foreign_files.append(path)
        return found


def load(source: str | os.PathLike[str] | Iterable[SpanRecord | dict[str, Any] | str | bytes]) -> Traces:
    """Read traces from a file, a directory (``.jsonl`` and ``.jsonl.gz``, subfolders too), or an iterable.

    An iterable may give records, their dictionaries, or lines. A torn line is skipped and counted, foreign
    lines are too; fields that this version does not know are kept. A file with OTLP/JSON on each line (as
    the OpenTelemetry Collector writes) is understood as well.

    Raises:
        TraceError: the path does not exist, cannot be read, or is a file without a single span. An empty
            directory is no error: the result is empty.
    """
    traces = Traces()
    if not isinstance(source, (str, os.PathLike)):
        for item in source:
            _add_item(traces, item)
        return traces
    path = Path(source)
    if path.is_dir():
        _add_directory(traces, path)
    elif path.exists():
        _add_alone(traces, path)
    else:
        raise TraceError(f"{path} does not exist")
    return traces


def _add_directory(traces: Traces, path: Path) -> None:
    # What is open comes first: what ends while the others are read is in them.
    for file in sorted(path.rglob(f"*{OPEN_SUFFIX}")):
        traces.add_open_file(file)
    for file in trace_files(path):
        try:
            traces.add_file(file)
        except TraceError as error:
            if not isinstance(error.__cause__, FileNotFoundError):  # a writer's retention has deleted it by now
                raise


def _add_alone(traces: Traces, path: Path) -> None:
    opened = Traces()
    for file in _open_files_beside(path):
        opened.add_open_file(file)
    if not traces.add_file(path):
        skipped = f"{traces.foreign} foreign and {traces.torn} torn line(s)"
        counts = skipped if traces.foreign or traces.torn else "it is empty"
        raise TraceError(f"{path} holds no span records ({counts})")
    for trace_id in opened.ids:
        if trace_id in traces:
            for record in opened.records(trace_id):
                traces.add_record(record)


def _open_files_beside(path: Path) -> list[Path]:
    """What the process that wrote a file has open, if it still runs or was killed."""
    writer = _WRITER.search(path.name)
    return sorted(path.parent.glob(f"*-{writer[1]}-*{OPEN_SUFFIX}")) if writer is not None else []


def trace_files(directory: Path) -> list[Path]:
    """The trace files below a directory, each once: where a compressed copy lies beside the original, the original.

    Writers compress closed files at any time. The directory is listed twice, because one listing may
    come too late for the original and too early for its copy.
    """
    listed = {
        path
        for _ in range(2)
        for path in directory.rglob("*")
        if path.name.endswith(SUFFIXES) and path.is_file()
    }  # fmt: skip
    return sorted(path for path in listed if path.suffix != ".gz" or path.with_suffix("") not in listed)


def _add_item(traces: Traces, item: SpanRecord | dict[str, Any] | str | bytes) -> None:
    if isinstance(item, SpanRecord):
        traces.add_record(item)
    elif isinstance(item, dict):
        try:
            for record in as_records(item):
                traces.add_record(record)
        except ValueError:
            traces.foreign += 1
    else:
        traces.add_line(item.encode() if isinstance(item, str) else item)


def _opened(path: Path) -> tuple[Path, BinaryIO]:
    """A file open for reading; where it has been compressed in the meantime, its compressed copy.

    Raises:
        OSError: neither can be opened.
    """
    if path.suffix != ".gz":
        try:
            return path, path.open("rb")
        except FileNotFoundError:
            copy = path.with_name(f"{path.name}.gz")
            if not copy.exists():
                raise
            path = copy
    return path, cast("BinaryIO", gzip.open(path))


def _read_again(place: Place, handles: dict[Path, BinaryIO], opened: ExitStack) -> bytes:
    path, offset, length = place
    try:
        handle = handles.get(path)
        if handle is None:
            handle = handles[path] = opened.enter_context(_opened(path)[1])
        handle.seek(offset)
        return handle.read(length)
    except OSError as error:
        raise TraceError(f"cannot read {path} again: {error.strerror or error}") from error

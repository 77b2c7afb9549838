"""What happens in a directory of traces from now on: steps that start, and steps that end."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import orjson

from agentops_sdk.encryption import DamagedError, SealedError, opened_line
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
from agentops_sdk.traces.formats.parse import as_records, looks_like_record
from agentops_sdk.traces.places import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.record import SpanRecord

__all__ = ["Event", "Follower"]

_SUFFIXES: Final = (".jsonl", ".ndjson")
_LONGEST_READ: Final = 16 * 1_048_576  # bytes of one file at one look; the rest comes with the next
_MOST_KNOWN: Final = 100_000
_SAME: Final = 1e-5
"""Seconds by which a time that was set differs from the one it was copied from."""


@dataclass(frozen=True, slots=True)
class Event:
    """A step that started, or ended: then also as ``unfinished``, if its process is gone."""

    kind: Literal["started", "ended"]
    record: SpanRecord


class Follower:
    """Looks again and again at the files of a directory, or at one file; nothing is watched between two looks.

    What was written before is left out, but for what is open still. A directory that is not there yet is empty.

    Attributes:
        sealed: why lines could not be opened, where some are encrypted and the key is not at hand; they are left out.
    """

    def __init__(self, path: Path, *, since: float | None = None) -> None:
        """Begin.

        Args:
            path: of the directory or file.
            since: also read files that were written to after this time (seconds since the epoch) from the beginning.
        """
        self._path = path
        self.sealed: SealedError | None = None
        self._offsets: dict[Path, int] = {}
        self._seen: dict[Path, os.stat_result] = {}  # which file it was, and when it was written to
        self._known: OrderedDict[str, None] = OrderedDict()  # span ids of what started, and of what is lost
        for file, facts in self._files(_SUFFIXES):
            if since is None or facts.st_mtime < since:
                self._offsets[file] = facts.st_size
                self._seen[file] = facts

    def events(self) -> list[Event]:
        """What has happened since the last look, in the order in which it did as far as the files tell."""
        started: list[Event] = []
        ended: list[Event] = []
        for record in self._open_now():  # first: what ends while the others are read is in them
            if record.outcome == "running":
                if self._is_new(record.span_id):
                    started.append(Event("started", record))
            elif self._is_new(f"lost {record.span_id}"):
                ended.append(Event("ended", record))
        written = self._written()
        over = {record.span_id for record in written}
        started = [event for event in started if event.record.span_id not in over]
        ended = [event for event in ended if event.record.span_id not in over]
        ended += [Event("ended", record) for record in written]
        started.sort(key=lambda event: event.record.start_ns)
        ended.sort(key=lambda event: (event.record.end_ns, -event.record.start_ns))
        return started + ended

    def _is_new(self, key: str) -> bool:
        if key in self._known:
            return False
        self._known[key] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return True

    def _files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, os.stat_result]]:
        if not self._path.is_dir():
            paths = [self._path] if suffixes is _SUFFIXES else []
        else:
            paths = sorted(path for path in self._path.rglob("*") if path.name.endswith(suffixes))
        for path in paths:
            with suppress(OSError):  # deleted or compressed meanwhile, or not there yet
                yield path, path.stat()

    def _open_now(self) -> Iterator[SpanRecord]:
        for path, _ in self._files((OPEN_SUFFIX,)):
            try:
                lines = path.read_bytes().splitlines()
            except OSError:
                continue
            for line in lines:
                with suppress(ValueError):
                    raw = orjson.loads(self._opened(line))
                    if looks_like_record(raw):
                        yield from as_records(raw, path)

    def _opened(self, line: bytes) -> bytes:
        """The line as it was; empty where it cannot be opened."""
        try:
            return opened_line(line)
        except DamagedError:
            return b""
        except SealedError as error:
            self.sealed = error
            return b""

    def _written(self) -> list[SpanRecord]:
        """The records in lines that are new and whole."""
        lines: list[bytes] = []
        for path, facts in self._files(_SUFFIXES):
            offset = self._offsets.get(path, 0)
            before = self._seen.get(path, facts)
            self._seen[path] = facts
            if _is_anew(before, facts) and offset >= before.st_size:
                offset = self._offsets[path] = facts.st_size  # without content, or what was erased: all had been read
            elif facts.st_size < offset:
                offset = 0  # another file under the same name
            if facts.st_size == offset:
                continue
            try:
                with path.open("rb") as file:
                    file.seek(offset)
                    block = file.read(_LONGEST_READ)
            except OSError:
                continue
            whole = block.rfind(b"\n") + 1
            if not whole and len(block) == _LONGEST_READ:
                whole = len(block)  # longer than any record: skipped in pieces
            self._offsets[path] = offset + whole
            lines += block[:whole].splitlines(keepends=True)
        if not lines:
            return []
        try:
            traces = load([line for line in map(self._opened, lines) if line])
        except TraceError:
            return []
        return [record for trace_id in traces.ids for record in traces.records(trace_id)]


def _is_anew(before: os.stat_result, now: os.stat_result) -> bool:
    """Whether another file has taken the place of one, and its time: nothing was added."""
    return before.st_ino != now.st_ino and abs(before.st_mtime - now.st_mtime) < _SAME

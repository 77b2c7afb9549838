"""Trace files of ours that programs still write: what was read of them is kept, and only what is new is read again."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from agentops_sdk.errors import TraceError
from agentops_sdk.traces.files import INDEXED, Traces
from agentops_sdk.traces.places import add_place

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_sdk.traces.formats.line_index import Index

__all__ = ["GrowingFiles"]

_BLOCK: Final = 1_048_576


class GrowingFiles:
    """Reads a directory or file again and again. Not for several threads at once."""

    def __init__(self) -> None:
        self._parts: dict[Path, _Part] = {}
        self._asked: set[Path] = set()

    def load(self, place: Path) -> Traces:
        """As :func:`~agentops_sdk.traces.places.load` does.

        Raises:
            TraceError: as there.
        """
        traces = Traces(INDEXED, growing=self)
        self._asked.clear()
        add_place(traces, place)
        traces.join_messages()
        for path in self._parts.keys() - self._asked:  # closed by now
            del self._parts[path]
        return traces

    def index_of(self, path: Path) -> Index | None:
        """What a file tells now; ``None`` where it does not do without its lines."""
        self._asked.add(path)
        with suppress(OSError, TraceError):
            part = self._parts.get(path)
            if part is None or part.has_changed():
                part = self._parts[path] = _Part(path)
            return part.index()
        self._parts.pop(path, None)
        return None


class _Part:
    """What was read of one file, up to the end of a line."""

    def __init__(self, path: Path) -> None:
        facts = path.stat()
        self._path, self._file = path, (facts.st_dev, facts.st_ino)
        self._traces = Traces(INDEXED)
        self._read = self._checksum = 0
        self._does_without_lines = True

    def has_changed(self) -> bool:
        """Whether it is another file, or something was taken out of what was read: an erasure puts blanks there."""
        with self._path.open("rb", buffering=0) as file:
            facts = os.fstat(file.fileno())
            return (facts.st_dev, facts.st_ino) != self._file or _checksum(file, 0, self._read, 0) != self._checksum

    def index(self) -> Index | None:
        with self._path.open("rb", buffering=0) as file:
            end = _end_of_lines(file, self._read)
            self._checksum = _checksum(file, self._read, end, self._checksum)
        if end > self._read and self._does_without_lines:
            self._does_without_lines = self._traces.add_stretch(self._path, self._read, end)
        self._read = end
        return self._traces.index() if self._does_without_lines and self._traces else None


def _end_of_lines(file: BinaryIO, start: int) -> int:
    """Where the last line that is whole ends; ``start`` where none is behind it."""
    at = os.fstat(file.fileno()).st_size
    while at > start:
        before = max(start, at - _BLOCK)
        file.seek(before)
        newline = file.read(at - before).rfind(b"\n")
        if newline >= 0:
            return before + newline + 1
        at = before
    return start


def _checksum(file: BinaryIO, start: int, end: int, known: int) -> int:
    file.seek(start)
    while start < end and (block := file.read(min(_BLOCK, end - start))):
        known = zlib.crc32(block, known)
        start += len(block)
    return known

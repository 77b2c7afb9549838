"""A spool segment: framed records in one append-only file, or in memory where no disk can be had.

A file is a 16-byte head (magic, offset up to which everything is acknowledged) and records, each a
16-byte header (magic, payload length, spans, CRC-32) and its payload, a serialized
``ExportTraceServiceRequest``, or the same in gzip. A torn or damaged record is skipped; reading goes on at the next
one.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections import deque
from typing import TYPE_CHECKING

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.encryption import is_sealed, opened, sealed
from agentops_sdk.exporters.otlp.compression import crc32, is_packed, size_of, unpacked
from agentops_sdk.private_files import open_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Piece", "Segment", "frame"]

_HEAD = struct.Struct("<8sQ")
_FILE_MAGIC, _EARLIER_MAGIC = b"AGOTLP2\n", b"AGOTLP1\n"
_RECORD = struct.Struct("<4sIII")
_MAGIC = b"\xffOT\xfd"
"""Who knows the earlier one alone finds no record, and leaves a file be in which requests may be compressed."""
_RECORDS = re.compile(rb"\xffOT[\xfd\xfe]")
_LARGEST = 256 * 1_048_576
_MOST_SPANS = 100_000
_PACKED_HEAD = 4
_READ_BYTES = 65_536
"""What is read beyond a request, instead of all that follows it."""


class Piece(NamedTuple):
    """One encoded request and how many spans it holds; ``start`` and ``end`` are the offsets of its record."""

    payload: bytes
    spans: int
    end: int = 0
    start: int = 0


Record = tuple[bytes, bytes]
"""What lies in a segment: the header, and the payload behind it."""


def frame(payload: bytes, spans: int) -> Record:
    """A record; its payload is sealed where that was asked for."""
    payload = sealed(payload)
    return _RECORD.pack(_MAGIC, len(payload), spans, crc32(payload)), payload


class Segment:
    """Records in order of their making, read from the front. Not thread-safe: the spool locks."""

    def __init__(self, path: Path | None, *, adopted: bool = False) -> None:
        self.path = path
        self.adopted = adopted
        self.created = time.time()
        self.acked = _HEAD.size
        self.size = _HEAD.size
        self.spans = 0
        """Spans not yet acknowledged."""
        self.torn = 0
        """Damaged places found when the segment was opened again."""
        self.damaged = 0
        """Spans in them, as far as that can be told."""
        self.tries = 0
        """How often a backend has refused it while it took others."""
        self.tried = False
        """Whether it has been refused before."""
        self.in_flight = False
        self._fd = -1
        self._inode = 0
        self._buffer = bytearray()
        self._held: deque[Piece] = deque()
        """Of what is in the file, requests that are still in memory, too: those need not be read."""
        if path is None:
            self._buffer += _HEAD.pack(_FILE_MAGIC, _HEAD.size)
        elif not adopted:
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND
            self._fd = open_private(path, flags)
            self._inode = os.fstat(self._fd).st_ino
            os.write(self._fd, _HEAD.pack(_FILE_MAGIC, _HEAD.size))

    @classmethod
    def reopen(cls, path: Path) -> Segment:
        """A segment that a process left behind, with what is still to be sent counted.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no segment.
        """
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
            raise ValueError("not a segment of a spool")
        segment = cls(path, adopted=True)
        segment.created = path.stat().st_mtime
        data = path.read_bytes()
        segment.size = len(data)
        headed = len(data) >= _HEAD.size and data.startswith((_FILE_MAGIC, _EARLIER_MAGIC))
        if headed:
            segment.acked = min(max(_HEAD.unpack_from(data)[1], _HEAD.size), len(data))
        position = segment.acked
        for piece in segment._pieces(data, segment.acked):
            segment._damage(data[position : piece.start])
            segment.spans += piece.spans
            position = piece.end
        segment._damage(data[position:])
        begins = tuple(magic[: len(data)] for magic in (_FILE_MAGIC, _EARLIER_MAGIC))
        if not headed and segment.spans == 0 and data and not data.startswith(begins):
            raise ValueError("not a segment of a spool")
        return segment

    def _damage(self, data: bytes) -> None:
        """Count a place that holds no whole record."""
        if data:
            self.torn += 1
            if _RECORDS.match(data) and len(data) >= _RECORD.size:
                self.damaged += min(_RECORD.unpack_from(data)[2], _MOST_SPANS)

    @property
    def pending_bytes(self) -> int:
        return self.size - self.acked

    @property
    def gone(self) -> bool:
        """Whether somebody removed or replaced the file under us."""
        if self._fd < 0 or self.path is None:
            return False
        try:
            return os.stat(self.path).st_ino != self._inode  # noqa: PTH116 - with each record, and the path's own is slow
        except OSError:
            return True

    def append(self, record: Record, spans: int, held: bytes | None = None) -> None:
        """Add one record in one write.

        Args:
            record: it.
            spans: how many are in it.
            held: its request, where that is to stay in memory as well until it is acknowledged.

        Raises:
            OSError: nothing was added; what a short write left behind is cut off or skipped by readers.
        """
        header, payload = record
        size = len(header) + len(payload)
        if self.path is None:
            self._buffer += header
            self._buffer += payload
        else:
            # The payload may be large: where the system can, it is not copied behind its header.
            written = os.writev(self._fd, record) if hasattr(os, "writev") else os.write(self._fd, b"".join(record))
            if written != size:
                try:
                    os.ftruncate(self._fd, self.size)
                except OSError:
                    self.size += written
                raise OSError(28, "no space left for a whole record", str(self.path))
            if held is not None:
                self._held.append(Piece(held, spans, self.size + size, self.size))
        self.size += size
        self.spans += spans

    def read(self, max_bytes: int, max_spans: int | None = None, *, packed: bool = False) -> list[Piece]:
        """The oldest records not acknowledged, at least one if there is any, up to ``max_bytes`` and ``max_spans``.

        ``packed``: one that is compressed is left so, and comes alone.

        Raises:
            OSError: the file cannot be read.
            SealedError: they are encrypted, and the key is not here.
        """
        pieces: list[Piece] = []
        total = spans = 0
        is_held = bool(self._held) and self._held[0].start == self.acked
        for piece in self._from_memory() if is_held else self._from_file(max_bytes):
            payload = opened(piece.payload) if is_sealed(piece.payload) else piece.payload
            total += size_of(payload)
            spans += piece.spans
            alone = packed and is_packed(payload)
            if pieces and (alone or total > max_bytes or (max_spans is not None and spans > max_spans)):
                break
            payload = payload if packed else unpacked(payload)
            pieces.append(piece if payload is piece.payload else piece._replace(payload=payload))
            if alone:
                break
        return pieces

    def acknowledge(self, end: int, spans: int) -> None:
        """Everything before ``end`` need not be sent again; kept on disk for whoever comes after us."""
        self.acked = end
        self.spans -= spans
        while self._held and self._held[0].start < end:
            self._held.popleft()
        if self.path is not None:  # one that is wholly acknowledged too: it may go on growing, or be killed here
            try:
                fd = os.open(self.path, os.O_WRONLY)
            except OSError:
                return
            try:
                os.pwrite(fd, struct.pack("<Q", end), 8) if hasattr(os, "pwrite") else None
            finally:
                os.close(fd)

    def rescue(self) -> None:
        """Go on in memory: the file's name is gone, its content is still behind our descriptor."""
        chunks: list[bytes] = []
        have = 0
        while have < self.size and (chunk := os.pread(self._fd, self.size - have, have)):
            chunks.append(chunk)
            have += len(chunk)
        self.close()
        self.path, self._buffer = None, bytearray(b"".join(chunks))
        self.let_go()

    def let_go(self) -> None:
        """Keep nothing in memory that is in the file."""
        self._held.clear()

    def close(self) -> None:
        """Let go of the descriptor; the file stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """Let go of the file or the memory."""
        self.close()
        self._buffer = bytearray()
        self.let_go()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _from_memory(self) -> Iterator[Piece]:
        """What comes next, as far as it has no gap."""
        position = self.acked
        for piece in self._held:
            if piece.start != position:
                break
            position = piece.end
            yield piece

    def _from_file(self, max_bytes: int) -> Iterator[Piece]:
        """What comes next, at least as much of it as is asked for."""
        before = self.acked
        if self.path is None:
            data = bytes(memoryview(self._buffer)[before:])
        else:
            with self.path.open("rb") as file:
                file.seek(before)
                size = min(self.size - before, max_bytes + _READ_BYTES)
                head = file.read(_RECORD.size + _PACKED_HEAD)
                if _RECORDS.match(head) and is_packed(head[_RECORD.size :]):  # it goes out alone
                    size = min(size, _RECORD.size + _RECORD.unpack_from(head)[1])
                file.seek(before)
                data = file.read(size)
                if found := list(self._pieces(data, 0, before)):
                    return iter(found)
                data += file.read(max(0, self.size - before - len(data)))  # a long record, or damage
        return self._pieces(data, 0, before)

    def _pieces(self, data: bytes, start: int, before: int = 0) -> Iterator[Piece]:
        """Whole records in ``data``, which begins ``before`` bytes after the file."""
        position = start
        while (mark := _RECORDS.search(data, position)) and (position := mark.start()) + _RECORD.size <= len(data):
            _, length, spans, checksum = _RECORD.unpack_from(data, position)
            body = position + _RECORD.size
            payload = data[body : body + length]
            if len(payload) == length and crc32(payload) == checksum:
                start, position = position, body + length
                yield Piece(payload, spans, before + position, before + start)
            else:
                position += 1

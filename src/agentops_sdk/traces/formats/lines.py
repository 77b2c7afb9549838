"""Lines of files that can be read again: in place where the file is plain, from a scratch file where it was packed.

Bounded: a line longer than :data:`LONGEST_LINE` is left out, and a packed file is left where it unpacks to far more
than traces do. Both are counted, see :attr:`Lines.remarks`.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import time
import weakref
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from agentops_sdk.encryption import LINE, Cipher, DamagedError, SealedError, opened_line
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.formats.parquet_lines import parquet_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LONGEST_LINE", "Lines", "packed_beside"]

_MB: Final = 1_048_576
LONGEST_LINE: Final = 64 * _MB
"""Bytes of one line that are read at most."""
_UNPACKED: Final = 256 * _MB  # bytes to which any packed file may unpack
_RATIO: Final = 200  # times its size to which a larger one may; lines with ids of their own stay far below
_FOREIGN: Final = 100_000  # lines without a span that a packed file may hold, if it does not hold more with one
_BLOCK: Final = _MB
_BYTE_ORDER: Final = b"\xef\xbb\xbf"  # which some editors write first
_PACKED: Final = b"\x1f\x8b"  # how a gzip file begins, whatever its name
_IN_MEMORY: Final = 8 * _MB  # bytes that wait before they go to the scratch file
_OPEN_FILES: Final = 16
_FRESH: Final = 2.0  # seconds since a file was written to within which its last line may still become whole
_GLANCES: Final = 20  # at such a line
_LINE: Final = LINE + b"k:"  # of the scratch file
_TORN: Final = b'{"sealed'
_PAUSE: Final = 0.005  # seconds between them


class Lines:
    """Reads files line by line and knows for each line where to find it again."""

    def __init__(self) -> None:
        self.too_long: Counter[Path] = Counter()
        """By file how many lines were left out because they are longer than any record."""
        self.cut: dict[Path, str] = {}
        """Why a packed file was not read to its end, by file."""
        self._paths: list[Path | None] = [None]  # file 0 is the scratch file
        self._descriptors: OrderedDict[int, _Descriptor] = OrderedDict()
        self._scratch: _Descriptor | None = None
        self._scratched = self._kept = 0
        self._pending = bytearray()
        self._packed: set[int] = set()  # files whose places are in what they unpack to
        self._cipher: Cipher | None = None
        """Of the scratch file, where what goes there was encrypted: by a key that nobody but this object has."""
        self._unpacked: dict[int, int] = {}  # where in the scratch file a file begins that has been packed meanwhile

    @property
    def remarks(self) -> list[str]:
        """What was left out, a sentence for each file and reason."""
        return [
            *(f"{path}: {count} line(s) of more than {LONGEST_LINE // _MB} MB left out"
              for path, count in self.too_long.items()),
            *(f"{path}: {reason}, the rest was left out" for path, reason in self.cut.items()),
        ]  # fmt: skip

    def path(self, file: int) -> Path | None:
        """The file with this number; ``None`` for the scratch file."""
        return self._paths[file]

    def of_file(
        self, path: Path, *, packed_places: bool = False, stretch: tuple[int, int] | None = None
    ) -> Iterator[tuple[bytes, tuple[int, int, int] | None]]:
        """Each line of a file and its place: file, offset and length. One that is encrypted is opened.

        A line of a packed file has no place, unless somebody wants to :meth:`keep` it.

        Args:
            path: of the file.
            packed_places: whether lines of a packed file have places as well: in what it unpacks to.
            stretch: of a plain file only the lines from one offset to another, both at the beginning of a line.

        Raises:
            OSError: it cannot be read.
            EOFError, zlib.error: it was packed and is damaged; what came before was read.
            SealedError: a line is encrypted, and the key is not here.
        """
        found = self._of_file(path, packed_places) if stretch is None else self._of_stretch(path, *stretch)
        for line, place in found:
            if not line.startswith(LINE):
                yield line, place
                continue
            if place is None and self._cipher is None:
                self._cipher = Cipher([os.urandom(32)])
            try:
                yield opened_line(line), place
            except DamagedError:
                yield _TORN, None
            except SealedError as error:
                raise SealedError(f"{path} is {error}") from None

    def _of_stretch(self, path: Path, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int, int]]]:
        file = self._paths.index(path) if path in self._paths else self.add_path(path)
        with path.open("rb") as source:
            if start == 0 and source.read(len(_BYTE_ORDER)) == _BYTE_ORDER:
                start = len(_BYTE_ORDER)
            source.seek(start)
            while start < end and (line := source.readline(min(LONGEST_LINE, end - start))):
                length = len(line)
                if line.endswith(b"\n"):
                    yield line, (file, start, length)
                else:
                    self.too_long[path] += 1
                    length += _skip(source)
                start += length

    def _of_file(self, path: Path, packed_places: bool) -> Iterator[tuple[bytes, tuple[int, int, int] | None]]:
        path, source, packed = opened(path)
        with source:
            if packed or not source.seekable():
                blocks = self._unpack(path, source) if packed else iter(lambda: source.read(_BLOCK), b"")
                if not packed or not packed_places:
                    yield from ((line, None) for line in self._split(path, blocks))
                    return
                file, offset = self.add_path(path, packed=True), 0
                for line in self._split(path, blocks):
                    yield line, (file, offset, len(line))
                    offset += len(line)
                return
            file = self.add_path(path)
            offset = len(_BYTE_ORDER) if source.read(len(_BYTE_ORDER)) == _BYTE_ORDER else 0
            source.seek(offset)
            before = os.fstat(source.fileno())  # a writer that never pauses must not keep the reader for ever
            while (left := before.st_size - offset) > 0 and (block := source.read(min(_BLOCK, left))):
                whole = block.rfind(b"\n") + 1
                for line in BytesIO(block[:whole]):
                    length = len(line)
                    yield line, (file, offset, length)
                    offset += length
                if whole == len(block):
                    continue
                source.seek(offset)  # a line that goes on behind this block
                line = source.readline(LONGEST_LINE)
                if not line.endswith(b"\n") and time.time() - before.st_mtime < _FRESH:
                    line = _finished(source, line)
                length = len(line)
                if length < LONGEST_LINE or line.endswith(b"\n"):
                    yield line, (file, offset, length)
                else:
                    self.too_long[path] += 1
                    del line
                    length += _skip(source)
                offset += length

    def keep(self, line: bytes) -> tuple[int, int, int]:
        """Put a line that stands in no plain file into the scratch file; its place."""
        return self._keep(line if self._cipher is None else _LINE + b64encode(self._cipher.seal(line)))

    def _keep(self, line: bytes) -> tuple[int, int, int]:
        location = (0, self._scratched, len(line))
        self._pending += line
        self._scratched += len(line)
        self._kept += 1
        if len(self._pending) >= _IN_MEMORY:
            self._flush()
        return location

    def read(self, file: int, offset: int, length: int) -> bytes:
        """The line at a place.

        Raises:
            TraceError: the file is gone or has changed.
        """
        line = self._read(file, offset, length)
        if not line.startswith(LINE):
            return line
        try:
            own = self._cipher is not None and line.startswith(_LINE)
            return self._cipher.open(b64decode(line[len(_LINE) :])) if own and self._cipher else opened_line(line)
        except DamagedError as error:
            raise TraceError(f"cannot read {self._paths[file]} again: {error}") from None

    def _read(self, file: int, offset: int, length: int) -> bytes:
        if file == 0:
            if self._scratch is None:
                return bytes(self._pending[offset : offset + length])
            self._flush()
            return self._scratch.read(offset, length)
        if file in self._unpacked:
            return self._read(0, self._unpacked[file] + offset, length)
        path = cast("Path", self._paths[file])
        try:
            descriptor = self._descriptor(file, path)
            if descriptor is None:
                return self._read(0, self._unpacked[file] + offset, length)
            line = descriptor.read(offset, length)
        except OSError as error:
            raise TraceError(f"cannot read {path} again: {error.strerror or error}") from error
        if len(line) < length:
            raise TraceError(f"cannot read {path} again: it has become shorter")
        return line

    def _descriptor(self, file: int, path: Path) -> _Descriptor | None:
        """The open file; ``None`` where it has been packed meanwhile and is in the scratch file now."""
        descriptor = self._descriptors.get(file)
        if descriptor is not None:
            self._descriptors.move_to_end(file)
            return descriptor
        try:
            if file in self._packed:
                raise FileNotFoundError(path)
            descriptor = _Descriptor(os.open(path, os.O_RDONLY))
        except FileNotFoundError:
            compacted = packed_beside(path)
            if compacted is not None:
                self._unpacked[file] = self._scratched
                for line in parquet_lines(compacted):
                    self._keep(line)
                return None
            _, source, packed = opened(path)
            if not packed:
                source.close()
                return self._descriptor(file, path)
            self._unpacked[file] = self._scratched
            with source:
                for block in self._unpack(path, source):
                    self._keep(block)
            return None
        self._descriptors[file] = descriptor
        if len(self._descriptors) > _OPEN_FILES:
            self._descriptors.popitem(last=False)
        return descriptor

    def add_path(self, path: Path, *, packed: bool = False) -> int:
        """A number for a file whose lines have places.

        Args:
            path: of the file.
            packed: whether places are in what it unpacks to.
        """
        self._paths.append(path)
        if packed:
            self._packed.add(len(self._paths) - 1)
        return len(self._paths) - 1

    def _unpack(self, path: Path, source: BinaryIO) -> Iterator[bytes]:
        """The unpacked blocks of a file, as long as they are not absurdly many."""
        most = max(_UNPACKED, _RATIO * os.fstat(source.fileno()).st_size)
        total = 0
        while block := cast("gzip.GzipFile", source).read1(_BLOCK):  # what precedes a damaged place is not lost
            total += len(block)
            if total > most:
                self.cut[path] = f"unpacks to more than {most // _MB:,} MB"
                return
            yield block

    def _split(self, path: Path, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The lines in blocks of bytes, as long as they are not nearly all foreign."""
        rest, skips = bytearray(), False
        unused, before = 0, self._kept
        for block in blocks:
            if unused - (self._kept - before) > max(_FOREIGN, self._kept - before):
                self.cut[path] = f"more than {_FOREIGN:,} of its lines hold no span"
                return
            *ends, begin = block.split(b"\n")
            unused += len(ends)
            for end in ends:
                if not skips:
                    if len(rest) + len(end) < LONGEST_LINE:
                        yield bytes(rest) + end + b"\n"
                    else:
                        self.too_long[path] += 1
                    rest.clear()
                skips = False
            if not skips:
                rest += begin
                if len(rest) > LONGEST_LINE:
                    self.too_long[path] += 1
                    rest, skips = bytearray(), True
        if rest:
            yield bytes(rest)

    def _flush(self) -> None:
        if self._scratch is None:
            descriptor, name = tempfile.mkstemp(prefix="agentops-")
            with suppress(OSError):  # where an open file cannot be removed
                Path(name).unlink()
            self._scratch = _Descriptor(descriptor)
        if self._pending:
            self._scratch.write(bytes(self._pending))
            self._pending.clear()


class _Descriptor:
    """An open file, closed when nobody holds it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def read(self, offset: int, length: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, length, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, length)

    def write(self, data: bytes) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_END)
        while data:
            data = data[os.write(self._descriptor, data) :]


def packed_beside(path: Path) -> Path | None:
    """The Parquet file that took the place of a file of lines, if there is one."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    packed = plain.with_name(f"{plain.name}.parquet")
    return packed if not path.exists() and packed.exists() else None


def opened(path: Path) -> tuple[Path, BinaryIO, bool]:
    """A file open for reading and whether it is packed; where it was packed in the meantime, its packed copy.

    Raises:
        OSError: neither can be opened.
    """
    if path.suffix != ".gz":
        try:
            source = path.open("rb")
            if not source.seekable() or source.peek(2)[:2] != _PACKED:
                return path, source, False
            source.close()
        except FileNotFoundError:
            copy = path.with_name(f"{path.name}.gz")
            if not copy.exists():
                raise
            path = copy
    return path, cast("BinaryIO", gzip.open(path)), True


def _finished(source: BinaryIO, line: bytes) -> bytes:
    """The line with the rest of it, if its writer is just about to write that."""
    for _ in range(_GLANCES):
        line += source.readline(max(0, LONGEST_LINE - len(line)))
        if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
            break
        time.sleep(_PAUSE)
    return line


def _skip(source: BinaryIO) -> int:
    """Read to the end of a line; how many bytes that were."""
    length = 0
    while part := source.readline(_BLOCK):
        length += len(part)
        if part.endswith(b"\n"):
            break
    return length

"""What readers have found out about a closed trace file, kept beside it so that they need not read its lines again.

Only of files that we have named ourselves, once no process writes there. Whoever reads makes it: a program that
records pays nothing, and nobody does where nothing is read. It holds no content: ids, names, times, outcomes, figures,
the few attributes that runs are grouped and chosen by, and names and choices of decisions. Of a file that is encrypted
it is encrypted, too. The file is what counts: an index that does not fit its size, times and bytes, that is damaged, or
that another version has made, is made again. Whoever changes or removes a trace file removes the index first
(:func:`forget`).
"""

from __future__ import annotations

import gzip
import os
import sys
import time
import zlib
from array import array
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._version import __version__
from agentops_sdk.encryption import LINE, SealedError, opened, sealed_by_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Index", "Mark", "abandoned", "below", "forget", "index_of", "is_for", "mark_of", "read", "size_of", "write"]

ENDING: Final = ".index"
_NAMED: Final = lazy_pattern(r"(\d{8}T\d{6}Z-\d+-[0-9a-f]{8}\.jsonl)(?:\.gz)?")
_SMALLEST: Final = 65_536
"""Bytes of a file that are read about as fast as an index would be."""
_FORM: Final = f"agentops index 1 {__version__} {sys.byteorder}\n".encode()
_HEAD: Final = 16
_PATIENCE: Final = 60.0
"""Seconds after which an index that is half written will not be finished."""
_SAMPLES: Final = 16
_SAMPLE: Final = 4_096


class Mark(NamedTuple):
    """By what it is known that a file is the one an index was made of."""

    size: int
    changed_ns: int
    status_ns: int
    """When the file was last written, or got another name, owner or time: of a file that was put in its place, too."""
    bytes: int
    """A checksum of some of its bytes, from the first to the last."""


class Index(NamedTuple):
    """Plain data and columns of numbers."""

    facts: dict[str, Any]
    columns: dict[str, array[Any]]


def is_for(path: Path) -> bool:
    """Whether a file may have an index: its name is one of ours."""
    return _NAMED.fullmatch(path.name) is not None


def index_of(path: Path) -> Path:
    """Where the index of a file is, packed or not."""
    return path.with_name(f"{path.name.removesuffix('.gz')}{ENDING}")


def forget(path: Path) -> None:
    """Remove the index of a file, if it has one.

    Raises:
        OSError: it cannot be removed.
    """
    if is_for(path):
        index_of(path).unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """The bytes of a file's index; 0 where it has none, or is not the one that the index was made of."""
    try:
        return index_of(path).stat().st_size if is_for(path) else 0
    except OSError:
        return 0


def below(directory: Path) -> Iterator[Path]:
    """Indexes below a directory, whole or half written."""
    return (path for path in directory.rglob(f"*{ENDING}*") if _NAMED.match(path.name))


def abandoned(directory: Path) -> list[Path]:
    """Indexes in a directory whose files are no longer there, and those that were left half written."""
    found = []
    for path in directory.glob(f"*{ENDING}*"):
        name = _NAMED.match(path.name)
        if name is not None:
            plain = directory / name[1]
            is_half = not path.name.endswith(ENDING) and time.time() - _changed(path) > _PATIENCE
            if is_half or not (plain.exists() or plain.with_name(f"{plain.name}.gz").exists()):
                found.append(path)
    return found


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def mark_of(path: Path) -> Mark | None:
    """What identifies a file as it is now; ``None`` where it cannot be read, or is not worth an index."""
    try:
        with path.open("rb", buffering=0) as file:
            facts = os.fstat(file.fileno())
            if facts.st_size < _SMALLEST:
                return None
            checksum = 0
            for number in range(_SAMPLES):
                file.seek((facts.st_size - _SAMPLE) * number // (_SAMPLES - 1))
                checksum = zlib.crc32(file.read(_SAMPLE), checksum)
    except OSError:
        return None
    return Mark(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, checksum)


def read(path: Path, mark: Mark, meaning: str) -> Index | None:
    """The index of a file; ``None`` where there is none that fits.

    Args:
        path: of the file.
        mark: as it is now.
        meaning: what the numbers in it stand for.
    """
    try:
        with index_of(path).open("rb") as source:
            return _parsed(source, mark, meaning)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError, SealedError):
        # There is none, it is damaged, or the key is not here: the file itself will say so.
        return None


def _is_sealed(path: Path) -> bool:
    """Whether a file, packed or not, is encrypted: all of it is, or nothing."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source:
        return source.read(len(LINE)) == LINE


def _parsed(source: BinaryIO, mark: Mark, meaning: str) -> Index | None:
    if source.read(len(_FORM)) != _FORM:
        return None
    head = source.read(_HEAD)
    length, checksum = int.from_bytes(head[:8], "little"), int.from_bytes(head[8:], "little")
    content = source.read()
    if zlib.crc32(content) != checksum:
        return None
    body = memoryview(opened(content))
    told = orjson.loads(body[:length])
    if told["mark"] != list(mark) or told["meaning"] != meaning:
        return None
    columns, at = {}, length
    for name, code, size in told["columns"]:
        columns[name] = column = array(code)
        column.frombytes(body[at : at + size])
        at += size
    return Index(told["facts"], columns)


def write(path: Path, mark: Mark, meaning: str, index: Index) -> None:
    """Keep an index. Where it cannot be kept, nothing happens: the next reader makes it again."""
    import tempfile

    blobs = {name: column.tobytes() for name, column in index.columns.items()}
    told = orjson.dumps(
        {
            "mark": list(mark),
            "meaning": meaning,
            "facts": index.facts,
            "columns": [(name, index.columns[name].typecode, len(blob)) for name, blob in blobs.items()],
        }
    )
    body = b"".join((told, *blobs.values()))
    try:
        if _is_sealed(path):
            body = sealed_by_reader(body)
    except (OSError, EOFError, zlib.error, SealedError):
        return
    target = index_of(path)
    part = None
    try:
        descriptor, part = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)  # for its owner only
        with os.fdopen(descriptor, "wb") as file:
            file.write(_FORM + len(told).to_bytes(8, "little") + zlib.crc32(body).to_bytes(8, "little"))
            file.write(body)
        if mark_of(path) == mark:
            Path(part).replace(target)
            part = None
            if mark_of(path) != mark:  # somebody took something out of the file at this very moment
                target.unlink(missing_ok=True)
    except OSError:
        pass
    finally:
        if part is not None:
            with suppress(OSError):
                Path(part).unlink()

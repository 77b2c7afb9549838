"""Files of the JSONL sink: their names, and which closed ones are compressed or deleted.

Many processes share a directory. Whoever holds the lock of a file *that still has its name* owns it: the
writer for as long as it is open, whoever tidies for as long as it compresses or deletes it.
"""

from __future__ import annotations

import errno
import gzip
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk.private_files import open_private, try_lock, unlock
from agentops_sdk.traces.formats import line_index

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["claimed", "create_file", "is_own_name", "remove_abandoned", "tidy"]

# Only what we have written ourselves is ever compressed or deleted.
_OURS = lazy_pattern(r"\d{8}T\d{6}Z-\d+-[0-9a-f]{8}\.jsonl(\.gz|\.gz\.part|\.parquet|\.parquet\.part|\.open)?")
_ATTEMPTS = 100


def is_own_name(path: Path) -> bool:
    """Whether a file has a name that we gave, which no other will ever have."""
    return _OURS.fullmatch(path.name) is not None


def create_file(directory: Path, suffix: str = ".jsonl") -> tuple[Path, int]:
    """A new file and its descriptor, locked for as long as it is open: others leave it alone.

    Raises:
        OSError: it cannot be made.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for _ in range(_ATTEMPTS):
        path = directory / f"{stamp}-{os.getpid()}-{os.urandom(4).hex()}{suffix}"
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        try:
            owned = _owns(path, descriptor)
        except OSError:
            if path.exists():
                return path, descriptor  # a file system without locks: there nobody tidies either
            owned = False
        if owned:
            return path, descriptor
        os.close(descriptor)  # whoever tidies was faster than our lock; it is theirs to remove
    raise OSError(errno.EAGAIN, "new files are removed before they can be locked", str(directory))


def tidy(directory: Path, *, max_bytes: int, max_age: float, compress: bool) -> list[Path]:
    """Keep a directory within its bounds: closed files only, oldest first; returns what was deleted.

    While another process is at it, nothing is done: two who count the same files would delete too many.

    Raises:
        OSError: the directory cannot be read, or a file not be compressed or deleted; the others were tidied.
    """
    with _alone(directory) as alone:
        return _tidy(directory, max_bytes, max_age, compress) if alone else []


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:  # Windows opens no directories
        yield True
        return
    try:
        yield _locks(descriptor)
    finally:
        unlock(descriptor)
        os.close(descriptor)


def _locks(directory: int) -> bool:
    try:
        return try_lock(directory)
    except OSError:
        return True  # there are file systems that know locks of files only


def _tidy(directory: Path, max_bytes: int, max_age: float, compress: bool) -> list[Path]:
    deleted: list[Path] = []
    failure: OSError | None = None
    for index in line_index.abandoned(directory):
        index.unlink(missing_ok=True)
    files = _own_files(directory)
    total = sum(size for _, size, _ in files)
    oldest = time.time() - max_age
    for changed, size, path in files:
        try:
            if path.suffix == ".part":
                remove_abandoned(path)
            elif total > max_bytes or changed < oldest:
                with claimed(path) as claim:
                    if claim is not None:
                        claim.remove()
                        deleted.append(path)
                if not path.exists():  # also when another process was faster: the room is there
                    total -= size
            elif compress and path.suffix == ".jsonl":
                with claimed(path) as claim:
                    if claim is not None:
                        _compress(claim)
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return deleted


def _own_files(directory: Path) -> list[tuple[float, int, Path]]:
    """Time of the last change, size and path of every file of ours, oldest first; an index counts as a part of it."""
    files: list[tuple[float, int, Path]] = []
    for path in directory.iterdir():
        if _OURS.fullmatch(path.name):
            try:
                facts = path.stat()
            except OSError:
                continue  # another process tidies as well
            files.append((facts.st_mtime, facts.st_size + line_index.size_of(path), path))
    return sorted(files)


def _owns(path: Path, descriptor: int) -> bool:
    """Lock an open file; whether that worked and ``path`` still is this file.

    Raises:
        OSError: the path is gone, or the file system knows no locks.
    """
    return try_lock(descriptor) and os.path.samestat(path.stat(), os.fstat(descriptor))


class _Claim:
    """A file that no living process uses, locked for us until the claim is closed."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def remove(self) -> None:
        """Delete the file, and what readers have kept beside it."""
        line_index.forget(self.path)
        if sys.platform == "win32":  # no open file can be removed there
            self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            unlock(descriptor)
            os.close(descriptor)


@contextmanager
def claimed(path: Path) -> Iterator[_Claim | None]:
    """Claim a closed file for the length of a block; ``None`` if somebody else has it, or it is gone."""
    try:
        claim = _Claim(path, os.open(path, os.O_RDWR))
    except OSError:
        yield None
        return
    try:
        try:
            owned = _owns(path, claim.descriptor)
        except OSError:
            owned = False  # gone by now; or a file system without locks: nothing is known, so nothing is touched
        yield claim if owned else None
    finally:
        claim.close()


def remove_abandoned(part: Path) -> None:
    """Remove a half compressed or packed file, unless somebody who holds the original is writing it.

    Raises:
        OSError: it cannot be removed.
    """
    plain = part.with_suffix("").with_suffix("")
    with ExitStack() as claims:
        for original in (plain, plain.with_name(f"{plain.name}.gz")):  # what is packed may have been compressed before
            if claims.enter_context(claimed(original)) is None and original.exists():
                return
        part.unlink(missing_ok=True)


def _compress(claim: _Claim) -> None:
    """Put ``PATH.gz`` in the place of a file. Until that is whole and on the disk, the original stays."""
    facts = os.fstat(claim.descriptor)
    if facts.st_size == 0:
        claim.remove()
        return
    part = claim.path.with_name(claim.path.name + ".gz.part")
    target = open_private(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(target, "wb") as raw:
            with (
                os.fdopen(claim.descriptor, "rb", closefd=False) as source,
                gzip.GzipFile("", "wb", 6, raw, 0) as packed,
            ):
                while piece := source.read(262_144):
                    packed.write(piece)
            raw.flush()
            os.fsync(raw.fileno())
        os.utime(part, (facts.st_mtime, facts.st_mtime))
        part.rename(part.with_suffix(""))
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    claim.remove()

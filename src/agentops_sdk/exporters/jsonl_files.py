"""Files of the JSONL sink: their names, and which closed ones are compressed or deleted."""

from __future__ import annotations

import gzip
import os
import re
import secrets
import shutil
import time
from pathlib import Path

from agentops_sdk.exporters.spool_folder import try_lock

__all__ = ["create_file", "tidy"]

# Only what we have written ourselves is ever compressed or deleted.
_OURS = re.compile(r"\d{8}T\d{6}Z-\d+-[0-9a-f]{8}\.jsonl(\.gz|\.gz\.part)?")


def create_file(directory: Path) -> tuple[Path, int]:
    """A new file and its descriptor, locked for as long as it is open: others leave it alone.

    Raises:
        OSError: it cannot be made.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = directory / f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try_lock(descriptor)
    return path, descriptor


def tidy(directory: Path, *, max_bytes: int, max_age: float, compress: bool) -> list[Path]:
    """Keep a directory within its bounds: closed files only, oldest first; returns what was deleted."""
    deleted: list[Path] = []
    found: list[tuple[float, int, Path]] = []
    for path in directory.iterdir():
        if _OURS.fullmatch(path.name):
            try:
                facts = path.stat()
            except OSError:
                continue  # another process tidies as well
            found.append((facts.st_mtime, facts.st_size, path))
    found.sort()
    total = sum(size for _, size, _ in found)
    oldest = time.time() - max_age
    for changed, size, path in found:
        if (total > max_bytes or changed < oldest) and _closed(path):
            path.unlink(missing_ok=True)
            total -= size
            deleted.append(path)
        elif compress and path.suffix == ".jsonl" and _closed(path):
            _compress(path, changed)
    return deleted


def _closed(path: Path) -> bool:
    """Whether no living process writes to it."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return try_lock(descriptor)
    except OSError:
        return False  # a file system without locks: nothing is known, so nothing is touched
    finally:
        os.close(descriptor)


def _compress(path: Path, changed: float) -> None:
    part = path.with_name(path.name + ".gz.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with path.open("rb") as source, os.fdopen(descriptor, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as target:
        shutil.copyfileobj(source, target, 262_144)
    os.utime(part, (changed, changed))
    part.rename(part.with_suffix(""))
    path.unlink(missing_ok=True)

"""A closed file of lines, written anew beside the old one; it takes its name once it is whole and on the disk.

Where somebody may be appending to it, lines are overwritten where they stand.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agentops_sdk.encryption import EVENT, DamagedError, SealedError, opened_line, sealed_line
from agentops_sdk.private_files import open_private
from agentops_sdk.traces.formats import line_index

__all__ = ["PART", "overwrite_lines", "rewrite_lines"]

PART: Final = ".anew"


def _changed(line: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A line after a change; one that cannot be opened stays as it is, and one that was sealed is sealed again."""
    try:
        plain = opened_line(line)
    except (SealedError, DamagedError):
        return line
    after = change(plain)
    if after == plain:
        return line
    return sealed_line(after, line[: len(EVENT)]) if after and plain is not line else after


def rewrite_lines(path: Path, change: Callable[[bytes], bytes]) -> int:
    """Give every line, with its newline, to ``change`` and write what it returns; how many lines it changed.

    A file of which nothing is left is removed; one in which nothing changes stays as it is.

    Raises:
        OSError: it cannot be read, or written; it is as it was then.
    """
    packed = path.suffix == ".gz"
    facts = path.stat()
    part = path.with_name(path.name + PART)
    changed = kept = 0
    try:
        with (
            gzip.open(path) if packed else path.open("rb") as source,
            os.fdopen(open_private(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as raw,
        ):
            target: Any = gzip.GzipFile("", "wb", 6, raw, 0) if packed else raw
            for line in filter(bytes.strip, source):
                after = _changed(line, change)
                changed += after != line
                kept += bool(after)
                target.write(after)
            if packed:
                target.close()
            raw.flush()
            os.fsync(raw.fileno())
        if changed:
            line_index.forget(path)
        if changed and kept:
            os.utime(part, (facts.st_mtime, facts.st_mtime))
            part.replace(path)
        elif changed:
            path.unlink()
    finally:
        part.unlink(missing_ok=True)
    return changed


def overwrite_lines(path: Path, change: Callable[[bytes], bytes]) -> int:
    """Put what ``change`` returns, filled up with blanks, in the place of each line that it changes; how many.

    Args:
        path: of a file that somebody may be appending to.
        change: is given a line with its newline, opened; what would be longer than it stays as it is.

    Raises:
        OSError: it cannot be read, or written.
    """
    count = 0
    with path.open("rb") as file:
        position = 0
        descriptor = os.open(path, os.O_WRONLY)
        try:
            for line in file:
                after = _changed(line, change) if line.strip() else line
                if after != line and len(after) <= len(line):
                    if not count:
                        line_index.forget(path)
                    end = b"\n" if line.endswith(b"\n") else b""
                    os.lseek(descriptor, position, os.SEEK_SET)
                    os.write(descriptor, after.removesuffix(b"\n").ljust(len(line) - len(end)) + end)
                    count += 1
                position += len(line)
            if count:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return count

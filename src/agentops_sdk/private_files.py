"""Files and directories for their owner only, and locks by which one process knows that another lives.

Whatever is written below the directory of traces is made here (or by ``tempfile``, whose files are private as well).
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each platform asks its own module, which the other does not have.
# pyright: reportPossiblyUnboundVariable=false
if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["appending", "open_private", "private_directory", "replace_private", "try_lock", "unlock"]

_PATIENCE = 10.0  # seconds


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """A descriptor of a file that, where it is new, its owner alone can read: as ``opener`` of ``open()``, too.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, flags, 0o600)


def replace_private(path: Path, content: bytes) -> None:
    """Write a file for its owner only, whole or not at all; what stood there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(fresh, "xb", opener=open_private) as file:
            file.write(content)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


@contextmanager
def appending(path: Path) -> Iterator[int]:
    """A descriptor for one addition to a file that nobody holds open between them.

    Whoever holds its lock may be about to put another file in its place: what was added to this one would be lost.

    Raises:
        OSError: it cannot be opened.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if _is_ours(path, descriptor) or time.monotonic() > until:
                yield descriptor
                return
        finally:
            unlock(descriptor)
            os.close(descriptor)
        time.sleep(0.005)


def _is_ours(path: Path, descriptor: int) -> bool:
    """Lock an open file; whether that worked and it still has its name."""
    try:
        return try_lock(descriptor) and os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return path.exists()  # a file system without locks: there nobody waits for us either


def private_directory(path: Path) -> None:
    """Make a directory for its owner only; a new ``.agentops`` gets a ``.gitignore`` that holds ``*``.

    Raises:
        OSError: it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    root = next((folder for folder in (path, *path.parents) if folder.name == ".agentops"), None)
    if root is not None and not (root / ".gitignore").exists():
        try:
            replace_private(root / ".gitignore", b"*\n")
        except OSError:
            pass


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, or this process dies; ``False`` if another one has it.

    Raises:
        OSError: the file system knows no locks.
    """
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # there on Windows only
        return True
    except BlockingIOError:
        return False


def unlock(descriptor: int) -> None:
    """Give a lock up before the file is closed: a child that was forked meanwhile holds the same one."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        except OSError:
            pass  # a file system without locks

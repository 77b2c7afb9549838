"""Directories for their owner only, and locks by which one process knows that another lives: for sinks on a disk."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["private_directory", "try_lock", "unlock"]


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
            (root / ".gitignore").write_text("*\n")
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

"""Who owns a spool directory: one locked directory per process run, adoptable once its owner is dead.

::

    <spool>/<run>/lock                 locked by the kernel as long as the owner lives
    <spool>/<run>/<time>-….seg …       segments, oldest first
    <spool>/refused/…                  what a backend refused, with the reason beside it
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk.private_files import open_private, private_directory, try_lock

__all__ = ["REFUSED", "Run", "runs"]

REFUSED = "refused"
_NAME = lazy_pattern(r"(\d{20})-(\d+)-[0-9a-f]+")


class Run:
    """A run's directory and the lock that says its owner lives."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @classmethod
    def begin(cls, spool: Path) -> Run:
        """A new directory, locked before it becomes visible to those who adopt.

        Raises:
            OSError: no directory can be made here.
        """
        private_directory(spool)
        name = f"{time.time_ns():020d}-{os.getpid()}-{os.urandom(3).hex()}"
        hidden = spool / f".{name}"
        hidden.mkdir(mode=0o700)
        lock = open_private(hidden / "lock", os.O_CREAT | os.O_RDWR)
        try:
            try_lock(lock)
            hidden.rename(spool / name)
        except OSError:
            os.close(lock)
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        return cls(spool / name, lock)

    @classmethod
    def adopt(cls, folder: Path) -> Run | None:
        """The directory of a run whose owner is dead, now ours; ``None`` while the owner lives."""
        try:
            lock = os.open(folder / "lock", os.O_RDWR)
        except FileNotFoundError:  # somebody has tidied up
            if _owner_lives(folder.name):
                return None
            try:
                lock = open_private(folder / "lock", os.O_RDWR | os.O_CREAT)
            except OSError:
                return None
        except OSError:
            return None
        try:
            if try_lock(lock) and (folder / "lock").stat().st_ino == os.fstat(lock).st_ino:
                return cls(folder, lock)
        except OSError:
            pass
        os.close(lock)
        return None

    def segments(self) -> list[Path]:
        """Its segment files, oldest first."""
        return sorted(self.folder.glob("*.seg"))

    def entries(self) -> list[Path]:
        """Whatever lies in its folder besides the lock, segments oldest first."""
        return sorted(path for path in self.folder.iterdir() if path.name != "lock")

    def end(self) -> None:
        """Let go of it; removed if nothing is left to send."""
        if self._lock < 0:
            return
        try:
            empty = not self.entries()
        except OSError:
            empty = False
        if empty:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.forget()

    def forget(self) -> None:
        """Close our descriptor only: in a forked child the lock belongs to the parent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _owner_lives(name: str) -> bool:
    """Whether the process that made a run's folder may still run; asked only where the lock is gone."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return True  # not made by us
    if sys.platform == "win32":
        return True  # not to be found out without harm
    made_ns, pid = int(parts[1]), int(parts[2])
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's, and alive
    started = _started(pid)
    return started is None or started <= made_ns / 1e9 + 1.0  # else another process has got its number


def _started(pid: int) -> float | None:
    """When a process started, in seconds since the epoch, where the system tells."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
        return int(boot[1]) + ticks / os.sysconf("SC_CLK_TCK") if boot else None
    except (OSError, ValueError, IndexError):
        return None


def runs(spool: Path) -> list[Path]:
    """Directories of runs, oldest first."""
    try:
        return sorted(folder for folder in spool.iterdir() if folder.name[0].isdigit() and folder.is_dir())
    except OSError:
        return []

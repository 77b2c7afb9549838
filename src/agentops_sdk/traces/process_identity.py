"""Which process this is, and whether the process that wrote something still lives: a pid alone says neither."""

from __future__ import annotations

import os
import sys
import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE: Final = 60.0
"""Seconds since its last sign of life after which a process elsewhere, of which nothing is known, counts as gone."""

_PROC: Final = Path("/proc")
_STATE, _STARTED, _STACK = 0, 19, 25  # places in /proc/PID/stat, behind the name in parentheses
_DEAD: Final = ("Z", "X", "x")


def this_process() -> dict[str, Any]:
    """What identifies this process among all of this machine and others: see ``ProcessRecord``."""
    return _this(os.getpid())


def is_alive(process: Mapping[str, Any], file: Path | None, seen_ns: int) -> bool:
    """Whether the process that :func:`this_process` once described still runs the same program.

    Args:
        process: what it said of itself.
        file: which it has locked for as long as it writes there; asked where its pid means nothing here.
        seen_ns: when it was last known to live, nanoseconds since the epoch.
    """
    here, pid = _this(os.getpid()), process.get("pid")
    boot = process.get("boot")
    if boot is not None and boot == here["boot"]:
        if process.get("namespace") == here["namespace"] and type(pid) is int:
            return _lives(pid, process)
    elif boot is not None and here["boot"] is not None and process.get("host") == here["host"]:
        return False  # this machine has been started anew since
    if file is not None:
        if is_locked(file):
            return True
        seen_ns = max(seen_ns, _changed_ns(file))
    return time.time_ns() - seen_ns < PATIENCE * 1e9


def is_locked(file: Path) -> bool:
    """Whether a living process is writing to ``file``; ``False`` also where that cannot be found out."""
    if sys.platform == "win32":
        return False  # looking would take the lock away from the writer for a moment
    import fcntl

    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        # A shared lock: readers do not take one another for a writer.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _lives(pid: int, process: Mapping[str, Any]) -> bool:
    fields = _stat(pid)
    if fields is None or fields[_STATE] in _DEAD or int(fields[_STARTED]) != process.get("started"):
        return False
    program, then = _program(fields), process.get("program")
    return program is None or then is None or program == then


@lru_cache(maxsize=1)
def _this(pid: int) -> dict[str, Any]:
    fields = _stat(pid)
    return {
        "pid": pid,
        "started": int(fields[_STARTED]) if fields else None,
        "program": _program(fields) if fields else None,
        "boot": _text(_PROC / "sys/kernel/random/boot_id") if fields else None,
        "namespace": _namespace() if fields else None,
        "host": _host(),
    }


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename  # what gethostname() says, without what a socket takes to load
    import socket

    return socket.gethostname()


def _stat(pid: int) -> list[str] | None:
    text = _text(_PROC / str(pid) / "stat")
    fields = text.rpartition(")")[2].split() if text else []
    return fields if len(fields) > _STACK else None


def _program(fields: list[str]) -> str | None:
    """Changes when the process becomes another program by exec(): its stack begins elsewhere then."""
    stack = fields[_STACK]
    if stack == "0":  # not for this reader to know
        return None
    return sha256(f"{fields[_STARTED]} {stack}".encode()).hexdigest()[:8]


def _namespace() -> str | None:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip() or None
    except OSError:
        return None


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0

"""Says on a terminal that work goes on; nothing where stderr is none, and nothing in the first second."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["progress"]

_FIRST = 1.0
_ERASE = "\r\x1b[K"


@contextmanager
def progress(what: str) -> Iterator[None]:
    """For the length of a block, a line on stderr with what is done and for how many seconds.

    Args:
        what: a phrase such as ``reading 120 MB``, safe to print.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    reporter = threading.Thread(target=_report, args=(what, over), daemon=True)
    reporter.start()
    try:
        yield
    finally:
        over.set()
        reporter.join()


def _report(what: str, over: threading.Event) -> None:
    started = time.monotonic()
    pause, shown = _FIRST, False
    while not over.wait(pause):
        pause, shown = 0.5, True
        sys.stderr.write(f"{_ERASE}{what} ... {time.monotonic() - started:.0f} s")
        sys.stderr.flush()
    if shown:
        sys.stderr.write(_ERASE)
        sys.stderr.flush()

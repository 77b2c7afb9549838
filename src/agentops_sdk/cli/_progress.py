"""Says on a terminal how far work has come; nothing where stderr is none, and nothing in the first second."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext

from agentops_sdk.traces.advance import told
from agentops_sdk.traces.display.terminal_text import line

__all__ = ["progress"]

_FIRST = 1.0
_ERASE = "\r\x1b[K"


def progress(action: str, what: object) -> AbstractContextManager[None]:
    """For the length of a block, a line on stderr with what is done, for how many seconds, and the share that is done.

    Args:
        action: such as ``reading``.
        what: to what, such as a path.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    return _Progress(f"{action} {line(str(what))}")


class _Progress(AbstractContextManager[None]):
    def __init__(self, what: str) -> None:
        self._what = what
        self._share: float | None = None
        self._over = threading.Event()
        self._started = time.monotonic()
        self._reporter = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> None:
        self._before = told.set(self._tell)
        self._reporter.start()

    def __exit__(self, *_: object) -> None:
        told.reset(self._before)
        self._over.set()
        self._reporter.join()

    def _tell(self, share: float) -> None:
        self._share = share

    def _report(self) -> None:
        pause, shown = _FIRST, False
        while not self._over.wait(pause):
            pause, shown = 0.5, True
            share = "" if self._share is None else f"{self._share:.0%}, "
            sys.stderr.write(f"{_ERASE}{self._what} ... {share}{time.monotonic() - self._started:.0f} s")
            sys.stderr.flush()
        if shown:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()

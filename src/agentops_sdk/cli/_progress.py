"""Says on a terminal that work goes on; nothing where stderr is none, and nothing in the first second."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["progress"]

_FIRST = 1.0
_ERASE = "\r\x1b[K"


def progress(action: str, what: object) -> AbstractContextManager[None]:
    """For the length of a block, a line on stderr with what is done and for how many seconds.

    Args:
        action: such as ``reading``.
        what: to what, such as a path.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    return _reported(f"{action} {line(str(what))}")


@contextmanager
def _reported(what: str) -> Iterator[None]:
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

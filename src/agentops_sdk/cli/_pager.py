"""What is longer than the terminal goes through ``$PAGER``, as with other commands; into a pipe nothing does."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from io import TextIOBase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["paged"]


def paged() -> AbstractContextManager[TextIO | None]:
    """A file to print to in place of stdout, or ``None`` where no terminal is there or ``$PAGER`` is ``cat``."""
    if not sys.stdout.isatty() or sys.stdin is None or not sys.stdin.isatty() or os.environ.get("TERM") == "dumb":
        return nullcontext()
    command = shlex.split(os.environ.get("PAGER", "less"))
    if not command or command == ["cat"] or shutil.which(command[0]) is None:
        return nullcontext()
    return _through(command)


@contextmanager
def _through(command: list[str]) -> Iterator[TextIO]:
    file: Any = _LongOutput(command, shutil.get_terminal_size().lines)
    try:
        yield file
    finally:
        file.finish()


class _LongOutput(TextIOBase):
    """Keeps what is printed until it is more than a screen; from there on it goes to the pager."""

    encoding = "utf-8"

    def __init__(self, command: list[str], height: int) -> None:
        self._command = command
        self._height = height
        self._kept: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None
        self.encoding = sys.stdout.encoding or "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._pager is not None:
            assert self._pager.stdin is not None
            self._pager.stdin.write(text)
            return len(text)
        self._kept.append(text)
        self._lines += text.count("\n")
        if self._lines >= self._height:
            self._start()
        return len(text)

    def _start(self) -> None:
        # F: leave at once where all fits; R: colours; X: what was shown stays on the screen.
        variables = {"LESS": "FRX", **os.environ}
        self._pager = subprocess.Popen(  # noqa: S603 - the user's own pager
            self._command, stdin=subprocess.PIPE, env=variables, encoding=self.encoding, errors="backslashreplace"
        )
        kept, self._kept = "".join(self._kept), []
        self.write(kept)

    def finish(self) -> None:
        """Print what is kept, or wait until the reader has left the pager."""
        if self._pager is None:
            sys.stdout.write("".join(self._kept))
            return
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's
        try:
            with suppress(BrokenPipeError):
                assert self._pager.stdin is not None
                self._pager.stdin.close()
            self._pager.wait()
        finally:
            signal.signal(signal.SIGINT, before)

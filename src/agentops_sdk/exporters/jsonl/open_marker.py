"""The file beside the JSONL ones that tells what a process has open: gone once nothing is, left behind by a kill."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.encryption import sealed_line
from agentops_sdk.exporters.jsonl.run_files import create_file
from agentops_sdk.private_files import private_directory
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

__all__ = ["OpenFile"]

_COMPACT_BYTES = 262_144
_SIGN_OF_LIFE = 5.0  # seconds; well below the patience of readers


class OpenFile:
    """Lines about open spans in ``DIRECTORY/TIME-PID-RANDOM.jsonl.open``, locked while this process has it.

    Lines are appended; once most of the file is about spans that have ended, a new one takes its place. Where
    there is nothing to tell for a while, a line says when that was, so that a later reader knows until when
    the process lived.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path: Path | None = None
        self._descriptor = -1
        self._facts: os.stat_result | None = None
        self._lines: list[tuple[frozenset[int], bytes]] = []
        self._written = 0  # of these lines, so many are in the file
        self._size = 0
        self._compact_at = _COMPACT_BYTES
        self._told_at = 0.0

    def update(self, lines: Sequence[tuple[frozenset[int], bytes]], still_open: AbstractSet[int]) -> None:
        """Add lines, each with the ids of its spans, and let go of those of which none is open any more.

        Raises:
            OSError: it cannot be written now; the next call tries again.
        """
        self._lines += lines
        if not still_open:
            self.remove()
            return
        if self._size >= self._compact_at or self._vanished():
            self._begin_anew(still_open)
        if self._descriptor >= 0:
            self._append()

    def remove(self) -> None:
        """Nothing is open: no file is left."""
        path = self.path
        self.forget()
        if path is not None:
            path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let go of the file without touching it; in a forked child it is the parent's."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and _is(self._facts, lambda: os.fstat(descriptor)):
            os.close(descriptor)
        self.path, self._lines, self._written, self._size = None, [], 0, 0

    def _begin_anew(self, still_open: AbstractSet[int]) -> None:
        """A new file with what is still open takes the place of the one before, if there was one."""
        lines = [(ids, line) for ids, line in self._lines if not ids.isdisjoint(still_open)]
        path, descriptor = None, -1
        if lines:
            private_directory(self.directory)
            path, descriptor = create_file(self.directory, OPEN_SUFFIX)
        before = OpenFile(self.directory)
        before.path, before._descriptor, before._facts = self.path, self._descriptor, self._facts
        self.path, self._descriptor = path, descriptor
        self._facts = os.fstat(descriptor) if lines else None
        self._lines, self._written, self._size = lines, 0, 0
        try:
            if lines:
                self._append()
        finally:
            before.remove()
        self._compact_at = max(_COMPACT_BYTES, 2 * self._size)

    def _append(self) -> None:
        text = b"".join(line for _, line in self._lines[self._written :])
        if not text and time.monotonic() - self._told_at > _SIGN_OF_LIFE:
            text = sealed_line(f'{{"seen_ns":{time.time_ns()}}}\n'.encode())
        if not text:
            return
        written = os.write(self._descriptor, text)
        if written != len(text):  # nobody shall read half a line
            os.ftruncate(self._descriptor, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._size += written
        self._written = len(self._lines)
        self._told_at = time.monotonic()

    def _vanished(self) -> bool:
        """Whether there is no file, or somebody has removed it, or closed our descriptor of it."""
        path, descriptor = self.path, self._descriptor
        return path is None or not (_is(self._facts, path.stat) and _is(self._facts, lambda: os.fstat(descriptor)))


def _is(facts: os.stat_result | None, ask: Callable[[], os.stat_result]) -> bool:
    try:
        return facts is not None and os.path.samestat(facts, ask())
    except OSError:
        return False

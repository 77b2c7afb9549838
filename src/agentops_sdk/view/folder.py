"""The traces of a directory, read again only when its files have changed."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from agentops_sdk.errors import TraceError
from agentops_sdk.traces.files import Traces, load

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Folder"]


class Folder:
    """One directory or file. May be asked from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._state: object = None
        self._traces = Traces()

    def traces(self) -> Traces:
        """What is there now; nothing where the directory is not there yet, or holds no traces."""
        with self._lock:
            state = self._files()
            # What is open changes with time alone.
            if state != self._state or any(name.endswith(".open") for name, *_ in state):
                try:
                    self._traces = load(self.path)
                except TraceError:
                    self._traces = Traces()
                self._state = state
            return self._traces

    def _files(self) -> list[tuple[str, int, int]]:
        paths = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        state = []
        for path in paths:
            with suppress(OSError):  # a writer's retention has deleted it by now
                facts = path.stat()
                state.append((str(path), facts.st_size, facts.st_mtime_ns))
        return state

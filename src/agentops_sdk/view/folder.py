"""The traces of a directory, read again only when its files have changed; or those of a store."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agentops_sdk.encryption import SealedError
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.growing_files import GrowingFiles
from agentops_sdk.traces.places import load
from agentops_sdk.view.feedback_file import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentops_sdk.traces.record import SpanRecord

__all__ = ["Folder"]

_PAUSE = 5.0  # seconds within which a store is not asked again which runs there are


class Folder:
    """One directory or file, or one store. May be asked from several threads."""

    def __init__(self, path: Path | None, stored: Callable[[], Traces] | None = None) -> None:
        """Begin.

        Args:
            path: of the directory or file; ``None`` where there is none.
            stored: asks a store which runs there are.
        """
        self.path = path
        self._stored = stored
        self._asked = 0.0
        self._lock = threading.Lock()
        self._state: object = None
        self._traces = Traces()
        self._growing = GrowingFiles()

    @property
    def feedback(self) -> Path | None:
        """The directory in which feedback is kept, and read again; ``None`` of a store, which is only read."""
        if self.path is None or self.path.is_dir():
            return self.path
        return self.path.parent if self._stored is None else None

    def traces(self) -> Traces:
        """What is there now; nothing where the directory is not there yet, or holds no traces.

        Raises:
            SealedError: all that is there is encrypted by a key that is not here; an empty list would be a lie.
        """
        with self._lock:
            if self._stored is not None:
                if not self._asked or time.monotonic() - self._asked > _PAUSE:
                    self._traces = self._stored()
                    self._asked = time.monotonic()
                return self._traces
            state = self._files()
            # What is open changes with time alone.
            if state != self._state or any(name.endswith(".open") for name, *_ in state):
                try:
                    self._traces = self._growing.load(self.path) if self.path is not None else Traces()
                except SealedError:
                    raise
                except TraceError:
                    self._traces = Traces()
                for record in self._verdicts():
                    if record.trace_id in self._traces:
                        self._traces.add_record(record)
                self._state = state
            return self._traces

    def _verdicts(self) -> Iterator[SpanRecord]:
        """What stands beside a single file about runs in it."""
        if self.path is None or self.path.is_dir() or not (beside := self.path.with_name(NAME)).is_file():
            return
        with suppress(TraceError):
            traces = load(beside)
            for trace_id in traces.ids:
                yield from traces.records(trace_id)

    def _files(self) -> list[tuple[str, int, int]]:
        if self.path is None:
            return []
        # An index tells nothing that its file does not.
        below = (
            (path for path in self.path.rglob("*") if path.suffix != ".index")
            if self.path.is_dir()
            else [self.path, self.path.with_name(NAME)]
        )
        state = []
        for path in sorted(below):
            with suppress(OSError):  # a writer's retention has deleted it by now
                facts = path.stat()
                state.append((str(path), facts.st_size, facts.st_mtime_ns))
        return state

"""The traces of an experiment's cases: recorded as ever, and held in memory until they are scored."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk import encryption, lifecycle
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._scrub.policy import Policy
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.private_files import private_directory
from agentops_sdk.testing.records import as_element
from agentops_sdk.testing.results import CapturedTrace
from agentops_sdk.traces.formats.from_otel import record_dict

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord

__all__ = ["CaseTraces"]

_SECONDS = 30.0


class CaseTraces:
    """What was recorded, by trace. Where nothing is recorded, there are no traces."""

    def __init__(self) -> None:
        self._memory = MemoryExporter(1_000_000)
        self._lock = threading.Lock()
        self._taken = 0
        self._records: dict[str, list[SpanRecord]] = defaultdict(list)
        self._policy: Policy | None = None
        self.keeps_content = True

    @contextmanager
    def recording(self) -> Iterator[Path]:
        """Have every span as well; what runs afterwards is as it was. Yields the directory of the settings."""
        if process_runtime.current is None and process_runtime.settings_in_force() is None:
            lifecycle.init()
        running = process_runtime.current
        settings = running.settings if running is not None else process_runtime.settings_in_force()
        if settings is None:
            raise RuntimeError("init() has just been called")
        # Where a key is asked for and cannot be had, nothing is written in plain text.
        is_keyless = settings.encryption_key is not None and encryption.active is None
        self._policy, self.keeps_content = Policy(settings), settings.capture_content and not is_keyless
        if running is None:
            yield Path(settings.directory).absolute()
            return
        lifecycle.configure(exporters=[*settings.exporters, self._memory], sample_ratio=1.0)
        try:
            yield Path(settings.directory).absolute()
        finally:
            if process_runtime.current is running:
                running.queue.flush(_SECONDS)
                kept = [sink for sink in running.settings.exporters if sink is not self._memory]
                lifecycle.configure(exporters=kept, sample_ratio=settings.sample_ratio)

    def trace(self, trace_id: str) -> CapturedTrace | None:
        """A case's trace, once all of it has ended; waits for that."""
        if not trace_id:
            return None
        if process_runtime.current is not None:
            process_runtime.current.queue.flush(_SECONDS)
        with self._lock:
            spans = self._memory.finished_spans()
            for span in spans[self._taken :]:
                record = as_element(record_dict(span))
                self._records[record.trace_id].append(record)
            self._taken = len(spans)
            records = list(self._records.get(trace_id, ()))
        return CapturedTrace(records) if records else None

    def root(self, trace_id: str) -> SpanRecord | None:
        """The outermost span of a case."""
        with self._lock:
            return next((record for record in self._records.get(trace_id, ()) if record.parent_id is None), None)

    def keeps(self, trace_id: str) -> bool:
        """Whether content of a case may be kept: as that of its outermost span, by ``content_rules``, too."""
        if not self.keeps_content or self._policy is None:
            return self.keeps_content
        root = self.root(trace_id)
        return self._policy.captures({} if root is None else root.attributes, int(trace_id or "0", 16))

    def scrubbed(self, value: Any) -> Any:
        """Plain data without secrets, as whatever leaves."""
        if self._policy is None:
            return value
        if isinstance(value, str):
            return self._policy.text(value)
        if isinstance(value, dict):
            return {name: self.scrubbed(each) for name, each in value.items()}
        return [self.scrubbed(each) for each in value] if isinstance(value, list | tuple) else value

    def make_folder(self, path: Path) -> None:
        """A folder for its owner only."""
        private_directory(path)

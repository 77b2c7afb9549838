"""The last complete traces, in memory: written when an alert fires, also where sampling has dropped them."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.encryption import sealed_line
from agentops_sdk.private_files import open_private, private_directory
from agentops_sdk.traces.formats.from_otel import record_line

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["FlightRecorder"]

_MOST_SPANS = 2_000  # of one trace; of a longer one the first are kept
_OPEN = 200  # traces that have not ended
_TOGETHER = 60.0  # seconds in which alerts share a file: when a provider fails, those of a thousand users fire at once
_NAME = re.compile(r"[^a-z0-9]+")


class FlightRecorder:
    """Holds the spans of the last ``most`` complete traces, scrubbed as for any sink, and of those that are open."""

    def __init__(self, most: int, folder: Path) -> None:
        self._most = most
        self._folder = folder
        self._open: OrderedDict[int, list[ReadableSpan]] = OrderedDict()
        self._complete: OrderedDict[int, list[ReadableSpan]] = OrderedDict()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._path: Path | None = None
        self._begun = 0.0
        self._written: dict[int, int] = {}
        """How many spans of each trace are in the file that was begun last."""

    def add(self, span: ReadableSpan) -> None:
        """A span ended. Consumer thread."""
        if span.context is None or not self._most:
            return
        trace_id = span.context.trace_id
        with self._lock:
            spans = self._complete.get(trace_id)
            if spans is None:
                spans = self._open.setdefault(trace_id, [])
            if len(spans) < _MOST_SPANS:
                spans.append(span)
            if (span.parent is None or span.parent.is_remote) and trace_id in self._open:
                self._complete[trace_id] = self._open.pop(trace_id)
            while len(self._complete) > self._most:
                self._complete.popitem(last=False)
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)

    def write(self, rule: str, trace_id: str) -> str | None:
        """Write them all, and what there is of the trace that the alert is about; the file's name.

        What alerts within a minute write is in one file, and each span there once.
        """
        with self._lock:
            traces = {number: list(spans) for number, spans in self._complete.items()}
            about = int(trace_id, 16) if trace_id else 0
            if about in self._open:
                traces[about] = list(self._open[about])
        if not traces:
            return None
        with self._writing:
            path = self._path
            if path is None or time.monotonic() - self._begun > _TOGETHER or not path.exists():
                private_directory(self._folder)
                path = self._path = self._folder / _file_name(rule)
                self._begun, self._written = time.monotonic(), {}
            descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                for number, spans in traces.items():
                    new = spans[self._written.get(number, 0) :]
                    os.write(descriptor, b"".join(sealed_line(record_line(span)) for span in new))
                    self._written[number] = len(spans)
            finally:
                os.close(descriptor)
        return str(path)


def _file_name(rule: str) -> str:
    name = _NAME.sub("-", rule.lower()).strip("-")[:40]
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{name}-{os.getpid()}-{time.time_ns() % 10**6}.jsonl"

"""The console sink: each trace as a tree on stderr once its root has ended; off by default."""

from __future__ import annotations

import logging
import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.contract import Create, SinkOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult

    from agentops_sdk.config import Settings
    from agentops_sdk.traces import SpanRecord

_log = logging.getLogger("agentops_sdk")

__all__ = ["ConsoleExporter", "create"]

_TRACES, _SPANS = 100, 2_000


class ConsoleExporter(SinkOptions):
    """Prints a trace's spans as a tree when the one above all of them ends.

    Spans whose root is in another process, or did not end, are printed by ``force_flush`` and
    ``shutdown``. Bounded: the oldest unfinished trace is printed early when there are many, or when
    one grows long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: OrderedDict[int, list[ReadableSpan]] = OrderedDict()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        from opentelemetry.sdk.trace.export import SpanExportResult

        with self._lock:
            for span in spans:
                context = span.get_span_context()
                if context is None:
                    continue
                trace_id = context.trace_id
                self._traces.setdefault(trace_id, []).append(span)
                if span.parent is None or span.parent.is_remote or len(self._traces[trace_id]) >= _SPANS:
                    self._print(trace_id)
            while len(self._traces) > _TRACES:
                self._print(next(iter(self._traces)))
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Print what is there of traces whose root has not ended."""
        with self._lock:
            for trace_id in list(self._traces):
                self._print(trace_id)
        return True

    def shutdown(self) -> None:
        self.force_flush()

    def after_fork(self) -> None:
        self.__init__()  # type: ignore[misc]  # made anew in the child

    def _print(self, trace_id: int) -> None:
        from agentops_sdk.traces import Trace
        from agentops_sdk.traces.display.render import Tree, console_for

        records = _records(self._traces.pop(trace_id))
        stream: Any = sys.stderr  # looked up late: tests and notebooks replace it
        if stream is None or not records:
            return
        console = console_for(stream)
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        tree = Tree(Trace(records), console.width, ascii_only=not encoding.startswith("utf"))
        for line in tree.lines():
            console.print(line)


def _records(spans: list[ReadableSpan]) -> list[SpanRecord]:
    """The spans as records; one that breaks OpenTelemetry's contract is left out, not its neighbours."""
    from agentops_sdk.traces.formats.from_otel import record_dict
    from agentops_sdk.traces.formats.parse import as_record
    from agentops_sdk.traces.formats.wire_values import UNENCODABLE, encodable

    records = []
    for span in spans:
        try:
            records.append(as_record(record_dict(encodable(span))))
        except UNENCODABLE:
            _log.warning("agentops_sdk: a span of scope %r cannot be shown", span.instrumentation_scope)
    return records


def create(argument: str | None, settings: Settings) -> ConsoleExporter:
    """``"console"``."""
    if argument is not None:
        raise ConfigError("exporters", f"console:{argument}", '"console", which takes no argument')
    return ConsoleExporter()


_CREATE: Create = create  # a type checker sees here that it keeps the contract

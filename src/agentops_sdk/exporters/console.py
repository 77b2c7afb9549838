"""The console sink: each step on stderr as it starts and ends, with the totals at the end of a run; off by default."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters._export_result import export_result
from agentops_sdk.exporters.contract import Create, SinkOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult
    from rich.text import Text

    from agentops_sdk.config import Settings
    from agentops_sdk.traces import SpanRecord
    from agentops_sdk.traces.display.step_lines import StepLines

_log = logging.getLogger("agentops_sdk")

__all__ = ["ConsoleExporter", "create"]


class ConsoleExporter(SinkOptions):
    """Prints a line for each step that ended, and before it one for each that has been open for a second.

    Steps are indented below those above them that are known by then; the line of the outermost one has the
    tokens and the cost of the run.
    """

    lean = True

    # Beside a busy program their import took longer than a shutdown waits, and pydantic's would meet that of a client.
    imports = (
        "agentops_sdk.traces.display.step_lines",
        "agentops_sdk.traces.formats.from_otel",
        "agentops_sdk.traces.formats.parse",
        "agentops_sdk.traces.record",
        "rich.console",
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: StepLines | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._print(spans, lambda lines, record: lines.ended(record))
        return export_result(success=True)

    def export_open(self, runs: Sequence[Sequence[ReadableSpan]], still_open: AbstractSet[int]) -> None:
        """Print what has begun."""
        self._print((span for spans in runs for span in spans), lambda lines, record: lines.started(record))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is ever held back."""
        return True

    def shutdown(self) -> None:
        """There is nothing to close."""

    def after_fork(self) -> None:
        self.__init__()  # type: ignore[misc]  # made anew in the child

    def _print(self, spans: Iterable[ReadableSpan], text: Callable[[StepLines, SpanRecord], Text]) -> None:
        from agentops_sdk.traces.display.render import console_for
        from agentops_sdk.traces.display.step_lines import StepLines

        stream: Any = sys.stderr  # looked up late: tests and notebooks replace it
        if stream is None:
            return
        console = console_for(stream)
        with self._lock:
            if self._lines is None:
                encoding = (getattr(stream, "encoding", None) or "ascii").lower()
                self._lines = StepLines(ascii_only=not encoding.startswith("utf"))
            for span in spans:
                if (record := _record(span)) is not None:
                    console.print(text(self._lines, record))


def _record(span: ReadableSpan) -> SpanRecord | None:
    """The span as a record; ``None`` for one that breaks OpenTelemetry's contract."""
    from agentops_sdk.traces.formats.from_otel import record_dict
    from agentops_sdk.traces.formats.parse import as_record
    from agentops_sdk.traces.formats.wire_values import UNENCODABLE, encodable

    if span.get_span_context() is None:
        return None
    try:
        return as_record(record_dict(encodable(span)))
    except UNENCODABLE:
        _log.warning("agentops_sdk: a span of scope %r cannot be shown", span.instrumentation_scope)
        return None


def create(argument: str | None, settings: Settings) -> ConsoleExporter:
    """``"console"``."""
    if argument is not None:
        raise ConfigError("exporters", f"console:{argument}", '"console", which takes no argument')
    return ConsoleExporter()


_CREATE: Create = create  # a type checker sees here that it keeps the contract

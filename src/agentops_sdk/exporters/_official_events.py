"""OpenTelemetry's own log exporters as sinks of ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk.exporters._event_records import readable_records

if TYPE_CHECKING:
    from agentops_sdk.exporters._event_records import SentEvent

__all__ = ["OfficialEvents", "console"]


class OfficialEvents:
    """A ``LogRecordExporter``."""

    def __init__(self, exporter: Any) -> None:
        self.exporter = exporter

    def export(self, events: Sequence[SentEvent]) -> Any:
        """Hand them over."""
        return self.exporter.export(readable_records(events))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the exporter does, if it can."""
        official = self.exporter
        flush = getattr(official, "force_flush", None)
        return flush is None or flush(timeout_millis) is not False

    def shutdown(self) -> None:
        """As the exporter does."""
        self.exporter.shutdown()


def console() -> OfficialEvents:
    """One that prints to stderr."""
    from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter

    return OfficialEvents(ConsoleLogRecordExporter(out=sys.stderr))

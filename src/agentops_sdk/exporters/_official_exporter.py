"""OpenTelemetry's own exporters of metrics and of log records, as sinks of ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from agentops_sdk.exporters._event_records import readable_records
from agentops_sdk.exporters._metric_points import metrics_data

__all__ = ["OfficialExporter", "console_events", "console_metrics", "official_events", "official_metrics"]


class OfficialExporter:
    """A ``MetricExporter`` or a ``LogRecordExporter``.

    Args:
        exporter: whom batches go to.
        form: what it takes, made of one batch of ours.
    """

    def __init__(self, exporter: Any, form: Callable[[Sequence[Any]], Any]) -> None:
        self.official = exporter
        self._form = form

    def export(self, items: Sequence[Any]) -> Any:
        """Hand them over."""
        return self.official.export(self._form(items))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the exporter does, if it can."""
        flush = getattr(self.official, "force_flush", None)
        return flush is None or flush(timeout_millis) is not False

    def shutdown(self) -> None:
        """As the exporter does."""
        self.official.shutdown()


def official_metrics(exporter: Any) -> OfficialExporter:
    """A ``MetricExporter``, given the points of one collection at a time."""
    return OfficialExporter(exporter, metrics_data)


def official_events(exporter: Any) -> OfficialExporter:
    """A ``LogRecordExporter``."""
    return OfficialExporter(exporter, readable_records)


def console_metrics() -> OfficialExporter:
    """One that prints to stderr."""
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

    return official_metrics(ConsoleMetricExporter(out=sys.stderr))


def console_events() -> OfficialExporter:
    """One that prints to stderr."""
    from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter

    return official_events(ConsoleLogRecordExporter(out=sys.stderr))

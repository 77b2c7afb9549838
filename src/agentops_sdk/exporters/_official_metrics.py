"""OpenTelemetry's own metric exporters as sinks of ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk.exporters._metric_points import metrics_data

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter

    from agentops_sdk.exporters._metric_points import Point

__all__ = ["OfficialMetrics", "console"]


class OfficialMetrics:
    """A ``MetricExporter``, given the points of one collection at a time."""

    def __init__(self, exporter: MetricExporter) -> None:
        self.exporter = exporter

    def export(self, points: Sequence[Point]) -> Any:
        """Hand them over."""
        return self.exporter.export(metrics_data(points))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the exporter does."""
        return self.exporter.force_flush(timeout_millis) is not False

    def shutdown(self) -> None:
        """As the exporter does."""
        self.exporter.shutdown()


def console() -> OfficialMetrics:
    """One that prints to stderr."""
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

    return OfficialMetrics(ConsoleMetricExporter(out=sys.stderr))

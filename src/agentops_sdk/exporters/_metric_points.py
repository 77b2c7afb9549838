"""Data points of metrics on their way out, and a batch of them as what OpenTelemetry's exporters take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk.semconv_metrics import MetricRow

__all__ = ["Point", "metrics_data"]


class Point(NamedTuple):
    """One data point.

    Attributes:
        name: of its metric.
        row: the metric.
        delta: whether it tells of the time since the last one, and not since the start.
        data: OpenTelemetry's ``HistogramDataPoint``, ``ExponentialHistogramDataPoint`` or ``NumberDataPoint``.
        resource: the process.
        scope: who measured.
    """

    name: str
    row: MetricRow
    delta: bool
    data: Any
    resource: Resource
    scope: InstrumentationScope


def metrics_data(points: Sequence[Point]) -> MetricsData:
    """Points of one collection, by metric."""
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        ExponentialHistogram,
        ExponentialHistogramDataPoint,
        Histogram,
        Metric,
        MetricsData,
        ResourceMetrics,
        ScopeMetrics,
        Sum,
    )

    by_metric: dict[str, list[Point]] = {}
    for point in points:
        by_metric.setdefault(point.name, []).append(point)
    metrics = []
    for name, group in by_metric.items():
        row, data = group[0].row, [point.data for point in group]
        temporality = AggregationTemporality.DELTA if group[0].delta else AggregationTemporality.CUMULATIVE
        total: ExponentialHistogram | Histogram | Sum
        if row.buckets is None:
            total = Sum(data, temporality, is_monotonic=True)
        elif isinstance(data[0], ExponentialHistogramDataPoint):
            total = ExponentialHistogram(data, temporality)
        else:
            total = Histogram(data, temporality)
        metrics.append(Metric(name, row.description, row.unit, total))
    resource, scope = points[0].resource, points[0].scope
    scoped = ScopeMetrics(scope, metrics, scope.schema_url or "")
    return MetricsData([ResourceMetrics(resource, [scoped], resource.schema_url)])

"""Exponential buckets, one by one as OpenTelemetry's SDK has them of the same values."""

from __future__ import annotations

import random
import sys
from io import StringIO
from typing import Any

import pytest
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from tests.export.collector import Collector

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk._pipeline.base2_buckets import FINEST_SCALE, MOST_BUCKETS, Base2Buckets
from agentops_sdk.integration import start
from agentops_sdk.serve import answer

DRAWN = random.Random(7)


class Theirs:
    """A histogram of the SDK's, since its start."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader(
            preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation(MOST_BUCKETS, FINEST_SCALE)}
        )
        self.provider = MeterProvider([self.reader])
        self.histogram = self.provider.get_meter("m").create_histogram("h")

    def shown(self) -> Any:
        data: Any = self.reader.get_metrics_data()
        point = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0]
        sides = [
            {side.offset + place: count for place, count in enumerate(side.bucket_counts) if count}
            for side in (point.positive, point.negative)
        ]
        return point.scale if any(sides) else FINEST_SCALE, point.zero_count, *sides


def shown(buckets: Base2Buckets) -> Any:
    return buckets.scale, buckets.zeros, buckets.positive, buckets.negative


ROUNDS = {
    "one value": [[3.7]],
    "powers of two": [[2.0**power for power in range(-20, 21)], [1, 1, 1], [1024]],
    "whole numbers": [[*range(1, 400)], [100_000], [*range(5)]],
    "close together": [[1.0 + number / 1e6 for number in range(300)], [1.5]],
    "durations": [[DRAWN.lognormvariate(0, 2) for _ in range(500)] for _ in range(3)],
    "zero first": [[0, 0.0, 5, 0], [0, 7]],
    "as wide as floats": [[1e-9, 1.0], [1e9, 1e300], [sys.float_info.min, sys.float_info.max]],
    "subnormal": [[5e-324, 1.0], [2.5e-308]],
}


@pytest.mark.parametrize("rounds", ROUNDS.values(), ids=ROUNDS)
def test_buckets_are_those_of_the_sdk(rounds: list[list[float]]) -> None:
    theirs, total = Theirs(), Base2Buckets()
    for values in rounds:
        apart, recent = Theirs(), Base2Buckets()
        for value in values:
            theirs.histogram.record(value)
            apart.histogram.record(value)
            recent.add(value, 1)
        assert shown(recent) == apart.shown()
        total.merge(recent)
        assert shown(total) == theirs.shown()
        assert max(max(side) - min(side) for side in (total.positive, total.negative) if side) < MOST_BUCKETS
    assert total.count == sum(map(len, rounds))
    theirs.provider.shutdown()


def test_what_has_no_bucket_is_in_none_and_zeros_cost_no_precision() -> None:
    buckets, zeros, mirrored = Base2Buckets(), Base2Buckets(), Base2Buckets()
    for value in (float("nan"), float("inf"), float("-inf"), 10**400):
        buckets.add(value, 1)
    assert buckets.count == 0
    buckets.add(3.0, 2)
    zeros.add(0, 3)
    buckets.merge(zeros)
    assert (buckets.scale, buckets.zeros, list(buckets.positive.values())) == (FINEST_SCALE, 3, [2])
    for sign, side in ((1, buckets), (-1, mirrored)):
        for value in range(500):
            side.add(sign * value, 1)
    assert not mirrored.positive  # the SDK takes nothing below zero
    buckets.add(3.0, -2)
    assert (mirrored.scale, mirrored.negative) == (buckets.scale, buckets.positive)


def test_a_sink_that_prefers_them_gets_them_beside_one_that_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "by chance")
    agentops.init(exporters=["memory"], integrations=[], metrics=[f"otlp:{collector.url}"])
    assert "expected explicit_bucket_histogram or base2_exponential_bucket_histogram" in caplog.text
    printed = StringIO()
    prefers = ConsoleMetricExporter(printed, preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()})
    agentops.configure(metrics=[f"otlp:{collector.url}", prefers])
    for tokens in (3, 0, 5_000):
        start("llm", "m", attributes={semconv.PROVIDER_NAME: "p", semconv.USAGE_INPUT_TOKENS: tokens}).finish()
    assert agentops.flush(20)
    page = answer("/metrics")[2].decode()
    agentops.shutdown(20)
    collector.close()
    metric = collector.metrics()[-1]["gen_ai.client.token.usage"]
    assert metric.WhichOneof("data") == "histogram"
    assert '"zero_count": 1' in printed.getvalue()
    assert 'le="16.0"' in page

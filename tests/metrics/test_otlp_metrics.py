"""Metrics on the wire: as OpenTelemetry's own SDK sends the same measurements; spooled and counted as spans are."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics as otel_metrics
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from tests.export.collector import Collector

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start

CHAT = {
    semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-4o", semconv.USAGE_SOURCE: "reported",
    semconv.USAGE_INPUT_TOKENS: 1000, semconv.USAGE_OUTPUT_TOKENS: 100,
}  # fmt: skip


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def chat(**attributes: Any) -> None:
    start("llm", "gpt-4o", attributes={**CHAT, **attributes}).finish()


def without_times(request: Any) -> dict[str, Any]:
    """The metrics of a request, comparable."""
    shown = {}
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                points = []
                for point in data.data_points:
                    point.start_time_unix_nano = point.time_unix_nano = 0
                    for exemplar in point.exemplars:
                        exemplar.time_unix_nano = 0
                    attributes = sorted(point.attributes, key=lambda pair: pair.key)
                    del point.attributes[:]
                    point.attributes.extend(attributes)
                    exemplars = sorted(point.exemplars, key=lambda one: one.SerializeToString())
                    assert exemplars
                    del point.exemplars[:]
                    if kind == "histogram":  # of others, the SDK takes some by chance
                        point.exemplars.extend(exemplars)
                    if kind == "exponential_histogram":
                        counts = point.positive.bucket_counts
                        while not counts[-1]:  # the SDK's have room behind the last
                            del counts[-1]
                        assert not any(point.negative.bucket_counts)
                        point.ClearField("negative")
                    points.append(str(point))
                shown[metric.name] = (
                    metric.unit, metric.description, kind, data.aggregation_temporality,
                    getattr(data, "is_monotonic", None), sorted(points),
                )  # fmt: skip
    return shown


@pytest.mark.parametrize("aggregation", ["explicit_bucket_histogram", "base2_exponential_bucket_histogram"])
@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_the_wire_is_that_of_opentelemetrys_sdk(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, temporality: str, aggregation: str
) -> None:
    wanted = AggregationTemporality[temporality.upper()]
    reader = InMemoryMetricReader(
        preferred_temporality={Counter: wanted, Histogram: wanted},
        preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()} if "base2" in aggregation else None,
    )
    monkeypatch.setattr(otel_metrics._internal, "_METER_PROVIDER", MeterProvider([reader]))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", aggregation)
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"])
    for round_ in (0, 1):
        for number in range(3):
            chat(**{semconv.USAGE_INPUT_TOKENS: 10 ** (number + round_), semconv.SERVER_PORT: number})
        with agentops.span("worker", kind="agent"), agentops.span("look", kind="tool"):
            chat()
        assert agentops.flush(20)
        assert len(collector.metrics()) == round_ + 1
        data = reader.get_metrics_data()
        assert data is not None
        data.resource_metrics[:] = [  # type: ignore[index]  # a list
            resource for resource in data.resource_metrics
            if resource.scope_metrics[:] and any(scope.scope.name == "agentops_sdk" for scope in resource.scope_metrics)
        ]  # fmt: skip
        _, mine = collector.received[-1]
        theirs = encode_metrics(data)
        shown = without_times(mine)
        assert shown == without_times(theirs)
        kinds = {kind for _, _, kind, *_ in shown.values()}
        assert kinds == {"sum", "exponential_histogram" if "base2" in aggregation else "histogram"}
    agentops.flush(20)
    assert len(collector.metrics()) == 2  # nothing was measured since
    assert set(collector.paths) == {"/v1/metrics"}


def test_the_variables_of_the_signal_win(collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=all")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{collector.url}/mine/metrics")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "authorization=Bearer%20m")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path)
    chat()
    assert collector.wait_for(lambda: len(collector.metrics()) > 1)  # of itself, again and again
    assert set(collector.paths) == {"/mine/metrics"}
    assert collector.headers[0]["authorization"] == "Bearer m"


@pytest.mark.parametrize(
    ("environment", "sends"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{url}"}, False),  # says where, and not that metrics are wanted
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{url}", "OTEL_METRICS_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{url}/v1/metrics", "OTEL_METRICS_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{url}/v1/metrics", "AGENTOPS_METRICS": "none"}, False),
    ],
)
def test_nothing_is_sent_unless_asked(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], sends: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(url=collector.url))
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path)
    chat()
    agentops.shutdown(20)
    assert bool(collector.metrics()) is sends


def test_processes_of_one_service_are_told_apart(collector: Collector, tmp_path: Path) -> None:
    """Prometheus and its like know a process by its instance alone; a fork is another one."""

    def instances() -> list[str]:
        return [
            pair.value.string_value
            for signal, request in collector.received
            for resource in request.resource_metrics
            for pair in resource.resource.attributes
            if signal == "metrics" and pair.key == "service.instance.id"
        ]

    where: Any = {"directory": tmp_path, "exporters": ["memory"], "metrics": [f"otlp:{collector.url}"]}
    agentops.init(**where)
    chat()
    agentops.flush()
    if not (child := os.fork()):
        chat()
        agentops.flush()
        os._exit(0)
    os.waitpid(child, 0)
    agentops.shutdown()
    agentops.init(**where, resource_attributes={"service.instance.id": "mine"})
    chat()
    agentops.flush()
    first, forked, named = instances()
    assert len({first, forked, named}) == 3
    assert named == "mine"


def test_an_outage_is_spooled_counted_and_told(collector: Collector, tmp_path: Path) -> None:
    collector.refuses["metrics"] = 503
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"])
    chat()
    agentops.flush(1)
    sink = agentops.status().signals["metrics otlp"]
    assert sink.accepted == sink.pending > 4
    assert sink.accepted == sink.exported + sink.pending + sink.lost
    deadline = time.monotonic() + 20
    while (check := agentops.health().checks["metrics otlp"]).status == "ok":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "data points wait" in check.detail
    agentops.shutdown(1)
    collector.refuses.clear()
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"])
    chat()
    assert collector.wait_for(lambda: len({metric for sent in collector.metrics() for metric in sent}) > 3)
    assert agentops.flush(20)
    assert agentops.status().signals["metrics otlp"].details["adopted"]["exported"] > 4
    assert agentops.health().checks["metrics otlp"].status == "ok"


def test_a_refused_metric_does_not_take_the_others_along(collector: Collector, tmp_path: Path) -> None:
    from agentops_sdk.exporters.otlp.request_halves import halves
    from agentops_sdk.exporters.otlp.segment import Piece

    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"])
    for number in range(4):
        chat(**{semconv.SERVER_PORT: number})
    assert agentops.flush(20)
    assert collector.wait_for(lambda: bool(collector.metrics()))
    request = collector.received[-1][1]
    count = agentops.status().signals["metrics otlp"].exported
    one, other = halves([Piece(request.SerializeToString(), count)], "metrics")
    assert one[0].spans + other[0].spans == count
    assert min(one[0].spans, other[0].spans) > 1
    names = [
        metric.name for piece in (*one, *other)
        for resource in type(request).FromString(piece.payload).resource_metrics
        for scope in resource.scope_metrics for metric in scope.metrics
    ]  # fmt: skip
    assert sorted(names) == sorted(collector.metrics()[-1])


def test_a_sink_that_is_not_named_again_keeps_its_account(
    collector: Collector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Refuses:
        def export(self, _data: object) -> None:
            raise OSError("no")

        def force_flush(self, _timeout: float) -> bool:
            return True

        def shutdown(self) -> None: ...

    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"])
    chat()
    agentops.configure(metrics=[Refuses()])
    assert len(collector.metrics()) == 1  # what was measured until then went where it was to go
    assert agentops.status().closed_sinks["metrics otlp"].exported > 4
    chat()
    agentops.shutdown(20)
    assert "of metrics Refuses" in caplog.text
    assert "were lost" in caplog.text


def test_an_exporter_of_opentelemetrys_is_a_sink(tmp_path: Path) -> None:
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

    printed: list[str] = []

    class Out:
        def write(self, text: str) -> None:
            printed.append(text)

        def flush(self) -> None: ...

    exporter = ConsoleMetricExporter(out=Out())  # type: ignore[arg-type]  # what it needs of a file
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, metrics=[exporter])
    chat()
    assert agentops.flush(20)
    assert "gen_ai.client.operation.duration" in "".join(printed)
    assert agentops.status().signals["metrics ConsoleMetricExporter"].exported > 4


def test_ship_sends_each_signal_to_its_own_place(collector: Collector, tmp_path: Path) -> None:
    from agentops_sdk.cli import main

    collector.refuses.update(traces=503, metrics=503)
    agentops.init(
        exporters=[f"otlp:{collector.url}"], integrations=[], directory=tmp_path, metrics=[f"otlp:{collector.url}"]
    )
    chat()
    agentops.shutdown(1)
    collector.refuses.clear()
    assert main(["ship", "--dir", str(tmp_path), "--to", collector.url]) == 0
    assert {signal for signal, _ in collector.received} == {"traces", "metrics"}
    assert "gen_ai.client.operation.duration" in collector.metrics()[-1]

"""A program's own providers of telemetry, and scenario programs that run with them and are measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import opentelemetry._logs._internal as otel_logs
import pytest
from opentelemetry import metrics as otel_metrics
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.conformance.measure import Measure, Telemetry, model
from tests.conformance.scenarios import Scenario, close_clients, reply_of
from tests.shared import shared
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.traces.conformance.source import span_of

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"


class Providers:
    """A program's own providers of telemetry, as OpenTelemetry's launcher sets them: what was told is taken away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.reader = InMemoryMetricReader(dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA))
        self.meters, loggers, tracers = MeterProvider([self.reader]), LoggerProvider(False), TracerProvider()
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        monkeypatch.setattr(otel_metrics._internal, "_METER_PROVIDER", self.meters)
        monkeypatch.setattr(otel_logs, "_LOGGER_PROVIDER", loggers)
        monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", tracers)

    def told(self) -> Telemetry:
        series: dict[str, list[Any]] = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    series[metric.name] = [dict(point.attributes or {}) for point in metric.data.data_points]
        events: dict[str, list[Any]] = {}
        for found in self.logs.get_finished_logs():
            events.setdefault(found.log_record.event_name, []).append(dict(found.log_record.attributes))
        told = Telemetry([span_of(one) for one in self.spans.get_finished_spans()], series, events)
        self.spans.clear()
        self.logs.clear()
        return told


def measured(
    programs: Sequence[Scenario], state: str, integrations: list[str], monkeypatch: pytest.MonkeyPatch
) -> Measure:
    """How much of what the programs reveal is there; the documentation has the same figures."""
    folder = shared("semconv")
    if folder is None:
        pytest.skip("../shared/semconv is missing")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    providers, measure = Providers(monkeypatch), Measure()
    agentops.init(exporters=[MemoryExporter()], integrations=integrations, semconv=state)
    for program in programs:
        with Wire(*map(reply_of, program.replies)) as wire:
            program.run(wire.url)
            close_clients()
        assert agentops.flush(10)
        measure.add(program, providers.told(), model(folder, state), state)
    agentops.shutdown()
    providers.meters.shutdown()
    print(f"{integrations[0]}, {state}: {measure.score:.1f} of 100 over {dict(measure.asked)}")
    for row in (*measure.missing.items(), *measure.wrong.items()):
        print(row)
    named = " over ".join(f"`{name}`" for name in integrations if name != "openai" or len(integrations) == 1)
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {named} |")]
    figures = dict(zip(("number", "pin", "main", "there"), row.strip("| ").split(" | ")[1:], strict=True))
    assert (figures["number"], figures[state], figures["there"]) == (
        str(len(programs)), str(measure.asked.total()), f"{measure.score:.1f} %",
    )  # fmt: skip
    return measure

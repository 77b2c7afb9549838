"""What spans measure: by the conventions' own lists, once each, whoever samples them.

Long because each metric of both states is measured here, and all that must not change a figure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics as otel_metrics
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.shared import shared

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk._pipeline import host_meter, process_runtime
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start
from agentops_sdk.semconv_metrics import ROWS, name_in
from agentops_sdk.serve import answer

CHAT = {
    semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-4o", semconv.RESPONSE_MODEL: "gpt-4o-2024-08-06",
    semconv.SERVER_ADDRESS: "api.openai.com", semconv.SERVER_PORT: 443, semconv.USAGE_SOURCE: "reported",
    semconv.USAGE_INPUT_TOKENS: 1000, semconv.USAGE_OUTPUT_TOKENS: 100,
}  # fmt: skip


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    """The program's own MeterProvider."""
    memory = InMemoryMetricReader()
    provider = MeterProvider([memory])
    monkeypatch.setattr(otel_metrics._internal, "_METER_PROVIDER", provider)
    yield memory
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """By metric: attributes and data point of each series."""
    data = reader.get_metrics_data()
    return {
        metric.name: [(dict(point.attributes or {}), point) for point in metric.data.data_points]
        for resource in (data.resource_metrics if data is not None else ())
        for scope in resource.scope_metrics
        if scope.scope.name == "agentops_sdk"
        for metric in scope.metrics
    }


def chat(**attributes: Any) -> None:
    start("llm", "gpt-4o", attributes={**CHAT, **attributes}).finish()


@pytest.mark.parametrize("state", ["pin", "main"])
def test_the_table_is_that_of_the_conventions(state: str) -> None:
    folder = shared("semconv")
    if folder is None:
        pytest.skip("../shared/semconv is missing")
    model = json.loads((folder / f"coverage-model.{state}.json").read_text())["metrics"]
    ours = {name: row for row in ROWS if (name := name_in(row, state)) and not name.startswith("agentops.")}
    assert {name for name in model if name not in ours} <= {
        "gen_ai.server.request.duration",
        "gen_ai.server.time_per_output_token",
        "gen_ai.server.time_to_first_token",
    }  # fmt: skip - what a model server measures, and no client
    for name, row in ours.items():
        listed = model[name]
        assert row.unit == listed["unit"]
        assert (listed["instrument"] == "counter") == (row.buckets is None)
        assert list(row.buckets or ()) == (listed["buckets"] or [])
        needed = {key for key, level in listed["attributes"].items() if not level.startswith("opt_in")}
        extra = {semconv.USAGE_SOURCE}  # labels what was counted or estimated here
        assert needed - {"jsonrpc.protocol.version"} <= set(row.attributes) <= needed | extra


def test_limits_of_spans_take_nothing_from_what_is_measured(reader: InMemoryMetricReader) -> None:
    memory = MemoryExporter()
    agentops.init(exporters=[memory], attribute_count_limit=3, attribute_length_limit=4)
    with agentops.span("bot", kind="agent"):
        chat()
    agentops.flush()
    found = points(reader)
    tokens = {told["gen_ai.token.type"]: (told["gen_ai.request.model"], point.sum)
              for told, point in found["gen_ai.client.token.usage"]}  # fmt: skip
    assert tokens == {"input": ("gpt-4o", 1000), "output": ("gpt-4o", 100)}
    assert [told["gen_ai.agent.name"] for told, _ in found["gen_ai.invoke_agent.duration"]] == ["bot"]
    assert "agentops.cost" in found
    assert [len(span.attributes or {}) for span in memory.finished_spans()] == [3, 3]


def test_limits_of_the_programs_provider_neither(reader: InMemoryMetricReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's provider leaves out what was set first, which is what a span is."""
    memory, theirs = MemoryExporter(), InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=5))
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    monkeypatch.setattr(otel_trace, "_TRACER_PROVIDER", provider)
    agentops.init(exporters=[memory])
    with agentops.span("bot", kind="agent"):
        chat()
    agentops.flush()
    found = points(reader)
    assert {told["gen_ai.token.type"]: point.sum for told, point in found["gen_ai.client.token.usage"]} == {
        "input": 1000, "output": 100,
    }  # fmt: skip
    assert [point.sum for _, point in found["gen_ai.invoke_agent.inference_calls"]] == [1]
    call, _ = memory.finished_spans()
    assert dict(call.attributes or {}).items() >= CHAT.items()
    for span in theirs.get_finished_spans():
        assert len(span.attributes or {}) == 5
        assert {"agentops.kind", "gen_ai.operation.name"} <= set(span.attributes or {})


def test_texts_that_the_programs_provider_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, theirs = MemoryExporter(), InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(max_attribute_length=30))
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    monkeypatch.setattr(otel_trace, "_TRACER_PROVIDER", provider)
    agentops.init(exporters=[memory], integrations=[])

    @agentops.tool
    def look_up(city: str) -> None:
        raise LookupError("no such city, " * 9)

    with pytest.raises(LookupError):
        look_up("Lisbon" * 9)
    agentops.flush()
    (ours,), (cut,) = memory.finished_spans(), theirs.get_finished_spans()
    told, left = dict(ours.attributes or {}), dict(cut.attributes or {})
    assert json.loads(told["gen_ai.tool.call.arguments"]) == {"city": "Lisbon" * 9}
    assert "LookupError" in str((ours.events[0].attributes or {})["exception.stacktrace"])
    assert "agentops.truncated" not in told
    assert len(left["gen_ai.tool.call.arguments"]) == 30
    names = {"gen_ai.tool.call.arguments", "exception.message", "exception.stacktrace"}
    assert set(left["agentops.truncated"]) == {name[:30] for name in names}  # by the same provider


def test_a_stream_in_the_pin_state(reader: InMemoryMetricReader) -> None:
    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=[])
    chat(**{semconv.RESPONSE_TIME_TO_FIRST_CHUNK: 0.0, semconv.STREAM_CHUNKS: 5})
    assert agentops.flush(10)
    found = points(reader)
    model = {key: value for key, value in CHAT.items() if "usage" not in key} | {semconv.OPERATION_NAME: "chat"}
    for name in ("duration", "time_to_first_chunk", "time_per_output_chunk"):
        ((attributes, point),) = found[f"gen_ai.client.operation.{name}"]
        assert attributes == model
        assert point.count == (4 if name == "time_per_output_chunk" else 1)
    tokens = {attributes[semconv.TOKEN_TYPE]: point for attributes, point in found["gen_ai.client.token.usage"]}
    assert {side: point.sum for side, point in tokens.items()} == {"input": 1000, "output": 100}
    assert tuple(tokens["input"].explicit_bounds[:4]) == (1, 4, 16, 64)
    (exemplar,) = tokens["input"].exemplars
    (span,) = memory.finished_spans()
    assert span.context is not None
    assert (exemplar.trace_id, exemplar.span_id) == (span.context.trace_id, span.context.span_id)
    ((_, cost),) = found["agentops.cost"]
    assert cost.value == pytest.approx(1000 * 2.5e-6 + 100 * 1e-5)


def test_the_main_state_has_other_names(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[], semconv="main")
    chat(**{semconv.USAGE_AUDIO_INPUT: 300, semconv.USAGE_CACHE_READ: 50})
    start("embedding", "e", attributes={semconv.PROVIDER_NAME: "openai", semconv.USAGE_INPUT_TOKENS: 7}).finish()
    assert agentops.flush(10)
    found = points(reader)
    assert {name for name in found if name.startswith("gen_ai.client.")} == {
        "gen_ai.client.operation.duration",  # of the embedding
        "gen_ai.client.inference.duration",
        *(f"gen_ai.client.inference.operation.{side}_tokens" for side in ("input", "output")),
        *(f"gen_ai.client.inference.usage.{side}_tokens" for side in
          ("input", "output", "cache_read.input", "cache_write.input", "reasoning.output")),
    }  # fmt: skip
    by_modality = {
        attributes[semconv.TOKEN_MODALITY]: point.value
        for attributes, point in found["gen_ai.client.inference.usage.input_tokens"]
    }
    assert by_modality == {"audio": 300, "unknown": 700}
    ((_, cached),) = found["gen_ai.client.inference.usage.cache_read.input_tokens"]
    assert cached.value == 50


def test_calls_belong_to_the_agent_that_made_them(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[])

    def tool(name: str) -> Any:
        return agentops.span(name, kind="tool")

    with agentops.span("research", kind="workflow"), agentops.span("planner", kind="agent"):
        chat()
        with tool("web_research"), agentops.span("inner", kind="workflow"), agentops.span("researcher", kind="agent"):
            chat()
            with tool("get_weather"):
                pass
            chat()
        chat()
    with agentops.span("idle", kind="agent"):
        pass
    assert agentops.flush(10)
    found = points(reader)
    for metric, expected in (("inference_calls", (2, 2, 0)), ("tool_calls", (1, 1, 0))):
        counts = {
            attributes[semconv.AGENT_NAME]: point.sum for attributes, point in found[f"gen_ai.invoke_agent.{metric}"]
        }
        assert counts == dict(zip(("planner", "researcher", "idle"), expected, strict=True))
    assert len(found["gen_ai.invoke_agent.duration"]) == 3
    assert len(found["gen_ai.invoke_workflow.duration"]) == 2
    assert {attributes[semconv.TOOL_NAME] for attributes, _ in found["gen_ai.execute_tool.duration"]} == {
        "web_research", "get_weather",
    }  # fmt: skip


@pytest.mark.parametrize("keep_errors", [True, False])
def test_what_sampling_leaves_out_is_measured_once(reader: InMemoryMetricReader, keep_errors: bool) -> None:
    agentops.init(exporters=["memory"], integrations=[], sample_ratio=0.0, keep_errors=keep_errors)
    for fails in (False, True):
        try:
            with agentops.span("job", kind="agent"):
                chat()
                if fails:
                    raise KeyError("gone")
        except KeyError:
            pass
    assert agentops.flush(10)
    found = points(reader)
    assert [point.count for _, point in found["gen_ai.client.operation.duration"]] == [2]
    assert sum(point.sum for _, point in found["gen_ai.client.token.usage"]) == 2200
    assert [point.sum for _, point in found["gen_ai.invoke_agent.inference_calls"]] == [2]
    ((_, cost),) = found["agentops.cost"]
    assert cost.value == pytest.approx(2 * (1000 * 2.5e-6 + 100 * 1e-5))
    by_error = {attributes.get(semconv.ERROR_TYPE): point.count
                for attributes, point in found["gen_ai.invoke_agent.duration"]}  # fmt: skip
    assert by_error == {None: 1, "KeyError": 1}


def test_a_reply_that_is_read_again_costs_once(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    for operation in ("chat", "fetch_response", "fetch_response"):
        chat(**{semconv.OPERATION_NAME: operation, semconv.RESPONSE_ID: "resp_1"})
    chat(**{semconv.CACHED: True})  # answered by the program itself
    chat(**{semconv.MODEL_CALLS: 1})  # the calls inside of it tell
    assert agentops.flush(10)
    found = points(reader)
    assert sum(point.sum for _, point in found["gen_ai.client.token.usage"]) == 1100
    assert len(found["agentops.cost"]) == 1
    assert found["agentops.cost"][0][1].value == pytest.approx(1000 * 2.5e-6 + 100 * 1e-5)


def test_an_estimate_is_labelled(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    for source in ("reported", "estimated"):
        chat(**{semconv.USAGE_SOURCE: source})
    assert agentops.flush(10)
    sources = [attributes.get(semconv.USAGE_SOURCE) for attributes, _ in points(reader)["gen_ai.client.token.usage"]]
    assert sorted(map(str, sources)) == ["None", "None", "estimated", "estimated"]


def test_decisions_count_where_they_happened(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    for chosen in ("refund", "refund", "ask"):
        with agentops.decision("next", options=["refund", "ask"], by="code") as decision:
            decision.choose(chosen, confidence=0.7)
    assert agentops.flush(10)
    found = points(reader)
    counts = {attributes[semconv.DECISION_CHOSEN]: point.value for attributes, point in found["agentops.decisions"]}
    assert counts == {"refund": 2, "ask": 1}
    assert [point.count for _, point in found["agentops.decision.confidence"]] == [3]


def test_series_are_bounded_and_that_is_told(reader: InMemoryMetricReader, caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    for number in range(300):
        chat(**{semconv.REQUEST_MODEL: f"m{number}"})
    assert agentops.flush(10)
    durations = points(reader)["gen_ai.client.operation.duration"]
    assert len(durations) == 201
    assert [point.count for attributes, point in durations if attributes == {"otel.metric.overflow": True}] == [100]
    running = process_runtime.current
    assert running is not None
    assert running.signals.metrics.store.overflowed["gen_ai.client.operation.duration"] == 100
    assert "more than 200 series" in caplog.text


def test_no_meter_provider_where_metrics_are_none(reader: InMemoryMetricReader) -> None:
    agentops.init(exporters=["memory"], integrations=[], metrics=["none"])
    chat()
    assert agentops.flush(10)
    assert points(reader) == {}


def test_the_page_for_prometheus_has_exemplars_where_it_may() -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser", reason="the extra prometheus is missing")
    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=[])
    chat()
    assert agentops.flush(10)
    (span,) = memory.finished_spans()
    assert span.context is not None
    code, kind, plain = answer("/metrics")
    assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"trace_id" not in plain
    code, kind, body = answer("/metrics", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parser.text_string_to_metric_families(body.decode())}
    marked = [sample for sample in families["gen_ai_client_token_usage"].samples if sample.exemplar]
    assert {sample.labels["gen_ai_token_type"] for sample in marked} == {"input", "output"}
    assert {sample.exemplar.labels["trace_id"] for sample in marked} == {f"{span.context.trace_id:032x}"}
    assert {sample.labels["currency"] for sample in families["agentops_cost"].samples} == {"USD"}


def test_providers_that_an_instrumentor_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider

    from agentops_sdk.instrumentors import Instrumentor

    monkeypatch.chdir(tmp_path)
    memory, logs = InMemoryMetricReader(), InMemoryLogRecordExporter()
    meters, loggers = MeterProvider([memory]), LoggerProvider(shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    instrumentor = Instrumentor("openai")
    instrumentor.instrument(tracer_provider=TracerProvider(), meter_provider=meters, logger_provider=loggers)
    try:
        chat()
        assert agentops.flush(10)
        assert "gen_ai.client.operation.duration" in points(memory)
        assert [found.log_record.event_name for found in logs.get_finished_logs()] == [semconv.DETAILS_EVENT]
    finally:
        instrumentor.uninstrument()
    assert host_meter.program_has_meters() is False

"""Events of the conventions: to the program's LoggerProvider, by OTLP, into files; content where it was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentelemetry._logs._internal as otel_logs
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.export.collector import Collector
from tests.shared import shared

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
ASKED = [{"role": "user", "parts": [{"type": "text", "content": "what about sk-proj-abcdefghijklmnopqrstuvwx1234?"}]}]
CHAT = {
    semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-4o", semconv.RESPONSE_ID: "chatcmpl-1",
    semconv.REQUEST_TEMPERATURE: 0.5, semconv.RESPONSE_FINISH_REASONS: ["stop"],
    semconv.USAGE_INPUT_TOKENS: 10, semconv.USAGE_CACHE_CREATION: 3, semconv.SERVER_ADDRESS: "api.openai.com",
}  # fmt: skip


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> InMemoryLogRecordExporter:
    """The program's own LoggerProvider."""
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    monkeypatch.setattr(otel_logs, "_LOGGER_PROVIDER", provider)
    return memory


def records(logs: InMemoryLogRecordExporter) -> dict[str, Any]:
    return {found.log_record.event_name: found.log_record for found in logs.get_finished_logs()}


def chat(error: BaseException | None = None) -> None:
    call = start("llm", "gpt-4o", attributes={**CHAT, semconv.INPUT_MESSAGES: ASKED})
    call.fail(error) if error is not None else call.finish()


def test_the_program_s_logger_provider_gets_them(logs: InMemoryLogRecordExporter) -> None:
    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=[])
    chat(TimeoutError("too late"))
    with agentops.span("job", kind="agent") as job:
        agentops.feedback(name="helpful", value=0.9, comment="well done")
    agentops.feedback(job, name="later", value="good")
    assert agentops.flush(10)
    spans = {span.name: span for span in memory.finished_spans()}
    found = {record.log_record.attributes.get(semconv.EVALUATION_NAME) or record.log_record.event_name: record
             for record in logs.get_finished_logs()}  # fmt: skip
    assert set(found) == {
        "gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception", "helpful", "later",
    }  # fmt: skip
    raised = found["gen_ai.client.operation.exception"].log_record
    assert raised.severity_number.value == 13
    assert raised.attributes["exception.type"] == "TimeoutError"
    assert raised.span_id == spans["chat gpt-4o"].context.span_id
    details = found["gen_ai.client.inference.operation.details"].log_record
    assert details.severity_number.value == 5
    assert details.attributes["error.type"] == "TimeoutError"
    assert semconv.INPUT_MESSAGES not in details.attributes  # nobody asked for content there
    judged = found["helpful"].log_record
    assert dict(judged.attributes) == {
        "gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.9,
        "gen_ai.evaluation.explanation": "well done",
    }  # fmt: skip
    ids = spans["invoke_agent job"].context
    assert (judged.trace_id, judged.span_id) == (ids.trace_id, ids.span_id)
    assert found["later"].log_record.span_id == ids.span_id  # of the span that it is about


def test_limits_of_spans_take_nothing_from_events(
    logs: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "SPAN_AND_EVENT")
    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=[], attribute_count_limit=6, attribute_length_limit=8)
    chat()
    assert agentops.flush(10)
    assert len(memory.finished_spans()[0].attributes) <= 6 + 1  # and that it was cut
    event = records(logs)["gen_ai.client.inference.operation.details"].attributes
    assert (event[semconv.USAGE_INPUT_TOKENS], event[semconv.SERVER_ADDRESS]) == (10, "api.openai.com")
    assert event[semconv.INPUT_MESSAGES][0]["parts"][0]["content"].startswith("what about ")


@pytest.mark.parametrize(
    ("content", "emit", "details", "on_event", "on_span"),
    [
        ("", "", True, False, True),
        ("SPAN_ONLY", "", True, False, True),
        ("SPAN_ONLY", "false", False, False, True),
        ("NO_CONTENT", "", True, False, False),
        ("EVENT_ONLY", "", True, True, False),
        ("SPAN_AND_EVENT", "", True, True, True),
        ("SPAN_AND_EVENT", "false", False, False, True),
    ],
)
@pytest.mark.parametrize(("joined", "state"), [(False, None), (False, "main"), (True, "pin"), (True, "main")])
def test_every_word_for_where_content_goes(
    logs: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch, joined: bool, state: str | None,
    content: str, emit: str, details: bool, on_event: bool, on_span: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv(CONTENT, content)
    monkeypatch.setenv(EMIT, emit)
    memory, theirs = MemoryExporter(), InMemorySpanExporter()
    if joined:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(theirs))
        monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    agentops.init(exporters=[memory], integrations=[], **({"semconv": state} if state else {}))
    chat()
    assert agentops.flush(10)
    for span in (*memory.finished_spans(), *theirs.get_finished_spans()):
        assert (semconv.INPUT_MESSAGES in (span.attributes or {})) is on_span
    event = records(logs).get("gen_ai.client.inference.operation.details")
    assert (event is not None) is details
    if event is not None:
        assert (semconv.INPUT_MESSAGES in event.attributes) is on_event
    if on_event:
        (message,) = event.attributes[semconv.INPUT_MESSAGES]
        text = message["parts"][0]["content"]
        assert text.startswith("what about")
        assert "abcdefghij" not in text  # scrubbed as on spans


def test_no_content_is_none_anywhere(logs: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONTENT, "SPAN_AND_EVENT")
    agentops.init(exporters=["memory"], integrations=[], capture_content=False)
    chat()
    agentops.shutdown()
    agentops.init(exporters=["memory"], integrations=[])
    agentops.configure(capture_content=False)
    chat()
    assert agentops.flush(10)
    found = logs.get_finished_logs()
    assert len(found) == 2
    assert all(semconv.INPUT_MESSAGES not in record.log_record.attributes for record in found)


@pytest.mark.parametrize("state", ["pin", "main"])
def test_details_are_those_of_the_conventions(
    logs: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    folder = shared("semconv")
    if folder is None:
        pytest.skip("../shared/semconv is missing")
    model = json.loads((folder / f"coverage-model.{state}.json").read_text())["events"]
    monkeypatch.setenv(CONTENT, "SPAN_AND_EVENT")
    agentops.init(exporters=["memory"], integrations=[], semconv=state)
    every = {
        name: [{"role": "user", "parts": []}] if name in semconv.STRUCTURED else 1
        for name in model["gen_ai.client.inference.operation.details"]["attributes"]
        if name not in ("gen_ai.prompt.variable", semconv.OPERATION_NAME)
    }
    texts: dict[str, Any] = {key: ["a"] for key in ("gen_ai.request.stop_sequences", "gen_ai.response.finish_reasons")}
    every |= {**texts, "gen_ai.request.stream": True, "gen_ai.output.type": "text"}
    start("llm", "gpt-4o", attributes={**every, "agentops.metadata.mine": 1}).finish()
    assert agentops.flush(10)
    event = records(logs)["gen_ai.client.inference.operation.details"]
    assert set(event.attributes) == {*every, semconv.OPERATION_NAME}


def test_they_go_by_otlp_spooled_and_counted(collector: Collector, tmp_path: Path) -> None:
    collector.refuses["logs"] = 503
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, events=[f"otlp:{collector.url}"])
    chat(TimeoutError("too late"))
    agentops.flush(1)
    sink = agentops.status().signals["events otlp"]
    assert (sink.accepted, sink.exported, sink.pending, sink.lost) == (2, 0, 2, 0)
    agentops.shutdown(1)
    collector.refuses.clear()
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, events=[f"otlp:{collector.url}"])
    chat()
    assert collector.wait_for(lambda: len(collector.records()) == 3)
    assert agentops.flush(20)
    assert agentops.health().checks["events otlp"].status == "ok"
    names = [record.event_name for record in collector.records()]
    assert sorted(names) == ["gen_ai.client.inference.operation.details"] * 2 + ["gen_ai.client.operation.exception"]
    assert all(len(record.trace_id) == 16 and len(record.span_id) == 8 for record in collector.records())
    assert set(collector.paths) == {"/v1/logs"}


def test_files_hold_them_and_readers_show_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONTENT, "EVENT_ONLY")
    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)
    with agentops.span("job", kind="agent"):
        chat(TimeoutError("too late"))
    assert agentops.flush(10)
    now = agentops.status()
    assert (now.sinks["jsonl"].accepted, now.sinks["jsonl"].exported) == (2, 2)  # spans
    assert (now.signals["events jsonl"].accepted, now.signals["events jsonl"].exported) == (2, 2)
    agentops.shutdown()
    (file,) = (tmp_path / "traces").glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert ["resourceLogs" in line for line in lines].count(True) == 2
    spans = [line for line in lines if "span_id" in line]
    assert len(spans) == 2
    assert all("what about" not in json.dumps(line) for line in spans)
    loaded = agentops.traces.load(tmp_path / "traces")
    (trace,) = loaded
    assert (loaded.foreign, loaded.torn, loaded.remarks) == (0, 0, [])
    (call,) = trace.llm_calls
    assert "what about" in call.attributes[semconv.INPUT_MESSAGES]  # from the event


def test_the_default_writes_no_event(tmp_path: Path) -> None:
    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)
    chat(TimeoutError("too late"))
    agentops.shutdown()
    (file,) = (tmp_path / "traces").glob("*.jsonl")
    assert file.read_text().count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["traces"]


def test_an_exporter_of_opentelemetrys_is_a_sink() -> None:
    theirs, memory = InMemoryLogRecordExporter(), MemoryExporter()
    agentops.init(exporters=[memory], integrations=[], events=[theirs])
    chat()
    assert agentops.flush(10)
    assert list(records(theirs)) == ["gen_ai.client.inference.operation.details"]
    assert agentops.status().signals["events InMemoryLogRecordExporter"].exported == 1

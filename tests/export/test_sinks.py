"""Several sinks at once: found by name, isolated from each other, each with an exact account."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.export.receiver import Receiver

import agentops_sdk as agentops
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces import load


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(count: int) -> None:
    for number in range(count):
        with agentops.span(f"s{number}"):
            pass


def exact(status: Any) -> bool:
    """Started = exported + pending + lost, for every sink, to the span."""
    spans = status.spans
    before = spans["open"] + spans["queued"] + spans["dropped"] + spans["sampled_out"]
    return spans["started"] == spans["open"] + spans["ended"] and all(
        spans["started"] - before == sink.accepted == sink.exported + sink.pending + sink.lost
        for sink in status.sinks.values()
    )


class Hanging(SpanExporter):
    def __init__(self) -> None:
        self.release = threading.Event()

    def export(self, spans: Any) -> SpanExportResult:
        self.release.wait()
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.release.wait()
        return True

    def shutdown(self) -> None:
        self.release.wait()


class Raising(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        raise RuntimeError("boom")

    def shutdown(self) -> None: ...


class Failing(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.FAILURE

    def shutdown(self) -> None: ...


def test_a_hanging_a_raising_and_a_failing_sink_disturb_nobody(tmp_path: Path, receiver: Receiver) -> None:
    hanging, memory = Hanging(), InMemorySpanExporter()
    agentops.init(
        exporters=[hanging, Raising(), "jsonl", Failing(), f"otlp:{receiver.url}", memory],
        integrations=[],
        shutdown_timeout=1.0,
    )
    make(100)
    deadline = time.monotonic() + 30
    quick = ("jsonl", "otlp", "InMemorySpanExporter")
    while any(agentops.status().sinks[name].exported < 100 for name in quick) and time.monotonic() < deadline:
        agentops.flush(0.5)
    now = agentops.status()
    assert exact(now)
    assert now.sinks["jsonl"].exported == 100
    assert now.sinks["otlp"].exported == 100
    assert len(receiver.names) == 100
    assert len(memory.get_finished_spans()) == 100
    assert now.sinks["Raising"].dropped == {"RuntimeError": 100}
    assert now.sinks["Failing"].dropped == {"export failed": 100}
    assert now.sinks["Hanging"].pending == 100
    assert agentops.health().status == "degraded"
    started = time.monotonic()
    result = agentops.shutdown()
    assert time.monotonic() - started < 3.0
    assert result.by_sink["Hanging"] == {"exported": 0, "remaining": 0, "lost": 100}
    assert result.by_sink["jsonl"] == {"exported": 100, "remaining": 0, "lost": 0}
    hanging.release.set()
    assert len(load(tmp_path / ".agentops/traces")) == 100


@pytest.mark.parametrize(
    "given",
    ["jsom", "otlp:collector:4318", "otlp:ftp://x", "otlp:http://", "console:x", "memory:x", "memory:0", 42],
)
def test_what_cannot_work_is_told_at_once(given: object) -> None:
    with pytest.raises(ConfigError, match="expected"):
        agentops.init(exporters=[given], integrations=[])  # type: ignore[list-item]  # wrong on purpose
    assert not agentops.status().enabled


def test_unwritable_path_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        agentops.init(exporters=[f"jsonl:{tmp_path / 'file' / 'traces'}"], integrations=[])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-sign"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,bad name=c"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/does/not/exist.pem"),
    ],
)
def test_a_malformed_variable_is_an_error_where_otlp_was_asked_for(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        agentops.init(exporters=["otlp"], integrations=[])


def test_an_endpoint_variable_alone_switches_otlp_on(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url + "/prefix")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b%2Cc, authorization=Basic%20eDp5")
    agentops.init(integrations=[])
    make(3)
    assert agentops.flush(5.0)
    now = agentops.status()
    assert set(now.sinks) == {"jsonl", "otlp"}
    assert now.settings["exporters"].origin == "environment OTEL_EXPORTER_OTLP_ENDPOINT"
    assert set(receiver.paths) == {"/prefix/v1/traces"}
    assert receiver.headers[0]["x-key"] == "a b,c"
    assert receiver.headers[0]["authorization"] == "Basic eDp5"
    assert "eDp5" not in now.model_dump_json()


def test_the_traces_variables_win_and_name_the_whole_url(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.url + "/v2/trace/otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=general")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=traces")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "deflate")
    agentops.init(integrations=[])
    make(1)
    assert agentops.flush(5.0)
    assert receiver.paths == ["/v2/trace/otlp"]
    assert receiver.headers[0]["a"] == "traces"
    assert receiver.headers[0]["content-encoding"] == "deflate"


def test_a_bad_endpoint_variable_alone_warns_and_leaves_jsonl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317 ")
    with pytest.warns(UserWarning, match="is ignored"):
        agentops.init(integrations=[])
    assert set(agentops.status().sinks) == {"jsonl"}


def test_a_password_in_an_endpoint_is_sent_but_never_shown(receiver: Receiver) -> None:
    url = receiver.url.replace("//", "//user:hunter2@")
    agentops.init(exporters=[f"otlp:{url}"], integrations=[])
    make(1)
    assert agentops.flush(5.0)
    assert receiver.headers[0]["authorization"] == "Basic dXNlcjpodW50ZXIy"
    assert "hunter2" not in agentops.status().model_dump_json() + str(agentops.status())


def test_console_prints_steps_on_stderr_as_they_end(capsys: pytest.CaptureFixture[str]) -> None:
    agentops.init(exporters=["console"], integrations=[])
    with agentops.span("outer"):
        with agentops.span("inner"):
            pass
        assert agentops.flush(5.0)
        captured = capsys.readouterr()
        assert captured.out == ""
        assert [line.split()[2:5] for line in captured.err.splitlines()] == [["·", "inner", "ok"]]
    assert agentops.flush(5.0)
    assert [line.split()[2:5] for line in capsys.readouterr().err.splitlines()] == [["·", "outer", "ok"]]


def test_sampling_by_ratio_keeps_errors_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    memory = InMemorySpanExporter()
    agentops.init(exporters=[memory], integrations=[])
    for number in range(400):
        try:
            with agentops.span("outer"), agentops.span("inner"):
                if number % 100 == 0:
                    raise KeyError(number)
        except KeyError:
            pass
    agentops.flush(5.0)
    spans = memory.get_finished_spans()
    now = agentops.status()
    assert exact(now)
    assert 40 < len(spans) / 2 < 180
    assert now.spans["sampled_out"] == 800 - len(spans)
    assert sum(span.status.is_ok is False for span in spans) == 8
    by_trace: dict[int, list[str]] = {}
    for span in spans:
        assert span.context is not None
        by_trace.setdefault(span.context.trace_id, []).append(span.name)
    assert all(sorted(names) == ["inner", "outer"] for names in by_trace.values())


def test_always_off_records_nothing_when_errors_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    memory = InMemorySpanExporter()
    agentops.init(exporters=[memory], integrations=[], keep_errors=False)
    make(10)
    agentops.flush(5.0)
    assert memory.get_finished_spans() == ()
    assert agentops.status().spans["sampled_out"] == 10


def test_configure_changes_sinks_sampling_and_enablement_without_losing_a_span(tmp_path: Path) -> None:
    first, second = InMemorySpanExporter(), InMemorySpanExporter()
    agentops.init(exporters=[first, "jsonl"], integrations=[])
    make(10)
    agentops.configure(exporters=["jsonl", second])
    make(10)
    agentops.configure(sample_ratio=0.0)
    make(10)
    agentops.configure(sample_ratio=1.0, enabled=False)
    make(10)
    agentops.configure(enabled=True, log_level="error")
    make(5)
    assert agentops.flush(5.0)
    assert len(first.get_finished_spans()) == 10
    assert len(second.get_finished_spans()) == 15
    assert sum(len(trace) for trace in load(tmp_path / ".agentops/traces")) == 25
    assert len(list((tmp_path / ".agentops/traces").glob("*.jsonl"))) == 1
    assert agentops.status().settings["log_level"].origin == "configure()"
    for wrong in ({"service_name": "x"}, {"exporters": ["nope"]}, {"sample_ratio": 2}):
        with pytest.raises(ConfigError):
            agentops.configure(**wrong)
    make(1)
    assert agentops.flush(5.0)
    assert len(second.get_finished_spans()) == 16


def test_configure_needs_init_and_can_switch_on_what_init_left_off() -> None:
    agentops.shutdown()
    with pytest.raises(ConfigError, match="init"):
        agentops.configure(enabled=True)
    memory = InMemorySpanExporter()
    agentops.init(enabled=False, exporters=[memory], integrations=[])
    make(3)
    agentops.configure(enabled=True)
    make(3)
    assert agentops.flush(5.0)
    assert len(memory.get_finished_spans()) == 3


def test_a_sink_that_is_too_slow_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from agentops_sdk._pipeline import sinks

    monkeypatch.setattr(sinks, "_QUEUE_LIMIT", 50)
    hanging = Hanging()
    agentops.init(exporters=[hanging], integrations=[], shutdown_timeout=0.2)
    make(2_000)
    agentops.flush(0.2)
    now = agentops.status()
    assert exact(now)
    assert now.sinks["Hanging"].dropped["sink queue full"] > 1_000
    agentops.shutdown()
    hanging.release.set()


def test_the_official_exporter_plugs_in_unchanged(receiver: Receiver) -> None:
    official = pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        reason="the official OTLP exporter is not installed",
        exc_type=ImportError,
    )
    agentops.init(exporters=[official.OTLPSpanExporter(endpoint=receiver.url + "/v1/traces")], integrations=[])
    make(20)
    assert agentops.flush(5.0)
    assert len(receiver.names) == 20
    assert exact(agentops.status())


def test_somebody_elses_exporter_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib" / "stranger-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "lib" / "stranger-1.0.dist-info" / "METADATA").write_text("Name: stranger\nVersion: 1.0\n")
    (tmp_path / "lib" / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[agentops_sdk.exporters]\nstranger = stranger_exporter:create\n"
    )
    (tmp_path / "lib" / "stranger_exporter.py").write_text(
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "made = []\n"
        "def create(argument, settings):\n"
        "    made.append((argument, settings.directory, InMemorySpanExporter()))\n"
        "    return made[0][2]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    agentops.init(exporters=["stranger:here:4"], integrations=[], directory="elsewhere")
    make(3)
    assert agentops.flush(5.0)
    import stranger_exporter  # type: ignore[import-not-found]  # written by this test

    argument, directory, exporter = stranger_exporter.made[0]
    assert (argument, directory) == ("here:4", "elsewhere")
    assert len(exporter.get_finished_spans()) == 3


def test_grpc_is_left_to_the_official_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    try:
        installed = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.grpc") is not None
    except ModuleNotFoundError:
        installed = False
    if installed:
        agentops.init(exporters=["otlp"], integrations=[])
        assert "spool" not in agentops.status().sinks["otlp"].details
    else:
        with pytest.raises(ConfigError, match="opentelemetry-exporter-otlp-proto-grpc"):
            agentops.init(exporters=["otlp"], integrations=[])


def test_a_provider_that_exports_already_gets_no_second_otlp(tmp_path: Path, receiver: Receiver) -> None:
    import os
    import subprocess
    import sys

    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
import agentops_sdk as agentops
print(sorted(agentops.init(integrations=[]).sinks))
"""
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout.strip() == "['jsonl']", done.stderr

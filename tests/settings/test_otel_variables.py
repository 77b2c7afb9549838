"""The table of OpenTelemetry's variables: it lacks none, and each that is said to be honoured is seen to be."""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import ssl
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.export.certificates import certificate_files
from tests.export.collector import Collector

import agentops_sdk as agentops
from agentops_sdk import config, semconv
from agentops_sdk.exporters.otlp.destination import Endpoint
from agentops_sdk.integration import start
from agentops_sdk.otel_variables import ROWS

TESTS = Path(__file__).parents[1]
DEFINED_IN = (
    "opentelemetry.sdk.environment_variables", "opentelemetry.environment_variables",
    "opentelemetry.instrumentation.environment_variables",
)  # fmt: skip
SIGNALS = ("traces", "metrics", "logs")
PREFIXES = ("", *(f"{signal.upper()}_" for signal in SIGNALS))
WORDS = ("ENDPOINT", "HEADERS", "COMPRESSION", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "PROTOCOL", "TIMEOUT")
OTLP = {f"OTEL_EXPORTER_OTLP_{prefix}{word}" for prefix in PREFIXES for word in WORDS}
"""What the tests below are parametrised by."""
BY_OPENTELEMETRY = {"OTEL_PYTHON_CONTEXT"}
"""Read by its own package alone, so that there is nothing of ours to be seen."""


pytestmark = pytest.mark.usefixtures("no_settings")


def test_the_table_lacks_no_variable_of_opentelemetrys() -> None:
    names = [name for row in ROWS for name in row.names]
    assert len(names) == len(set(names))
    defined = {
        value
        for module in DEFINED_IN
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, str) and value.startswith("OTEL_")
    }
    assert len(defined) > 70
    assert defined - set(names) == set()


def test_what_the_table_says_is_honoured_is_in_the_code_and_tested() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    honoured = {name for row in ROWS if row.read for name in row.names}
    untested = {name for name in honoured - OTLP - BY_OPENTELEMETRY if not re.search(f'{name}["=]', tests)}
    assert untested == set()
    assert honoured >= OTLP


class Secure:
    """An HTTPS server that wants a client's certificate; keeps path, headers and body of what came."""

    def __init__(self, folder: Path) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.certificate, self.key = certificate_files(folder)
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                came.append((self.path, headers, self.rfile.read(int(headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    running = Secure(tmp_path)
    yield running
    agentops.shutdown(1.0)
    running.close()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_variable_of_otlp_holds_for_its_signal(
    prefix: str, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    if prefix:  # what is general is another's, and loses
        for word, value in {
            "ENDPOINT": "http://127.0.0.1:9",
            "HEADERS": "x-who=all",
            "PROTOCOL": "http/protobuf",
        }.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{word}", value)
    of_this = {
        "ENDPOINT": f"{secure.url}/mine" if prefix else secure.url, "HEADERS": "x-who=me", "COMPRESSION": "deflate",
        "PROTOCOL": "http/json", "CERTIFICATE": str(secure.certificate),
        "CLIENT_CERTIFICATE": str(secure.certificate), "CLIENT_KEY": str(secure.key), "TIMEOUT": "7",
    }  # fmt: skip
    for word, value in of_this.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{prefix}{word}", value)
    signals = [prefix.rstrip("_").lower()] if prefix else list(SIGNALS)
    keywords = {"traces": "exporters", "metrics": "metrics", "logs": "events"}
    agentops.init(
        **{"exporters": ["memory"], **{keywords[signal]: ["otlp"] for signal in signals}},  # type: ignore[arg-type]  # one mapping for three types
        integrations=[],
    )
    start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.PROVIDER_NAME: "openai"}).finish()
    agentops.flush(20.0)
    assert {path for path, _, _ in secure.came} == ({"/mine"} if prefix else {f"/v1/{signal}" for signal in SIGNALS})
    for path, headers, body in secure.came:
        assert (headers["x-who"], headers["content-type"], headers["content-encoding"]) == (
            "me", "application/json", "deflate",
        )  # fmt: skip
        signal = path.rpartition("/")[2] if not prefix else signals[0]
        kind = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}[signal]
        assert kind in json.loads(zlib.decompress(body))
    for signal in SIGNALS:
        assert Endpoint.resolve(signal=signal).timeout == (7.0 if signal in signals else 10.0)


def test_batches_of_events_and_times_of_each_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2")
    collector = Collector()
    agentops.init(exporters=["memory"], events=[f"otlp:{collector.url}"], integrations=[])
    for _ in range(5):
        start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.OPERATION_NAME: "chat"}).finish()
    agentops.flush(20.0)
    agentops.shutdown()
    collector.close()
    sizes = [
        sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
        for signal, request in collector.received
    ]
    assert (sum(sizes), max(sizes)) == (5, 2)
    environ = {
        "OTEL_BSP_SCHEDULE_DELAY": "3000", "OTEL_BLRP_SCHEDULE_DELAY": "5000", "OTEL_BLRP_EXPORT_TIMEOUT": "2500",
        "OTEL_METRIC_EXPORT_TIMEOUT": "1500",
    }  # fmt: skip
    found = {signal: Endpoint.resolve(signal=signal, environ=environ) for signal in SIGNALS}
    assert {signal: (endpoint.delay, endpoint.timeout) for signal, endpoint in found.items()} == {
        "traces": (3.0, 10.0), "metrics": (1.0, 1.5), "logs": (5.0, 2.5),
    }  # fmt: skip


@pytest.mark.parametrize(("word", "exemplars"), [("always_off", False), ("trace_based", True), ("sometimes", True)])
def test_exemplars_are_left_out_where_the_filter_says_so(
    word: str, exemplars: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXEMPLAR_FILTER", word)
    collector = Collector()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        agentops.init(exporters=["memory"], metrics=[f"otlp:{collector.url}"], integrations=[])
    assert [str(each.message).partition(";")[0] for each in caught] == (
        ["OTEL_METRICS_EXEMPLAR_FILTER is 'sometimes'"] if word == "sometimes" else []
    )
    start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.PROVIDER_NAME: "openai"}).finish()
    agentops.flush(20.0)
    collector.close()
    points = collector.metrics()[0]["gen_ai.client.operation.duration"].histogram.data_points
    assert [bool(point.exemplars) for point in points] == [exemplars]


@pytest.mark.parametrize(("word", "level"), [("WARN", "warning"), ("fatal", "critical"), ("trace", "debug")])
def test_the_level_of_the_log_by_the_specifications_words(
    word: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_LOG_LEVEL", word)
    agentops.init(exporters=["memory"], integrations=[])
    assert agentops.status().settings["log_level"].value == level
    assert logging.getLogger("agentops_sdk").isEnabledFor(getattr(logging, level.upper()))
    monkeypatch.setenv("AGENTOPS_LOG_LEVEL", "error")
    assert config.resolve({}).log_level == "error"


def test_a_bad_word_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_LOG_LEVEL", "loud")
    with pytest.warns(UserWarning, match="OTEL_LOG_LEVEL is 'loud'"):
        assert config.resolve({}).log_level == "warning"


def test_limits_of_one_kind_and_detectors_are_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1")
    monkeypatch.setenv("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "0")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "host,service_instance")
    memory = InMemorySpanExporter()
    agentops.init(exporters=[memory], integrations=[])
    with agentops.span("work", kind="task", text="abcdef", number=1):
        current = trace.get_current_span()
        current.add_event("event", {"a": 1, "b": 2})
        current.add_link(current.get_span_context(), {"a": 1})
    agentops.flush()
    (span,) = memory.get_finished_spans()
    assert (span.attributes["text"], span.attributes["number"]) == ("abc", 1)
    assert [len(part.attributes) for part in (*span.events, *span.links)] == [1, 0]
    resource = span.resource.attributes
    assert ("host.name" in resource, "process.runtime.name" in resource) == (True, False)


def test_a_provider_that_opentelemetry_makes_is_joined() -> None:
    program = """
import agentops_sdk as agentops
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
seen = InMemorySpanExporter()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(seen))
agentops.init(exporters=["memory"], integrations=[])
with agentops.span("work"):
    pass
print([span.name for span in seen.get_finished_spans()])
"""
    variables = {
        "OTEL_PYTHON_TRACER_PROVIDER": "sdk_tracer_provider", "OTEL_PYTHON_METER_PROVIDER": "sdk_meter_provider",
        "OTEL_PYTHON_LOGGER_PROVIDER": "sdk_logger_provider",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("['work']\n", "")


def test_doctor_tells_of_what_is_set_in_vain() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agentops_sdk", "doctor"],
        env={**os.environ, "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://127.0.0.1:9", "OTEL_LOG_LEVEL": "warn"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if "OTEL_" in line]
    assert line.startswith("note    OTEL_EXPORTER_ZIPKIN_ENDPOINT is set, and not read: there is no Zipkin sink;")

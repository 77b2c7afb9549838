"""The three signals by gRPC, with OpenTelemetry's own exporters, to a server that speaks its protocol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.export.certificates import certificate_files

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="OpenTelemetry's gRPC exporters are not installed")


class Collector:
    """A server of the three services, and what it was sent."""

    def __init__(self, secure: tuple[Path, Path] | None = None) -> None:
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.headers: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}
        """By signal, what the last request had: headers, and the time that its sender would wait."""
        self.refusals = 0
        self._server = grpc.server(ThreadPoolExecutor(2))
        for name, request, response in (
            ("trace.v1.TraceService", traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
            ("metrics.v1.MetricsService", metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse),
            ("logs.v1.LogsService", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
        ):
            self._serve(name, request, response)
        if secure is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:  # it wants a client's certificate
            certificate, key = (file.read_bytes() for file in secure)
            credentials = grpc.ssl_server_credentials([(key, certificate)], certificate, require_client_auth=True)
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    def _serve(self, name: str, request: Any, response: Any) -> None:
        signal = name.partition(".")[0]

        def export(message: Any, context: Any) -> Any:
            if self.refusals > 0:
                self.refusals -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            self.requests[signal].append(message)
            self.headers[signal] = dict(context.invocation_metadata())
            self.seconds[signal] = context.time_remaining()
            return response()

        handler = grpc.unary_unary_rpc_method_handler(
            export, request_deserializer=request.FromString, response_serializer=response.SerializeToString
        )
        full = f"opentelemetry.proto.collector.{name}"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(full, {"Export": handler}),))

    def close(self) -> None:
        self._server.stop(None).wait(5)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    running = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.port}")
    yield running
    agentops.shutdown()
    running.close()


def names(collector: Collector) -> dict[str, set[str]]:
    """What came, by signal."""
    spans = [span for one in collector.requests["trace"] for resource in one.resource_spans
             for scope in resource.scope_spans for span in scope.spans]  # fmt: skip
    metrics = [metric for one in collector.requests["metrics"] for resource in one.resource_metrics
               for scope in resource.scope_metrics for metric in scope.metrics]  # fmt: skip
    events = [record for one in collector.requests["logs"] for resource in one.resource_logs
              for scope in resource.scope_logs for record in scope.log_records]  # fmt: skip
    return {
        "trace": {span.name for span in spans}, "metrics": {metric.name for metric in metrics},
        "logs": {record.event_name for record in events},
    }  # fmt: skip


@pytest.mark.parametrize("refusals", [0, 1])
def test_all_three_arrive(collector: Collector, refusals: int) -> None:
    collector.refusals = refusals
    agentops.init(exporters=["otlp"], metrics=["otlp"], events=["otlp"], integrations=[])
    call = start("llm", "gpt-4o", attributes={
        semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-4o", semconv.USAGE_INPUT_TOKENS: 10,
        semconv.USAGE_OUTPUT_TOKENS: 2,
    })  # fmt: skip
    call.finish()
    assert agentops.flush(20)
    found = names(collector)
    assert found["trace"] == {"chat gpt-4o"}
    assert found["logs"] == {semconv.DETAILS_EVENT}
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= found["metrics"]
    status = agentops.status()
    assert (status.sinks["otlp"].exported, status.sinks["otlp"].lost) == (1, 0)
    assert [account.lost for account in status.signals.values()] == [0, 0]


def test_whether_the_way_is_secure_is_said_for_each_signal(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"127.0.0.1:{collector.port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", "false")
    for variable in (
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_METRICS_INSECURE", "OTEL_EXPORTER_OTLP_LOGS_INSECURE",
    ):  # fmt: skip
        monkeypatch.setenv(variable, "true")
    agentops.init(exporters=["otlp"], metrics=["otlp"], events=["otlp"], integrations=[])
    start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.OPERATION_NAME: "chat"}).finish()
    assert agentops.flush(20)
    assert all(names(collector).values())


@pytest.mark.parametrize("own", [False, True])
def test_each_variable_holds_for_its_signal(own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates on both sides, headers and times: those of a signal win over the general ones."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    certificate, key = files = certificate_files(tmp_path)
    collector = Collector(files)
    for word, value in {
        "ENDPOINT": f"https://127.0.0.1:{collector.port}", "CERTIFICATE": str(certificate),
        "CLIENT_CERTIFICATE": str(certificate), "CLIENT_KEY": str(key), "COMPRESSION": "gzip",
    }.items():  # fmt: skip
        signals = ("TRACES_", "METRICS_", "LOGS_") if own else ("",)
        for signal in signals:
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}{word}", value)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-who=all")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "500")
    if own:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        for number, signal in enumerate(("TRACES", "METRICS", "LOGS"), 1):
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}_HEADERS", f"x-who={signal.lower()}")
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT", f"{100 * number}")
    agentops.init(exporters=["otlp"], metrics=["otlp"], events=["otlp"], integrations=[])
    start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.OPERATION_NAME: "chat"}).finish()
    assert agentops.flush(20)
    agentops.shutdown()
    collector.close()
    assert all(names(collector).values())
    who = {signal: headers["x-who"] for signal, headers in collector.headers.items()}
    waits = {signal: round(seconds, -2) for signal, seconds in collector.seconds.items()}
    signals = ("trace", "metrics", "logs")
    assert who == (
        dict(zip(signals, ("traces", "metrics", "logs"), strict=True)) if own else dict.fromkeys(signals, "all")
    )
    assert waits == (dict(zip(signals, (100, 200, 300), strict=True)) if own else dict.fromkeys(signals, 500))

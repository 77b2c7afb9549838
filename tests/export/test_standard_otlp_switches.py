"""OpenTelemetry's variables for OTLP: the protocol, how spans wait for each other, and values that nobody can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from tests.export.receiver import Receiver
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops
from agentops_sdk import config
from agentops_sdk.exporters.otlp.destination import Endpoint


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_warned", set())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    agentops.shutdown(1.0)
    server.close()


def test_json_is_sent_where_the_protocol_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    with Wire(Reply({"partialSuccess": {}})) as wire:
        agentops.init(exporters=[f"otlp:http://127.0.0.1:{wire.port}"], integrations=[])
        with agentops.span("outer"):
            linked = trace.get_current_span().get_span_context()
            with agentops.span("inner", traceId="b64=", count=3):
                trace.get_current_span().add_link(linked)
        result = agentops.flush(10.0)
        agentops.shutdown()
    assert (result.exported, result.remaining, result.lost) == (2, 0, 0)
    (request,) = wire.requests
    assert (request.path, request.headers["content-type"]) == ("/v1/traces", "application/json")
    spans: dict[str, Any] = {
        span["name"]: span
        for resource in json.loads(request.raw)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }
    inner, outer = spans["inner"], spans["outer"]
    assert inner["traceId"] == outer["traceId"] == f"{linked.trace_id:032x}"
    assert inner["parentSpanId"] == outer["spanId"] == inner["links"][0]["spanId"] == f"{linked.span_id:016x}"
    assert inner["kind"] == 1
    values = {attribute["key"]: attribute["value"] for attribute in inner["attributes"]}
    assert (values["traceId"], values["count"]) == ({"stringValue": "b64="}, {"intValue": "3"})


def test_one_request_holds_no_more_spans_than_a_batch_may(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    sizes: list[int] = []
    receiver.behave = lambda names, _size: sizes.append(len(names))
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    for number in range(10):
        with agentops.span(str(number)):
            pass
    assert agentops.flush(10.0).exported == 10
    assert (sum(sizes), max(sizes)) == (10, 4)


def test_how_long_spans_wait_and_a_request_may_take() -> None:
    endpoint = Endpoint.resolve(environ={"OTEL_BSP_SCHEDULE_DELAY": "5000", "OTEL_BSP_EXPORT_TIMEOUT": "2500"})
    assert (endpoint.delay, endpoint.timeout) == (5.0, 2.5)
    both = {"OTEL_EXPORTER_OTLP_TIMEOUT": "7", "OTEL_BSP_EXPORT_TIMEOUT": "2500"}
    assert Endpoint.resolve(environ=both).timeout == 7.0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
    ],
)
def test_what_cannot_be_read_is_told_and_spans_arrive_all_the_same(
    variable: str, value: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv(variable, value)
    with pytest.warns(UserWarning, match=f"{variable}.*{value}"):
        agentops.init(integrations=[])
    with agentops.span("work"):
        pass
    agentops.flush(10.0)
    assert receiver.names == ["work"]

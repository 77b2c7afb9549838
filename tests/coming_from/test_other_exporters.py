"""Other people's exporters as sinks: Zipkin's, and the official OTLP exporter as W&B wants it; what arrives is read."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.coming_from.service import Service

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start


def a_run() -> None:
    @agentops.agent(name="clerk")
    def clerk(question: str) -> str:
        usage = {semconv.USAGE_INPUT_TOKENS: 120, semconv.USAGE_OUTPUT_TOKENS: 30, semconv.COST_AMOUNT: 0.000036}
        start("llm", "gpt-4o-mini", attributes={semconv.REQUEST_MODEL: "gpt-4o-mini", **usage}).finish()
        return "Three."

    with agentops.context(session_id="s-1"):
        clerk("Is there tea?")
    assert agentops.flush(20)


def test_zipkin() -> None:
    library = pytest.importorskip("opentelemetry.exporter.zipkin.json", reason="Zipkin's exporter is not installed")
    with Service() as service:
        zipkin = library.ZipkinExporter(endpoint=f"{service.url}/api/v2/spans")
        agentops.init(exporters=[zipkin], integrations=[], pricing=False, service_name="shop")
        a_run()
        assert agentops.status().sinks["ZipkinExporter"].lost == 0
    assert {(request.method, request.path) for request in service.requests} == {("POST", "/api/v2/spans")}
    spans = {span["name"]: span for request in service.requests for span in json.loads(request.body)}
    agent, call = spans["invoke_agent clerk"], spans["chat gpt-4o-mini"]
    assert (call["traceId"], call["parentId"]) == (agent["traceId"], agent["id"])
    assert agent["localEndpoint"]["serviceName"] == "shop"
    tags = call["tags"]
    assert (tags[semconv.USAGE_INPUT_TOKENS], tags[semconv.USAGE_OUTPUT_TOKENS]) == ("120", "30")
    assert (float(tags[semconv.COST_AMOUNT]), tags[semconv.SESSION_ID]) == (0.000036, "s-1")
    assert "Is there tea?" in agent["tags"][semconv.INPUT]
    assert json.loads(agent["tags"][semconv.OUTPUT]) == "Three."


def test_weights_and_biases() -> None:
    library = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="it is not installed")
    with Service() as service:
        weave = library.OTLPSpanExporter(f"{service.url}/otel/v1/traces", headers={"wandb-api-key": "key"})
        named = {"wandb.entity": "team", "wandb.project": "shop"}
        agentops.init(exporters=[weave], integrations=[], pricing=False, resource_attributes=named)
        a_run()
        assert agentops.status().sinks["OTLPSpanExporter"].lost == 0
    seen = set()
    for request in service.requests:
        assert (request.path, request.headers["wandb-api-key"]) == ("/otel/v1/traces", "key")
        for group in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            resource = {pair.key: pair.value.string_value for pair in group.resource.attributes}
            assert named.items() <= resource.items()
            seen |= {span.name for scope in group.scope_spans for span in scope.spans}
    assert seen == {"invoke_agent clerk", "chat gpt-4o-mini"}

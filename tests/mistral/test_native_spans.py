"""Spans that Mistral's client makes itself: a call counts once, and the tools that it runs are recorded."""

from __future__ import annotations

import asyncio
import json

import pytest
from examples.local_model import LocalModel, Reply
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.mistral.clients import ASKED, client, package

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

TOKENS = "gen_ai.usage.input_tokens"


def test_a_call_counts_once_in_the_programs_own_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    package()
    own, exporter, provider = InMemorySpanExporter(), MemoryExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(own))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "global")
    with LocalModel(lambda request: Reply(text="It is sunny.")) as server:
        client(server.base_url).chat.complete(**ASKED)
        before = len(own.get_finished_spans())
        agentops.init(exporters=[exporter])
        mistral = client(server.base_url)
        mistral.chat.complete(**ASKED)
        with mistral.chat.stream(**ASKED) as events:
            assert list(events)
        assert agentops.flush()
        agentops.shutdown()
        ours, theirs = exporter.finished_spans(), own.get_finished_spans()[before:]
        client(server.base_url).chat.complete(**ASKED)
    for spans in (ours, theirs):
        assert [span.name for span in spans if TOKENS in span.attributes] == ["chat mistral-small-latest"] * 2
    assert len(own.get_finished_spans()) == before + len(theirs) + before  # after shutdown() it is as it was


def test_a_tool_that_the_client_runs_is_recorded() -> None:
    package()
    tools = pytest.importorskip("mistralai.extra.run.tools", reason="this version of mistralai has no tracer there")
    from mistralai.client.models import FunctionCallEntry

    if not hasattr(tools, "trace"):
        pytest.skip("this version of mistralai has no tracer there")

    def weather(city: str) -> str:
        """Tells the weather."""
        return f"sunny in {city}"

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    run = tools.RunFunction(name="weather", callable=weather, tool=tools.create_tool_call(weather))
    entry = FunctionCallEntry(id="1", tool_call_id="1", name="weather", arguments='{"city": "Paris"}')
    assert asyncio.run(tools.create_function_result(entry, run)).result == "sunny in Paris"
    assert agentops.flush()
    agentops.shutdown()
    (span,) = exporter.finished_spans()
    assert (span.name, span.attributes["agentops.kind"]) == ("execute_tool weather", "tool")
    assert json.loads(span.attributes["gen_ai.tool.call.arguments"]) == {"city": "Paris"}
    assert span.attributes["gen_ai.tool.call.result"] == "sunny in Paris"

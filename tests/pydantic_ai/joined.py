"""A program with a provider of its own: run by ``test_programs.py``."""

from __future__ import annotations

import sys
from typing import Any

from examples.local_model import LocalModel, Reply
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def tokens(spans: Any) -> int:
    return sum((span.attributes or {}).get("gen_ai.usage.input_tokens", 0) for span in spans)


def main(own: str) -> None:
    exporter, private, ours = InMemorySpanExporter(), InMemorySpanExporter(), MemoryExporter()
    trace.set_tracer_provider(provider(exporter))
    if own == "global":
        Agent.instrument_all()
    elif own == "private":
        Agent.instrument_all(InstrumentationSettings(tracer_provider=provider(private)))
    with LocalModel(lambda request: Reply(text="Hi.")) as server:
        agent = Agent(
            OpenAIChatModel("gpt-4o", provider=OpenAIProvider(base_url=server.base_url, api_key="none")), name="a"
        )
        for recording in (True, False):
            if recording:
                agentops.init(exporters=[ours])
            agent.run_sync("Hello")
            agentops.shutdown()
            whole = tokens(ours.finished_spans())
            assert whole > 0
            if recording:
                assert tokens(exporter.get_finished_spans()) == whole
                known = {span.context.span_id for span in ours.finished_spans()}
                assert all(span.parent is None or span.parent.span_id in known for span in ours.finished_spans())
                names = [span.name for span in ours.finished_spans()]
                assert names == (["chat gpt-4o"] if own == "private" else ["chat gpt-4o", "invoke_agent a"])
            else:  # as it was without us
                assert tokens(exporter.get_finished_spans()) == (whole if own == "global" else 0)
            assert tokens(private.get_finished_spans()) == (whole if own == "private" else 0)
            exporter.clear()
            private.clear()


if __name__ == "__main__":
    main(sys.argv[1])

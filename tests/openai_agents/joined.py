"""A program with a provider of its own: run by ``test_programs.py``."""

from __future__ import annotations

import asyncio

import agents
import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.openai_agents.conftest import TOKENS, Model
from tests.openai_agents.programs import PROGRAMS
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


async def main() -> None:
    own, ours = InMemorySpanExporter(), MemoryExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(own))
    trace.set_tracer_provider(provider)
    agentops.init(exporters=[ours])
    agents.set_trace_processors([])
    for program in PROGRAMS:
        script = Model()
        with Wire(script) as wire:
            transport = openai.DefaultAsyncHttpxClient(verify=False)
            async with openai.AsyncOpenAI(base_url=wire.url, api_key="none", http_client=transport) as client:
                await program(agents.OpenAIResponsesModel("gpt-4o", client), script)
        assert agentops.flush()
        expected = script.answered * TOKENS[0]
        for spans in (own.get_finished_spans(), ours.finished_spans()):
            assert sum((span.attributes or {}).get("gen_ai.usage.input_tokens", 0) for span in spans) == expected
            known = {span.context.span_id for span in spans}
            assert all(span.parent is None or span.parent.span_id in known for span in spans), "an orphan"
        own.clear()
        ours.clear()
    agentops.shutdown()


if __name__ == "__main__":
    asyncio.run(main())

"""A program with a provider of its own: run by ``test_mcp.py``."""

from __future__ import annotations

import asyncio
from collections import Counter

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.mcp.conftest import in_process
from tests.mcp.server import make

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


async def main() -> None:
    own, ours = InMemorySpanExporter(), MemoryExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(own))
    for attempt, recording in enumerate((True, False, True)):
        if recording:
            agentops.init(exporters=[ours])
        if attempt == 0:
            trace.set_tracer_provider(provider)  # after init(), and before the next one
        async with in_process(make()) as client:
            await client.call_tool("add", {"a": 1, "b": 2})
        agentops.shutdown()
        spans = own.get_finished_spans()
        calls = Counter(span.kind.name for span in spans if "tools/call" in span.name)
        if recording:
            assert calls == {"CLIENT": 1, "SERVER": 1}, [span.name for span in spans]
            assert {span.context.span_id for span in ours.finished_spans()} <= {span.context.span_id for span in spans}
            known = {span.context.span_id for span in ours.finished_spans()}
            assert all(span.parent is None or span.parent.span_id in known for span in ours.finished_spans())
        else:  # the SDK's own spans, where it makes any, are back
            assert not any((span.instrumentation_scope or span).name == "agentops_sdk" for span in spans)
            assert not calls or calls == {"CLIENT": 1, "SERVER": 1}, calls
        own.clear()
        ours.clear()


if __name__ == "__main__":
    asyncio.run(main())

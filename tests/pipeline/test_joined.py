"""A program that already has a TracerProvider: we join it, it sees our spans whole, and we leave without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops


def test_both_see_the_same_span(theirs: InMemorySpanExporter, tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    tracer = trace.get_tracer("theirs")

    @agentops.tool
    def look_up(key: str) -> str:
        return key * 2

    with tracer.start_as_current_span("request") as request:
        look_up("sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH")
    agentops.flush()
    by_name = {span.name: span for span in theirs.get_finished_spans()}
    assert set(by_name) == {"request", "execute_tool look_up"}
    tool = by_name["execute_tool look_up"]
    assert tool.parent is not None
    assert tool.parent.span_id == request.get_span_context().span_id
    (line,) = [json.loads(text) for file in tmp_path.rglob("*.jsonl") for text in file.read_text().splitlines()]
    assert line["span_id"] == format(tool.context.span_id, "016x")
    assert line["attributes"] == dict(tool.attributes or {})
    assert "abcdefgh" not in json.dumps(line)


def test_leaving_puts_the_provider_back(theirs: InMemorySpanExporter, tmp_path: Path) -> None:
    provider = trace.get_tracer_provider()
    before = provider._active_span_processor._span_processors
    agentops.init(directory=tmp_path, integrations=[])
    assert len(provider._active_span_processor._span_processors) == 2
    agentops.shutdown()
    assert provider._active_span_processor._span_processors == before


def test_an_unsampled_trace_of_theirs_stays_unsampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider(sampler=ALWAYS_OFF))
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("unseen"):
        pass
    assert agentops.flush().exported == 0

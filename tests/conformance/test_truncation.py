"""Content that is cut to size is still content by its schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conformance.spans import wrong

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start

MESSAGE = {"role": "user", "parts": [{"type": "text", "content": "so long a question " * 3}]}
CALL = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c", "name": "look", "arguments": {"city": "x" * 90}}],
}


@pytest.mark.parametrize("size", [256, 900, 5_000])
def test_whatever_is_left_out(size: int) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], max_value_bytes=size)
    told: dict[str, Any] = {
        "gen_ai.input.messages": [MESSAGE, CALL] * 200,
        "gen_ai.output.messages": [{**MESSAGE, "role": "assistant", "parts": MESSAGE["parts"] * 300}],
        "gen_ai.system_instructions": [{"type": "text", "content": "be brief"}] * 300,
        "gen_ai.tool.definitions": [{"type": "function", "name": f"tool {number}"} for number in range(900)],
        "gen_ai.retrieval.documents": [{"id": str(n), "score": 0.5, "content": "a document"} for n in range(500)],
        "gen_ai.memory.records": [{"id": str(n), "content": {"fact": "x"}} for n in range(500)],
    }
    call = start("llm", "m", attributes={"gen_ai.provider.name": "p", "gen_ai.request.model": "m", **told})
    call.finish()
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    assert wrong([span]) == []
    assert set(told) <= set(span.attributes["agentops.truncated"])
    for name in told:
        text = span.attributes[name]
        assert len(text.encode()) <= size
        assert "…[+" in text
        assert isinstance(json.loads(text), list)

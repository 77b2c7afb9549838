"""What both ends of MCP measure: requests by their spans, and sessions, of which no span tells."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.mcp.conftest import in_process
from tests.mcp.server import make

import agentops_sdk as agentops
from agentops_sdk._pipeline import process_runtime

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
]


def series() -> dict[str, list[tuple[dict[str, Any], int]]]:
    running = process_runtime.current
    assert running is not None
    return {
        table.name: [
            (dict(zip(table.row.attributes, values or (), strict=True)), figures.count)
            for values, figures in table.series.items()
        ]
        for table in running.signals.metrics.store.tables
        if table.series
    }


def test_requests_and_sessions_of_both_ends() -> None:
    agentops.init(exporters=["memory"])

    async def run() -> None:
        async with in_process(make()) as client:
            await client.call_tool("add", {"a": 1, "b": 2})

    asyncio.run(run())
    assert agentops.flush()
    found = series()
    for end in ("client", "server"):
        calls = [
            (attributes, count)
            for attributes, count in found[f"mcp.{end}.operation.duration"]
            if attributes["mcp.method.name"] == "tools/call"
        ]
        assert [(attributes["gen_ai.tool.name"], count) for attributes, count in calls] == [("add", 1)]
    for end in ("client", "server"):
        assert [count for _, count in found[f"mcp.{end}.session.duration"]] == [1]
    ((session, _),) = found["mcp.client.session.duration"]
    assert session["mcp.protocol.version"]
    assert session["error.type"] is None
    assert [attributes["gen_ai.tool.name"] for attributes, _ in found["gen_ai.execute_tool.duration"]] == ["add"]

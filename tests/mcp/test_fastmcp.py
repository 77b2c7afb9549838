"""FastMCP 4, whose client and server stand on the SDK: in one process and over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from tests.mcp.http_server import serving

import agentops_sdk as agentops

pytest.importorskip("fastmcp", reason="fastmcp is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # it leaves streams to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def _shop() -> Any:
    from fastmcp import FastMCP

    shop = FastMCP("shop")

    @shop.tool
    def add(a: int, b: int) -> int:
        with agentops.span("arithmetic"):
            return a + b

    @shop.tool
    def broken() -> str:
        raise ValueError("no stock")

    return shop


@pytest.mark.parametrize("way", ["in process", "http"])
async def test_a_tool_is_called_once_on_each_end(way: str, ended: Callable[[], list[Any]]) -> None:
    from fastmcp import Client

    shop = _shop()
    with nullcontext(shop) if way == "in process" else serving(shop, "http_app") as server:
        async with Client(server) as client:
            with agentops.span("shopper"):
                assert (await client.call_tool("add", {"a": 1, "b": 2})).data == 3
                assert (await client.call_tool("broken", {}, raise_on_error=False)).is_error
    spans = ended()
    ends = {(span.name, span.kind.name): span for span in spans}
    told = [span for span in spans if not span.attributes.get("agentops.internal")]
    assert len({span.context.trace_id for span in told}) == 1
    for tool, outcome in (("add", "ok"), ("broken", "error")):
        call, handled = ends[f"tools/call {tool}", "CLIENT"], ends[f"tools/call {tool}", "SERVER"]
        assert handled.parent.span_id == call.context.span_id
        assert [each.attributes["agentops.kind"] for each in (call, handled)] == ["tool", "task"]
        assert [each.attributes["agentops.outcome"] for each in (call, handled)] == [outcome] * 2
        assert sum(span.name == call.name for span in spans) == 2, "one on each end"
    assert ends["tools/call broken", "CLIENT"].attributes["error.type"] == "tool_error"
    assert ends["arithmetic", "INTERNAL"].parent.span_id == ends["tools/call add", "SERVER"].context.span_id

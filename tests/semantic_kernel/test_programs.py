"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.integrations.framework_programs import MODES, check, check_cancelled

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("semantic_kernel", reason="semantic-kernel is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents, of a name and their plugins."""
    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion

    async def run() -> None:
        async with AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=client)
            await work(
                lambda name, *plugins: ChatCompletionAgent(
                    service=service, name=name, instructions="Be brief.", plugins=list(plugins)
                )
            )

    asyncio.run(run())


def _script(request: dict[str, Any]) -> Reply:
    if request.get("tools") and request["messages"][-1]["role"] != "tool":
        function = request["tools"][0]["function"]
        return Reply(tool_calls=(ToolCall(function["name"], dict.fromkeys(function["parameters"]["properties"], "7")),))
    return Reply(text="It is on its way.")


def orders(server: LocalModel) -> None:
    """An agent with a tool, another one whose tool fails, and one whose reply is streamed."""
    from semantic_kernel.functions import kernel_function

    class Orders:
        @kernel_function(description="Looks up an order.")
        def look_up(self, order: str) -> str:
            return f"order {order}: packed"

    class Archive:
        @kernel_function(description="Opens the archive.")
        async def open(self, order: str) -> str:
            raise LookupError("the archive is closed")

    server.script = _script

    async def work(make: Callable[..., Any]) -> None:
        answer = await make("clerk", Orders()).get_response("Where is it?")
        assert str(answer.content) == "It is on its way."
        await make("archivist", Archive()).get_response("And the old one?")
        pieces = [each async for each in make("speaker").invoke_stream("Once more?")]
        assert "on its way" in "".join(str(each.content) for each in pieces)

    _run(server, work)


def nested(server: LocalModel) -> None:
    """An agent whose tool is another agent."""
    server.script = _script

    async def work(make: Callable[..., Any]) -> None:
        async for _ in make("chief", make("helper")).invoke("Ask the helper."):
            pass

    _run(server, work)


@pytest.mark.parametrize("mode", MODES)
def test_programs_orders(mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    spans = check(orders, TREES, mode, monkeypatch, internal=True)
    clerk = next(span for span in spans if span.name == "invoke_agent clerk")
    assert clerk.attributes["agentops.input"] == "Where is it?"
    assert clerk.attributes["agentops.output"] == "It is on its way."
    (tool,) = (span for span in spans if span.name == "execute_tool Orders-look_up")
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"order": "7"}
    assert tool.attributes["gen_ai.tool.call.result"] == "order 7: packed"
    assert not any("on its way" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("mode", MODES)
def test_programs_nested(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(nested, TREES, mode, monkeypatch)


def test_nothing_of_content_without_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(orders, TREES, "private", monkeypatch, internal=True, capture_content=False)
    assert "on its way" not in repr([dict(span.attributes) for span in spans])
    assert "packed" not in repr([dict(span.attributes) for span in spans])


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
    from semantic_kernel.functions import kernel_function

    async def run(server: LocalModel, wait: Any) -> None:
        class Work:
            @kernel_function(description="Waits.")
            async def wait(self) -> str:
                return str(await wait())

        client = AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0)
        service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=client)
        server.script = lambda request: Reply(tool_calls=(ToolCall("Work-wait", {}),))
        await ChatCompletionAgent(service=service, name="clerk", plugins=[Work()]).get_response("Go.")

    ends = check_cancelled(run)
    cancelled = ("execute_tool Work-wait", "invoke_agent clerk")
    assert {name: ends.pop(name) for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert ends["chat gpt-4o-mini"] == "ok"


def test_what_the_model_refuses_fails_all_that_asked() -> None:
    from semantic_kernel.exceptions import KernelException

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    async def work(make: Callable[..., Any]) -> None:
        with pytest.raises(KernelException):
            await make("refused").get_response("Fail.")

    with LocalModel(lambda request: Reply(status=400)) as server:
        _run(server, work)
    assert agentops.flush()
    ends = {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}
    agentops.shutdown()
    assert ends["invoke_agent refused"] == ends["chat gpt-4o-mini"] == "error"

"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.integrations.framework_programs import MODES, check, check_approvals

import agentops_sdk as agentops

pytest.importorskip("agent_framework", reason="agent-framework-core is not installed")
pytest.importorskip("agent_framework.openai", reason="agent-framework-openai is not installed")

TREES = Path(__file__).parent / "trees"


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents."""
    import openai
    from agent_framework import Agent
    from agent_framework.openai import OpenAIChatCompletionClient

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none") as client:
            chat = OpenAIChatCompletionClient(model="gpt-4o-mini", async_client=client)
            await work(lambda name, **options: Agent(chat, name=name, **options))

    asyncio.run(run())


def orders(server: LocalModel) -> None:
    """A tool that fails once and is called again, then a streamed run."""

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]
        if last["role"] != "tool":
            return Reply(tool_calls=(ToolCall("look_up", {"order": "0"}),))
        if "sent" in str(last):
            return Reply(text="It is on its way.")
        return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    def look_up(order: str) -> str:
        """Look up an order."""
        with agentops.span("database"):
            if order == "0":
                raise LookupError("no such order")
        return "sent"

    server.script = script

    async def run(make: Callable[..., Any]) -> None:
        agent = make("clerk", instructions="Be brief.", tools=[look_up])
        assert (await agent.run("Where is it?")).text == "It is on its way."
        async for _ in agent.run("And now?", stream=True):
            pass

    _run(server, run)


def team(server: LocalModel) -> None:
    """A workflow of two agents, the second of which has a third as its tool."""
    from agent_framework import WorkflowBuilder

    def script(request: dict[str, Any]) -> Reply:
        if request.get("tools") and request["messages"][-1]["role"] != "tool":
            return Reply(tool_calls=(ToolCall("counting", {"task": "6 + 6"}),))
        return Reply(text="12")

    server.script = script

    async def run(make: Callable[..., Any]) -> None:
        reader, counting = make("reader"), make("counting", description="counts")
        writer = make("writer", tools=[counting.as_tool()])
        await WorkflowBuilder(start_executor=reader).add_edge(reader, writer).build().run("What is 6 + 6?")

    _run(server, run)


def refunds(server: LocalModel) -> None:
    """A tool that a person has to approve: streamed and approved, then turned down."""
    from agent_framework import Message, tool

    @tool(approval_mode="always_require")
    def refund(amount: int) -> str:
        """Pay an amount back."""
        return f"{amount} paid"

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]
        return (
            Reply(text="So be it.")
            if last["role"] == "tool"
            else Reply(tool_calls=(ToolCall("refund", {"amount": 12}),))
        )

    server.script = script

    async def run(make: Callable[..., Any]) -> None:
        agent = make("clerk", tools=[refund])
        session = agent.create_session()
        stream = agent.run("I want it back.", session=session, stream=True)
        async for _ in stream:
            pass
        for stopped, approved in ((await stream.get_final_response(), True), (None, False)):
            asked = stopped or await agent.run("And again.", session=session)
            (request,) = asked.user_input_requests
            answer = Message("user", [request.to_function_approval_response(approved)])
            assert (await agent.run(answer, session=session)).text == "So be it."

    _run(server, run)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [orders, team, refunds], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch)
    if program is refunds:
        runs = [span for span in spans if span.name == "invoke_agent clerk"]
        check_approvals(runs[:2], ["approve"])
        check_approvals(runs[2:], ["reject"])


def test_without_the_client_the_library_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As far as it does: of what a model wrote it is silent unless told, so that there is no tree of choices."""
    monkeypatch.setenv("AGENTOPS_UPDATE_TREES", "1")
    spans = check(orders, tmp_path, "private", monkeypatch, integrations=["agent_framework"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}


def test_content_follows_our_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in (True, False):
        spans = check(orders, TREES, "private", monkeypatch, capture_content=wanted)
        told = str([[dict(span.attributes), [dict(event.attributes) for event in span.events]] for span in spans])
        tools = [span.attributes for span in spans if span.name == "execute_tool look_up"]
        assert ("on its way" in told) is ("Where is" in told) is ("Be brief" in told) is wanted
        assert ["gen_ai.tool.call.arguments" in tool for tool in tools] == [wanted] * len(tools)

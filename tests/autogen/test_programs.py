"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_cancelled, memories

import agentops_sdk as agentops

pytest.importorskip("autogen_agentchat", reason="autogen-agentchat is not installed")
pytest.importorskip("autogen_ext.models.openai", reason="autogen-ext is not installed")

TREES = Path(__file__).parent / "trees"
"""By whose provider it is: spans of the runtime's messages stay in the program's own, and are linked to."""

pytestmark = pytest.mark.filterwarnings("ignore:Resolved model mismatch", "ignore::DeprecationWarning")


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    async def run() -> None:
        client = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=server.base_url, api_key="none")
        await work(lambda name, **options: AssistantAgent(name, client, **options))
        await client.close()

    asyncio.run(run())


def help_desk(server: LocalModel) -> None:
    """A swarm: an agent hands over to another one, whose tool fails, and which asks a person."""
    from autogen_agentchat.agents import UserProxyAgent
    from autogen_agentchat.conditions import TextMentionTermination
    from autogen_agentchat.teams import RoundRobinGroupChat, Swarm

    def script(request: dict[str, Any]) -> Reply:
        offered = {tool["function"]["name"] for tool in request.get("tools") or ()}
        last = request["messages"][-1]
        if "transfer_to_billing" in offered:
            return Reply(tool_calls=(ToolCall("transfer_to_billing", {}),))
        if "look_up" in offered and last["role"] != "tool":
            return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))
        return Reply(text="It is on its way. DONE")

    @agentops.tool
    def look_up(order: str) -> str:
        """Look up an order."""
        raise LookupError("the archive is closed")

    server.script = script

    async def work(make: Callable[..., Any]) -> None:
        triage = make("triage", handoffs=["billing"])
        billing = make("billing", tools=[look_up], reflect_on_tool_use=True)
        team = Swarm([triage, billing], termination_condition=TextMentionTermination("DONE"))
        result = await team.run(task="Where is it?")
        assert "on its way" in result.messages[-1].content
        person = UserProxyAgent("person", input_func=lambda prompt: "So be it. DONE")
        approval = RoundRobinGroupChat([person], termination_condition=TextMentionTermination("DONE"))
        async for _ in approval.run_stream(task="May we?"):
            pass

    _run(server, work)


def research(server: LocalModel) -> None:
    """An agent by itself, which has another one as its tool; streamed, and left before its end."""
    from autogen_agentchat.tools import AgentTool

    def script(request: dict[str, Any]) -> Reply:
        if request.get("tools") and request["messages"][-1]["role"] != "tool":
            return Reply(tool_calls=(ToolCall("counting", {"task": "6 + 6"}),))
        return Reply(text="12")

    server.script = script

    async def work(make: Callable[..., Any]) -> None:
        counting = make("counting", description="counts")
        writer = make("writer", tools=[AgentTool(counting)], reflect_on_tool_use=True)
        assert (await writer.run(task="What is 6 + 6?")).messages[-1].content == "12"
        stream = counting.run_stream(task="6 + 6")
        await anext(stream)
        await stream.aclose()

    _run(server, work)


def recall(server: LocalModel) -> None:
    """An agent with the library's memory and one of the program's own, which asks itself."""
    from autogen_core.memory import ListMemory, MemoryContent, MemoryQueryResult, UpdateContextResult

    class Tastes(ListMemory):
        async def update_context(self, model_context: Any) -> UpdateContextResult:
            found = await self.query("tastes")
            return UpdateContextResult(memories=MemoryQueryResult(results=found.results[:1]))

    server.script = lambda request: Reply(text="Tea.")

    async def work(make: Callable[..., Any]) -> None:
        known, tastes = ListMemory("known"), Tastes("tastes")
        for memory, text in ((known, "It rains."), (tastes, "likes tea"), (tastes, "likes cake")):
            await memory.add(MemoryContent(content=text, mime_type="text/plain", metadata={"year": 2026}))
        clerk = make("clerk", memory=[known, tastes])
        assert (await clerk.run(task="What do I like?")).messages[-1].content == "Tea."
        assert len((await known.query("rain")).results) == 1
        await known.clear()

    _run(server, work)


def streams(server: LocalModel) -> None:
    """Of a model, of an agent and of a team: each read to its end; then an agent and a team that are left before."""
    from autogen_agentchat.base import Response
    from autogen_agentchat.conditions import MaxMessageTermination
    from autogen_agentchat.messages import TextMessage
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_core import CancellationToken

    server.script = lambda request: Reply(text="It is on its way.")

    async def work(make: Callable[..., Any]) -> None:
        clerk, writer = (make(name, model_client_stream=True) for name in ("clerk", "writer"))
        team = RoundRobinGroupChat([clerk, writer], termination_condition=MaxMessageTermination(3))
        messages = [TextMessage(content="Where is it?", source="user")]
        said = [piece async for piece in clerk.on_messages_stream(messages, CancellationToken())]
        assert isinstance(said[-1], Response)
        assert len(said) > 2
        said = [piece async for piece in team.run_stream(task="Where is it?")]
        assert [message.source for message in said[-1].messages] == ["user", "clerk", "writer"]
        await team.reset()
        for left in (clerk.on_messages_stream(messages, CancellationToken()), team.run_stream(task="And now?")):
            await anext(left)
            await left.aclose()
        await asyncio.sleep(0.1)  # what the team's agents do goes on without it

    _run(server, work)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [help_desk, research, recall, streams], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = check(program, TREES / mode, mode, monkeypatch)
    spans = {span.name: span.attributes for span in recorded}
    if program is recall:
        assert memories(recorded) == [
            ("create_memory", "known", ["It rains."]), ("create_memory", "tastes", ["likes tea"]),
            ("create_memory", "tastes", ["likes cake"]), ("search_memory", "known", ["It rains."]),
            ("search_memory", "tastes", ["likes tea"]), ("search_memory", "known", ["It rains."]),
            ("delete_memory", "known", []),
        ]  # fmt: skip
    if program is help_desk:
        asked = spans["invoke_agent person"]
        assert asked["agentops.decision.chosen"] == "So be it. DONE"
        assert (asked["agentops.decision.by"], asked["agentops.decision.by.name"]) == ("human", "person")
        assert spans["execute_tool look_up"]["gen_ai.tool.call.arguments"] == '{"order":"7"}'


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    async def run(server: LocalModel, wait: Any) -> None:
        from autogen_agentchat.agents import AssistantAgent
        from autogen_ext.models.openai import OpenAIChatCompletionClient

        client = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=server.base_url, api_key="none")
        await AssistantAgent("clerk", client, tools=[wait]).run(task="Go.")

    cancelled = ("execute_tool wait", "invoke_agent clerk")
    assert check_cancelled(run) == {"chat gpt-4o-mini": "ok", **dict.fromkeys(cancelled, "cancelled")}


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTOPS_UPDATE_TREES", "1")  # an answer is in the tree
    for span in check(help_desk, tmp_path, "private", monkeypatch, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("on its way", "Where is", "May we", "So be it")), span.name


def test_what_an_agent_is_given_is_told() -> None:
    check_given("autogen")

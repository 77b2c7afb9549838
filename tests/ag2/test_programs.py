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

pytest.importorskip("ag2", reason="ag2 is not installed")

TREES = Path(__file__).parent / "trees"


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents, each with the library's own telemetry beside ours."""
    import httpx2
    from ag2 import Agent
    from ag2.config import OpenAIConfig
    from ag2.middleware.builtin.telemetry import TelemetryMiddleware

    async def run() -> None:
        async with httpx2.AsyncClient() as http:

            def make(name: str, streaming: bool = False, **options: Any) -> Any:
                config = OpenAIConfig(
                    "gpt-4o-mini", base_url=server.base_url, api_key="none", http_client=http, streaming=streaming
                )
                return Agent(name, config=config, middleware=[TelemetryMiddleware(agent_name=name)], **options)

            await work(make)

    asyncio.run(run())


def refunds(server: LocalModel) -> None:
    """A tool that a person has to approve, who says no and then yes; a second turn of the conversation is streamed."""
    from ag2 import tool
    from ag2.middleware.builtin.tools import approval_required

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]
        if last["role"] == "tool" and "denied" not in str(last["content"]):
            return Reply(text="It is paid.")
        return Reply(tool_calls=(ToolCall("refund", {"amount": 12}),))

    answers = iter(["no", "yes", "yes"])

    @tool(middleware=[approval_required()])
    def refund(amount: int) -> str:
        """Pay an amount back."""
        with agentops.span("bank"):
            return f"{amount} paid"

    server.script = script

    async def work(make: Callable[..., Any]) -> None:
        clerk = make("clerk", tools=[refund], streaming=True, hitl_hook=lambda event: next(answers))
        reply = await clerk.ask("I want it back.")
        assert reply.body == "It is paid."
        await reply.ask("And again.")

    _run(server, work)


def team(server: LocalModel) -> None:
    """An agent has another one as its tool, and one of its tools fails."""
    from ag2 import tool

    def script(request: dict[str, Any]) -> Reply:
        offered = {each["function"]["name"] for each in request.get("tools") or ()}
        done = {call["function"]["name"] for each in request["messages"] for call in each.get("tool_calls") or ()}
        if "look_up" in offered - done:
            return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))
        if "task_counting" in offered - done:
            return Reply(tool_calls=(ToolCall("task_counting", {"objective": "6 + 6"}),))
        return Reply(text="12")

    @tool
    def look_up(order: str) -> str:
        """Look up an order."""
        raise LookupError("the archive is closed")

    server.script = script

    async def work(make: Callable[..., Any]) -> None:
        counting = make("counting")
        writer = make("writer", tools=[look_up, counting.as_tool(description="Counts.")])
        assert (await writer.ask("What is 6 + 6?")).body == "12"

    _run(server, work)


def recall(server: LocalModel) -> None:
    """An agent that is given what it knows of before, and keeps what is new, for which it asks the model as well."""
    from ag2.aggregate import AggregateTrigger, WorkingMemoryAggregate
    from ag2.knowledge import WORKING_MEMORY_PATH, MemoryKnowledgeStore
    from ag2.knowledge.config import KnowledgeConfig
    from ag2.policies import ConversationPolicy, EpisodicMemoryPolicy, WorkingMemoryPolicy

    server.script = lambda request: Reply(text="likes tea")
    store = MemoryKnowledgeStore()

    async def work(make: Callable[..., Any]) -> None:
        await store.write(WORKING_MEMORY_PATH, "likes cake")
        config = make("none").config
        knowledge = KnowledgeConfig(
            store=store, expose_tool=False, write_event_log=False, aggregate=WorkingMemoryAggregate(config),
            aggregate_trigger=AggregateTrigger(on_end=True),
        )  # fmt: skip
        policies = [EpisodicMemoryPolicy(), WorkingMemoryPolicy(), ConversationPolicy()]
        clerk = make("clerk", knowledge=knowledge, assembly=policies)
        assert (await clerk.ask("I like tea.")).body == "likes tea"
        assert await store.read(WORKING_MEMORY_PATH) == "likes tea"

    _run(server, work)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [refunds, team, recall], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch)
    if program is recall:
        assert memories(spans) == [
            ("search_memory", "episodic_memory", []),
            ("search_memory", "working_memory", ["## Working Memory\n\nlikes cake"]),
            ("update_memory", "working_memory", []),
        ]
    if program is refunds:
        tools = [span.attributes for span in spans if span.name == "execute_tool refund"]
        assert [tool["agentops.decision.chosen"] for tool in tools] == ["reject", "approve", "approve"]
        assert all(tool["agentops.decision.waited"] >= 0 for tool in tools)
        assert [tool["agentops.outcome"] for tool in tools] == ["cancelled", "ok", "ok"]
        assert tools[0]["gen_ai.tool.call.arguments"]


def test_without_the_client_the_library_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(team, TREES, "private", monkeypatch, integrations=["ag2"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    async def run(server: LocalModel, wait: Any) -> None:
        from ag2 import Agent
        from ag2.config import OpenAIConfig

        config = OpenAIConfig("gpt-4o-mini", base_url=server.base_url, api_key="none")
        await Agent("clerk", config=config, tools=[wait]).ask("Go.")

    cancelled = ("execute_tool wait", "invoke_agent clerk")
    assert check_cancelled(run) == {"chat gpt-4o-mini": "ok", **dict.fromkeys(cancelled, "cancelled")}


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in (refunds, team):
        for span in check(program, TREES, "private", monkeypatch, capture_content=False):
            told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
            assert not any(words in told for words in ("It is paid", "want it back", "12 paid", "6 + 6"))


def test_what_an_agent_is_given_is_told() -> None:
    check_given("ag2")

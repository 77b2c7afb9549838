"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_approvals, check_cancelled, memories

import agentops_sdk as agentops

pytest.importorskip("agent_framework", reason="agent-framework-core is not installed")
pytest.importorskip("agent_framework.openai", reason="agent-framework-openai is not installed")

TREES = Path(__file__).parent / "trees"


@asynccontextmanager
async def _agents(server: LocalModel) -> AsyncIterator[Callable[..., Any]]:
    """A function that makes agents."""
    import openai
    from agent_framework import Agent
    from agent_framework.openai import OpenAIChatCompletionClient

    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none") as client:
        chat = OpenAIChatCompletionClient(model="gpt-4o-mini", async_client=client)
        yield lambda name, **options: Agent(chat, name=name, **options)


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents."""

    async def run() -> None:
        async with _agents(server) as make:
            await work(make)

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


def reviews(server: LocalModel) -> None:
    """A workflow asks a person twice, and an agent in it about a tool; then one that is a function."""
    from agent_framework import Executor, WorkflowBuilder, handler, response_handler, tool, workflow

    class Review(Executor):
        @handler(input=str, output=str)
        async def take(self, draft: str, context) -> None:  # type: ignore[no-untyped-def]  # read by the library
            for question in ("Send it?", "To whom?"):
                await context.request_info(question, str)

        @response_handler(request=str, response=str, output=str)
        async def answered(self, question: str, answer: str, context) -> None:  # type: ignore[no-untyped-def]  # read by the library
            if question == "To whom?":
                await context.send_message(answer)

    @tool(approval_mode="always_require")
    def send(to: str) -> str:
        """Send it."""
        return f"sent to {to}"

    def script(request: dict[str, Any]) -> Reply:
        done = request["messages"][-1]["role"] == "tool"
        return Reply(text="It is sent.") if done else Reply(tool_calls=(ToolCall("send", {"to": "Ada"}),))

    server.script = script

    @workflow
    async def ask(draft: str, ctx: Any) -> str:
        return str(await ctx.request_info(f"{draft}?", bool))

    async def run(make: Callable[..., Any]) -> None:
        review = Review("review")
        graph = WorkflowBuilder(start_executor=review).add_edge(review, make("clerk", tools=[send])).build()
        asked = (await graph.run("Dear Ada")).get_request_info_events()
        assert [event.data for event in asked] == ["Send it?", "To whom?"]
        for event, answer in zip(asked, ("yes", "Ada"), strict=True):
            result = await graph.run(responses={event.request_id: answer})
        (event,) = result.get_request_info_events()
        await graph.run(responses={event.request_id: event.data.to_function_approval_response(True)})
        built = ask.build() if hasattr(ask, "build") else ask
        (event,) = (await built.run("Dear Ada")).get_request_info_events()
        assert (await built.run(responses={event.request_id: True})).get_outputs() == ["True"]

    _run(server, run)


def orchestrations(server: LocalModel) -> None:
    """Agents one after the other, side by side, by handoff, in a chat that a model leads, and by a plan."""
    pytest.importorskip("agent_framework_orchestrations", reason="agent-framework-orchestrations is not installed")
    from agent_framework.orchestrations import (
        ConcurrentBuilder,
        GroupChatBuilder,
        HandoffBuilder,
        MagenticBuilder,
        SequentialBuilder,
    )

    satisfied = iter((False, True) * 2)

    def script(request: dict[str, Any]) -> Reply:
        offered = [tool["function"]["name"] for tool in request.get("tools") or ()]
        said = str(request["messages"])
        if "handoff_to_clerk" in offered:
            return Reply(tool_calls=(ToolCall("handoff_to_clerk", {}),))
        if "is_progress_being_made" in said.rpartition("'role': 'user'")[2]:
            done = next(satisfied)
            answers = {"is_request_satisfied": done, "is_in_loop": False, "is_progress_being_made": True,
                       "next_speaker": "clerk", "instruction_or_question": "Look."}  # fmt: skip
            return Reply(text=json.dumps({key: {"reason": "r", "answer": value} for key, value in answers.items()}))
        if "next_speaker" in said:
            done = "It is on its way." in said
            told = {"terminate": done, "reason": "r", "next_speaker": None if done else "clerk", "final_message": "It."}
            return Reply(text=json.dumps(told))
        return Reply(text="It is on its way.")

    server.script = script

    async def run(make: Callable[..., Any]) -> None:
        history = {"require_per_service_call_history_persistence": True}  # of agents that hand over
        desk, clerk = make("desk", **history), make("clerk", description="knows orders", **history)
        leader = make("leader", description="leads")
        handoff = HandoffBuilder(participants=[desk, clerk], termination_condition=lambda said: "way" in said[-1].text)
        for built in (
            SequentialBuilder(participants=[desk, clerk]),
            ConcurrentBuilder(participants=[desk, clerk]),
            handoff.with_start_agent(desk).add_handoff(desk, [clerk]),
            GroupChatBuilder(participants=[desk, clerk], orchestrator_agent=leader, max_rounds=3),
            MagenticBuilder(participants=[clerk], manager_agent=leader, max_round_count=3),
        ):
            await built.build().run("Where is order 7?")

    _run(server, run)


def recall(server: LocalModel) -> None:
    """An agent that is given what a memory holds, and leaves something there."""
    from agent_framework import ContextProvider, Message

    class Tastes(ContextProvider):
        async def before_run(self, *, agent: Any, session: Any, context: Any, state: dict[str, Any]) -> None:
            context.extend_instructions(self.source_id, "Known of the user:")
            context.extend_messages(self, [Message("user", ["I like tea."])])

        async def after_run(self, *, agent: Any, session: Any, context: Any, state: dict[str, Any]) -> None:
            state["seen"] = True

    server.script = lambda request: Reply(text="Tea.")

    async def run(make: Callable[..., Any]) -> None:
        clerk = make("clerk", context_providers=[Tastes("tastes")])
        assert (await clerk.run("What do I like?", session=clerk.create_session())).text == "Tea."

    _run(server, run)


@pytest.mark.filterwarnings("ignore:.FUNCTIONAL_WORKFLOWS.")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "program", [orders, team, refunds, reviews, recall, orchestrations], ids=lambda program: program.__name__
)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch)
    if program is refunds:
        runs = [span for span in spans if span.name == "invoke_agent clerk"]
        check_approvals(runs[:2], ["approve"])
        check_approvals(runs[2:], ["reject"])
    if program is recall:
        assert memories(spans) == [
            ("search_memory", "tastes", ["Known of the user:", "I like tea."]), ("upsert_memory", "tastes", []),
        ]  # fmt: skip
    if program is orchestrations:
        (speaker, planned) = [span.attributes for span in spans if "agentops.decision.name" in span.attributes
                              and span.attributes["agentops.decision.name"] == "next speaker"]  # fmt: skip
        assert {each["agentops.decision.by"] for each in (speaker, planned)} == {"model"}
        (taken,) = [span for span in spans if span.name == "invoke_agent clerk" and span.links]
        about = dict(taken.links[0].attributes)
        assert (about["agentops.handoff.from"], about["agentops.handoff.to"]) == ("desk", "clerk")
        assert not any(span.attributes["agentops.kind"] == "memory" for span in spans)
    if program is reviews:
        told = [
            span.attributes.get("agentops.decision.waited") for span in spans if span.name.startswith("invoke_workflow")
        ]
        assert [waited is not None and waited > 0 for waited in told] == [False, True, True, False, False, False]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    async def run(server: LocalModel, wait: Any) -> None:
        async with _agents(server) as make:
            await make("clerk", tools=[wait]).run("Go.")

    cancelled = ("execute_tool wait", "invoke_agent clerk")
    assert check_cancelled(run) == {"chat gpt-4o-mini": "ok", **dict.fromkeys(cancelled, "cancelled")}


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


def test_what_an_agent_is_given_is_told() -> None:
    check_given("agent_framework")

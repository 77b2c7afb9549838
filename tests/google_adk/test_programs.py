"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.google_genai.clients import MODEL, event, reply
from tests.integrations.framework_programs import MODES, check, check_approvals, check_cancelled, memories
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops

pytest.importorskip("google.adk", reason="google-adk is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # features that it calls experimental
]


def _script(answer: Callable[[Any, list[str], str], dict[str, Any]]) -> Callable[[Request], Reply]:
    """Answers by the request's body, the tools on offer, and the last message."""

    def respond(request: Request) -> Reply:
        body = request.body
        tools = [tool["name"] for each in body.get("tools") or () for tool in each["functionDeclarations"]]
        parts = answer(body, tools, str(body["contents"][-1]))
        message = reply(*parts.get("both", [parts]))
        if "stream" in request.path:
            return Reply(stream=[event(message)], content_type="text/event-stream")
        return Reply(message)

    return respond


def _call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": arguments}}


def _agent(server: Wire, name: str, **options: Any) -> Any:
    from google.adk.agents import LlmAgent
    from google.adk.models import Gemini

    model = Gemini(model=MODEL, base_url=server.url.removesuffix("/v1"))
    _models.append(model)
    return LlmAgent(name=name, model=model, **options)


_models: list[Any] = []
"""Those whose clients are open."""


def _run(agent: Any, *texts: str, stream: bool = False, answers: Callable[[Any], bool] | None = None) -> list[Any]:
    from google.adk.agents.run_config import RunConfig, StreamingMode
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    async def run() -> list[Any]:
        runner = InMemoryRunner(agent, app_name="shop")
        session = await runner.session_service.create_session(app_name="shop", user_id="u")
        config = RunConfig(streaming_mode=StreamingMode.SSE if stream else StreamingMode.NONE)
        events = []
        for text in texts:
            message: Any = types.Content(role="user", parts=[types.Part(text=text)])
            while message is not None:
                asked = []
                async for each in runner.run_async(
                    user_id="u", session_id=session.id, new_message=message, run_config=config
                ):
                    events.append(each)
                    asked += [call for call in each.get_function_calls() if call.name == "adk_request_confirmation"]
                message = _answer(asked, answers) if answers is not None and asked else None
        await runner.close()
        await _close()
        return events

    return asyncio.run(run())


async def _close() -> None:
    while _models:
        client = _models.pop().api_client
        await client.aio.aclose()
        client.close()


def _answer(asked: list[Any], answers: Callable[[Any], bool]) -> Any:
    from google.genai import types

    parts = [
        types.FunctionResponse(
            id=call.id, name=call.name, response={"confirmed": answers(call.args["originalFunctionCall"]["args"])}
        )
        for call in asked
    ]
    return types.Content(role="user", parts=[types.Part(function_response=part) for part in parts])


def orders(server: Wire) -> None:
    """An agent hands over to another, whose tool finds nothing the first time."""

    def answer(body: Any, tools: list[str], last: str) -> dict[str, Any]:
        if "look_up" not in tools:
            return _call("transfer_to_agent", agent_name="clerk")
        if "sent" in last:
            return {"text": "It is on its way."}
        return _call("look_up", order="7" if "no such" in last else "0")

    def look_up(order: str) -> dict[str, str]:
        """Look up an order."""
        with agentops.span("database"):
            return {"error": "no such order"} if order == "0" else {"state": "sent"}

    server.replies = [_script(answer)]
    clerk = _agent(server, "clerk", description="knows orders", instruction="Be brief.", tools=[look_up])
    events = _run(_agent(server, "desk", sub_agents=[clerk]), "Where is it?")
    assert events[-1].content.parts[0].text == "It is on its way."


def team(server: Wire) -> None:
    """Agents one after the other, streamed; the second asks a third, as a tool."""
    from google.adk.agents import SequentialAgent
    from google.adk.tools.agent_tool import AgentTool

    def answer(body: Any, tools: list[str], last: str) -> dict[str, Any]:
        asks = "counting" in tools and "functionResponse" not in last
        return _call("counting", request="6 + 6") if asks else {"text": "12"}

    server.replies = [_script(answer)]
    counting = _agent(server, "counting", description="counts")
    writer = _agent(server, "writer", tools=[AgentTool(counting)])
    team = SequentialAgent(name="team", sub_agents=[_agent(server, "reader"), writer])
    assert _run(team, "What is 6 + 6?", stream=True)[-1].content.parts[0].text == "12"


def refunds(server: Wire) -> None:
    """Two tools that a person has to confirm: the run stops, and goes on with one, and without the other."""
    from google.adk.tools import FunctionTool

    def answer(body: Any, tools: list[str], last: str) -> dict[str, Any]:
        if "functionResponse" in last:
            return {"text": "One of them is paid."}
        return {"both": [_call("refund", amount=12), _call("refund", amount=9_000)]}

    def refund(amount: int) -> dict[str, int]:
        """Pay an amount back."""
        return {"paid": amount}

    server.replies = [_script(answer)]
    clerk = _agent(server, "clerk", tools=[FunctionTool(refund, require_confirmation=True)])
    events = _run(clerk, "I want it back.", answers=lambda arguments: arguments["amount"] < 100)
    assert events[-1].content.parts[0].text == "One of them is paid."


def recall(server: Wire) -> None:
    """What a session leaves in a memory, an agent looks up by its tool; the program adds to it and takes away."""
    from google.adk.events import Event
    from google.adk.memory import InMemoryMemoryService
    from google.adk.runners import InMemoryRunner
    from google.adk.tools import load_memory
    from google.genai import types

    def answer(body: Any, tools: list[str], last: str) -> dict[str, Any]:
        return {"text": "Tea."} if "functionResponse" in last else _call("load_memory", query="tea")

    server.replies = [_script(answer)]

    def said(text: str) -> Any:
        return types.Content(role="user", parts=[types.Part(text=text)])

    async def run() -> None:
        kept = InMemoryMemoryService()
        runner = InMemoryRunner(_agent(server, "clerk", tools=[load_memory]), app_name="shop")
        runner.memory_service = kept
        session = await runner.session_service.create_session(app_name="shop", user_id="u")
        await kept.add_events_to_memory(
            app_name="shop", user_id="u", session_id="s", events=[Event(author="user", content=said("I like tea."))]
        )
        events = [
            event async for event in runner.run_async(user_id="u", session_id=session.id, new_message=said("What?"))
        ]
        assert events[-1].content.parts[0].text == "Tea."
        await kept.add_session_to_memory(
            await runner.session_service.get_session(app_name="shop", user_id="u", session_id=session.id)
        )
        await runner.close()
        while _models:
            client = _models.pop().api_client
            await client.aio.aclose()
            client.close()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "none")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [orders, team, refunds, recall], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch, server=Wire)
    if program is refunds:
        check_approvals([span for span in spans if span.name == "invoke_agent clerk"], ["approve", "reject"])
    if program is recall:
        assert memories(spans) == [
            ("upsert_memory", None, ["I like tea."]), ("search_memory", None, ["I like tea."]),
            ("upsert_memory", None, []),
        ]  # fmt: skip
        (asked,) = [span.attributes for span in spans if "gen_ai.memory.query.text" in span.attributes]
        assert (asked["gen_ai.memory.query.text"], asked["user.id"]) == ("tea", "u")


def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    async def run(server: Wire, wait: Any) -> None:
        server.replies = [_script(lambda body, tools, last: _call("wait"))]
        runner = InMemoryRunner(_agent(server, "clerk", tools=[wait]), app_name="shop")
        session = await runner.session_service.create_session(app_name="shop", user_id="u")
        message = types.Content(role="user", parts=[types.Part(text="Go.")])
        try:
            async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=message):
                pass
        finally:
            await runner.close()
            await _close()

    ends = check_cancelled(run, Wire)
    cancelled = ("execute_tool wait", "invoke_agent clerk", "invoke_workflow clerk")
    assert {name: ends.pop(name) for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert ends[f"generate_content {MODEL}"] == "ok"


def test_without_the_client_the_library_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTOPS_UPDATE_TREES", "1")
    spans = check(orders, tmp_path, "private", monkeypatch, server=Wire, integrations=["google_adk"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}


def test_content_follows_our_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in (True, False):
        spans = check(orders, TREES, "private", monkeypatch, server=Wire, capture_content=wanted)
        told = str([[dict(span.attributes), [dict(event.attributes) for event in span.events]] for span in spans])
        tools = [span.attributes for span in spans if span.name == "execute_tool look_up"]
        assert ("on its way" in told) is ("Where is" in told) is ("Be brief" in told) is wanted
        assert ["gen_ai.tool.call.result" in tool for tool in tools] == [wanted] * len(tools)

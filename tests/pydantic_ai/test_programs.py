"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_approvals, check_cancelled
from tests.openai.spans import check_schemas

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("pydantic_ai", reason="pydantic-ai-slim is not installed")
pytest.importorskip("openai", reason="openai is not installed")

ROOT = Path(__file__).parents[2]
TREES = Path(__file__).parent / "trees"


@asynccontextmanager
async def _models(server: LocalModel) -> AsyncIterator[Callable[..., Any]]:
    """Makes models whose answers a script decides."""
    import openai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    transport = openai.DefaultAsyncHttpxClient(verify=False)  # no certificates to load: ten times faster
    options: dict[str, Any] = {"base_url": server.base_url, "api_key": "none", "max_retries": 0}
    async with openai.AsyncOpenAI(**options, http_client=transport) as client:

        def make(script: Callable[[dict[str, Any]], Reply]) -> Any:
            server.script = script
            return OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))

        yield make


@pytest.fixture
async def model() -> AsyncIterator[Callable[..., Any]]:
    with LocalModel() as server:
        async with _models(server) as make:
            yield make
    agentops.shutdown()


def _tools(request: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in request.get("tools") or ()]


async def orders(model: Any) -> None:
    """A tool that fails once and is tried again, then a streamed run that goes on with the conversation."""
    import pydantic_ai

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]
        if last["role"] == "tool" and "again" not in str(last["content"]):
            return Reply(text="It is on its way.")
        return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    agent = pydantic_ai.Agent(model(script), name="clerk", instructions="Be brief.")
    asked = []

    @agent.tool_plain
    def look_up(order: str) -> str:
        asked.append(order)
        if len(asked) == 1:
            raise pydantic_ai.ModelRetry("try again")
        with agentops.span("database"):
            return "sent"

    first = await agent.run("Where is it?")
    async with agent.run_stream("And now?", message_history=first.all_messages()) as second:
        assert await second.get_output() == "It is on its way."


async def delegation(model: Any) -> None:
    """An agent whose tool runs another agent."""
    import pydantic_ai

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool" or not _tools(request):
            return Reply(text="12")
        return Reply(tool_calls=(ToolCall("ask", {"question": "6 + 6"}),))

    chat = model(script)
    counting = pydantic_ai.Agent(chat, name="counting")
    lead = pydantic_ai.Agent(chat, name="lead")

    @lead.tool_plain
    async def ask(question: str) -> str:
        return str((await counting.run(question)).output)

    assert (await lead.run("What is it?")).output == "12"


async def refunds(model: Any) -> None:
    """Tools that wait: one is approved, one turned down, a question answered; then a handler says at once."""
    import pydantic_ai
    from pydantic_ai.capabilities import HandleDeferredToolCalls

    calls = [("refund", {"amount": 12}), ("refund", {"amount": 9_000}), ("ask", {"question": "When?"})]

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="So be it.")
        asked = calls if "back" in str(request["messages"][-1]) else calls[:1]
        return Reply(tool_calls=tuple(ToolCall(name, values) for name, values in asked))

    def refund(amount: int) -> str:
        return f"{amount} paid"

    def ask(question: str) -> str:
        raise pydantic_ai.CallDeferred(kind="question")

    def approve(context: Any, requests: Any) -> Any:
        answered_by = {call.tool_call_id: "policy" for call in requests.approvals}
        return requests.build_results(approve_all=True, answered_by=answered_by)

    chat, tools = model(script), [pydantic_ai.Tool(refund, requires_approval=True), pydantic_ai.Tool(ask)]
    clerk = pydantic_ai.Agent(chat, name="clerk", output_type=[str, pydantic_ai.DeferredToolRequests], tools=tools)
    stopped = await clerk.run("I want it back.")
    small, large = stopped.output.approvals
    (question,) = stopped.output.calls
    answers = stopped.output.build_results(
        approvals={small.tool_call_id: True, large.tool_call_id: pydantic_ai.ToolDenied("too much")},
        calls={question.tool_call_id: "today"},
        answered_by={small.tool_call_id: "Ada"},
    )
    async with clerk.run_stream(message_history=stopped.all_messages(), deferred_tool_results=answers) as resumed:
        assert await resumed.get_output() == "So be it."
    desk = pydantic_ai.Agent(chat, name="desk", tools=tools[:1], capabilities=[HandleDeferredToolCalls(approve)])
    assert (await desk.run("And the small one?")).output == "So be it."


PROGRAMS = (orders, delegation, refunds)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @functools.wraps(program)
    def run(server: LocalModel) -> None:
        async def work() -> None:
            async with _models(server) as make:
                await program(make)

        asyncio.run(work())

    spans = check(run, TREES, mode, monkeypatch)
    if program is refunds:
        stopped, resumed, handled = [span for span in spans if span.attributes["agentops.kind"] == "agent"]
        check_approvals([stopped, resumed], ["approve", "reject", "today"])
        told = [span.attributes for span in (stopped, resumed, handled)]
        assert json.loads(told[0]["agentops.interrupts"])[0]["value"]["tool"] == "refund"
        assert [told[1].get(f"agentops.decision.{name}") for name in ("name", "by.name")] == ["run refund", "Ada"]
        assert [told[2].get(f"agentops.decision.{name}") for name in ("chosen", "by", "by.name")] == [
            "approve", None, "policy",
        ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    async def run(server: LocalModel, wait: Any) -> None:
        import pydantic_ai

        async with _models(server) as make:
            await pydantic_ai.Agent(make(server.script), name="clerk", tools=[wait]).run("Go.")

    cancelled = ("execute_tool wait", "invoke_agent clerk")
    assert check_cancelled(run) == {"chat gpt-4o-mini": "ok", **dict.fromkeys(cancelled, "cancelled")}


async def test_without_the_client_the_librarys_own_span_is_all_there_is(model: Any) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["pydantic_ai"])
    await delegation(model)
    assert agentops.flush()
    spans = exporter.finished_spans()
    calls = [span.attributes for span in spans if span.name == "chat gpt-4o-mini"]
    assert [call["agentops.usage.source"] for call in calls] == ["reported"] * 3
    assert all(call["gen_ai.usage.input_tokens"] > 0 for call in calls)
    assert calls[0]["agentops.decision.chosen"] == "ask"
    assert json.loads(calls[1]["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "12"}]
    others = [span.attributes for span in spans if span.attributes["agentops.kind"] != "llm"]
    assert not any(name.startswith("gen_ai.usage") for attributes in others for name in attributes)
    for span in spans:
        check_schemas(dict(span.attributes))


@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_content_stays_out(whose: str, model: Any) -> None:
    import pydantic_ai
    from pydantic_ai.models.instrumented import InstrumentationSettings

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=whose != "ours")
    agent = pydantic_ai.Agent(model(lambda request: Reply(text="secret answer")), instructions="secret rule")
    if whose == "theirs":
        agent.instrument = InstrumentationSettings(include_content=False)
    await agent.run("secret question")
    assert agentops.flush()
    for span in exporter.finished_spans():
        assert "secret" not in str([dict(span.attributes), [dict(event.attributes) for event in span.events]]), (
            span.name
        )


async def test_an_error_is_the_callers_and_the_spans(model: Any) -> None:
    import pydantic_ai

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    agent = pydantic_ai.Agent(model(lambda request: Reply(status=400, error_code="bad")), name="a")
    with pytest.raises(pydantic_ai.exceptions.ModelHTTPError):
        await agent.run("Hello")
    assert agentops.flush()
    ends = {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}
    assert ends == {"chat gpt-4o-mini": "error", "invoke_agent a": "error"}


@pytest.mark.parametrize("own", ["nothing", "global", "private"])
def test_the_programs_own_exporter(own: str) -> None:
    """Tokens count once in it; where the program instruments by a provider of its own, that keeps what it had."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pydantic_ai.joined", own],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


def test_what_an_agent_is_given_is_told() -> None:
    check_given("pydantic_ai")

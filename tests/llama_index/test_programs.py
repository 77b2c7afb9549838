"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_approvals, check_cancelled

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")
pytest.importorskip("llama_index.llms.openai", reason="llama-index-llms-openai is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the library's own


def _model(server: LocalModel) -> Any:
    from llama_index.llms.openai import OpenAI

    return OpenAI(model="gpt-4o-mini", api_base=server.base_url, api_key="none")


def help_desk(server: LocalModel) -> None:
    """An agent hands over to another one, whose tool fails."""
    from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent

    def answer(request: dict[str, Any]) -> Reply:
        offered = {each["function"]["name"] for each in request.get("tools") or ()}
        asked = {
            call["function"]["name"] for message in request["messages"] for call in message.get("tool_calls") or ()
        }
        if "handoff" in offered - asked:
            return Reply(tool_calls=(ToolCall("handoff", {"to_agent": "billing", "reason": "it is about money"}),))
        if "look_up" in offered - asked:
            return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))
        return Reply(text="It is on its way.")

    @agentops.tool
    def look_up(order: str) -> str:
        """Look up an order."""
        raise LookupError("the archive is closed")

    server.script = answer
    model = _model(server)
    triage = FunctionAgent(name="triage", description="d", llm=model, tools=[], can_handoff_to=["billing"])
    billing = FunctionAgent(name="billing", description="d", llm=model, tools=[look_up], can_handoff_to=[])

    async def run() -> str:
        answer = str(await AgentWorkflow(agents=[triage, billing], root_agent="triage").run(user_msg="Where is it?"))
        with agentops.span("afterwards"):  # nothing is left current by the workflow
            return answer

    assert asyncio.run(run()) == "It is on its way."


def library(server: LocalModel) -> None:
    """A workflow of the program's own, with retrieval in one step and a stream in another."""
    from llama_index.core import Document, MockEmbedding, VectorStoreIndex
    from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

    class Retrieved(Event):
        answer: str

    model = _model(server)
    server.script = lambda request: Reply(text="It is in Rome.")
    documents = [Document(text="Order 7 is in Rome.", doc_id="order-7")]
    engine = VectorStoreIndex.from_documents(documents, embed_model=MockEmbedding(embed_dim=4)).as_query_engine(model)

    class Library(Workflow):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        @step
        async def look(self, ctx: Context, ev: StartEvent) -> Retrieved:
            return Retrieved(answer=str(await engine.aquery("Where is order 7?")))

        @step
        async def tell(self, ev: Retrieved) -> StopEvent:
            pieces = [piece async for piece in await model.astream_complete(ev.answer)]
            return StopEvent(result=str(pieces[-1]))

    async def run() -> Any:
        return await Library(timeout=30).run()

    assert asyncio.run(run()) == "It is in Rome."


def refunds(server: LocalModel) -> None:
    """A tool that waits for a person; then a workflow that asks by one step and goes on by another."""
    from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
    from llama_index.core.workflow import (
        Context,
        HumanResponseEvent,
        InputRequiredEvent,
        StartEvent,
        StopEvent,
        Workflow,
        step,
    )

    async def refund(ctx: Context, amount: int) -> str:
        """Pay an amount back."""
        asked = InputRequiredEvent(prefix=f"pay {amount}?")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=asked, requirements={"amount": amount})
        return f"{amount} paid" if answer.response == "yes" else "not paid"

    refund.__annotations__["ctx"] = Context  # it is imported here only

    class Booking(Workflow):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix="to where?")

        @step
        async def book(self, ev: HumanResponseEvent) -> StopEvent:
            return StopEvent(result=ev.response)

    def answer(request: dict[str, Any]) -> Reply:
        done = request["messages"][-1]["role"] == "tool"
        return Reply(text="It is paid.") if done else Reply(tool_calls=(ToolCall("refund", {"amount": 12}),))

    server.script = answer
    clerk = FunctionAgent(name="clerk", description="d", llm=_model(server), tools=[refund])

    async def run(workflow: Any, answer: dict[str, Any], **start: Any) -> str:
        handler = workflow.run(**start)
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(**answer))
        return str(await handler)

    async def both() -> None:
        desk = AgentWorkflow(agents=[clerk], root_agent="clerk")
        assert await run(desk, {"response": "yes", "amount": 12}, user_msg="I want it back.") == "It is paid."
        assert await run(Booking(timeout=30), {"response": "Rome"}) == "Rome"

    asyncio.run(both())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [help_desk, library, refunds], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = check(program, TREES, mode, monkeypatch)
    spans = {span.name: span.attributes for span in recorded}
    if program is refunds:
        check_approvals(
            [span for span in recorded if span.name == "execute_tool refund"], ['{"response":"yes","amount":12}']
        )
        assert spans["book"]["agentops.decision.chosen"] == "Rome"
        assert spans["book"]["agentops.decision.waited"] > 0
    if program is library:
        (document,) = json.loads(spans["retrieval VectorIndexRetriever"]["gen_ai.retrieval.documents"])
        assert (document["content"], document["score"]) == ("Order 7 is in Rome.", 1.0)
        assert document["id"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", ["with its task", "by its handler"])
def test_what_is_cancelled_ends_with_all_that_runs_in_it(way: str) -> None:
    from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent

    async def run(server: LocalModel, wait: Any) -> None:
        clerk = FunctionAgent(name="clerk", description="d", llm=_model(server), tools=[wait])
        handler = AgentWorkflow(agents=[clerk], root_agent="clerk").run(user_msg="Go.")
        if way == "with its task":
            await handler
        try:
            await asyncio.shield(handler)
        finally:
            await handler.cancel_run()

    ends = check_cancelled(run)
    cancelled = ("execute_tool wait", "call_tool", "invoke_agent clerk", "invoke_workflow AgentWorkflow")
    assert {name: ends[name] for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert {ends[name] for name in ends.keys() - set(cancelled)} == {"ok"}


def test_without_the_client_the_events_are_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stream as well, which goes on after its span has ended. The library asks for no usage there."""
    spans = check(library, TREES, "private", monkeypatch, integrations=["llama_index"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert [call.get("gen_ai.request.stream", False) for call in calls] == [False, True]
    assert all("It is in Rome." in call["gen_ai.output.messages"] for call in calls)


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTOPS_UPDATE_TREES", "1")  # an answer is in the tree
    for program in (help_desk, library, refunds):
        for span in check(program, tmp_path, "private", monkeypatch, capture_content=False):
            told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
            assert not any(
                words in told for words in ("on its way", "Where is", "Rome", "about money", "pay 12", "HumanResponse")
            ), span.name


@pytest.mark.parametrize("integrations", [["llama_index"], ["llama_index", "openai"]])
def test_limits_stop_models_and_tools_before_they_run(integrations: list[str]) -> None:
    from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent

    ran: list[str] = []

    def look_up(order: str) -> str:
        """Look up an order."""
        ran.append(order)
        return "on its way"

    def answer(request: dict[str, Any]) -> Reply:
        done = request["messages"][-1]["role"] == "tool"
        return Reply(text="Done.") if done else Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    async def run(**limits: Any) -> str:
        clerk = FunctionAgent(name="clerk", description="d", llm=_model(server), tools=[look_up])
        with agentops.limits(**limits):
            return str(await AgentWorkflow(agents=[clerk], root_agent="clerk").run(user_msg="Where is it?"))

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=integrations)
    with LocalModel() as server:
        server.script = answer
        assert asyncio.run(run(tool_calls=1, model_calls=2)) == "Done."
        assert (ran, len(server.requests)) == (["7"], 2)
        assert asyncio.run(run(tool_calls=0)) == "Done."  # the framework tells the model of it, as of any tool's error
        assert ran == ["7"]
        with pytest.raises(agentops.LimitExceeded):
            asyncio.run(run(model_calls=0))
        assert len(server.requests) == 4
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    refused = [span.name for span in exporter.finished_spans() if "agentops.limit.action" in span.attributes]
    assert refused == ["execute_tool look_up", "chat gpt-4o-mini"]
    agentops.shutdown()


def test_what_an_agent_is_given_is_told() -> None:
    check_given("llama_index")

"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.bedrock.clients import delta, event
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_approvals, check_cancelled, memories
from tests.wire.http import Reply as WireReply
from tests.wire.http import Request, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("strands", reason="strands-agents is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its clients are closed by the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def _agent(server: LocalModel, name: str, **options: Any) -> Any:
    import strands
    from strands.models.openai import OpenAIModel

    model = OpenAIModel(client_args={"base_url": server.base_url, "api_key": "none"}, model_id="gpt-4o-mini")
    return strands.Agent(model, name=name, callback_handler=None, **options)


def _look_up(order: str) -> str:
    """Look up an order."""
    with agentops.span("database"):
        if order == "0":
            raise LookupError("no such order")
    return "sent"


def orders(server: LocalModel) -> None:
    """A tool that fails once and is called again, then a run that goes on with the conversation."""
    import strands

    def script(request: dict[str, Any]) -> Reply:
        last = str(request["messages"][-1])
        if "sent" in last:
            return Reply(text="It is on its way.")
        return Reply(tool_calls=(ToolCall("look_up", {"order": "7" if "no such" in last else "0"}),))

    server.script = script
    agent = _agent(server, "clerk", system_prompt="Be brief.", tools=[strands.tool(name="look_up")(_look_up)])
    assert str(agent("Where is it?")).strip() == "It is on its way."

    async def stream() -> None:
        async for _ in agent.stream_async("And now, sent?"):
            pass

    asyncio.run(stream())


def team(server: LocalModel) -> None:
    """An agent as another one's tool, in a swarm that hands over."""
    from strands.multiagent import Swarm

    def script(request: dict[str, Any]) -> Reply:
        offered = [tool["function"]["name"] for tool in request.get("tools") or ()]
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="12")
        if "I am the desk" in str(request["messages"]):
            return Reply(tool_calls=(ToolCall("handoff_to_agent", {"agent_name": "writer", "message": "Write it."}),))
        return (
            Reply(tool_calls=(ToolCall("counting", {"input": "6 + 6"}),)) if "counting" in offered else Reply(text="12")
        )

    server.script = script
    counting = _agent(server, "counting", description="counts")
    desk = _agent(server, "desk", system_prompt="I am the desk.")
    writer = _agent(server, "writer", system_prompt="I write.", tools=[counting.as_tool()])
    result = Swarm([desk, writer], id="letters")("What is 6 + 6?")
    assert [node.node_id for node in result.node_history] == ["desk", "writer"]


def refunds(server: LocalModel) -> None:
    """Two tools that wait for a person's word, who says yes to one and no to the other."""
    import strands
    from strands.hooks import BeforeToolCallEvent

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="One is paid.")
        return Reply(tool_calls=tuple(ToolCall("refund", {"amount": amount}) for amount in (12, 9_000)))

    @strands.tool
    def refund(amount: int) -> str:
        """Pay an amount back."""
        return f"{amount} paid"

    def ask(event: BeforeToolCallEvent) -> None:
        if event.interrupt("refund", reason=event.tool_use["input"]) != "yes":
            event.cancel_tool = "too much"

    server.script = script
    agent = _agent(server, "clerk", tools=[refund])
    agent.hooks.add_callback(BeforeToolCallEvent, ask)
    stopped = agent("I want it back.")
    answers = {each.id: "yes" if each.reason["amount"] < 100 else "no" for each in stopped.interrupts}
    said = [{"interruptResponse": {"interruptId": key, "response": word}} for key, word in answers.items()]
    assert str(agent(said)).strip() == "One is paid."


def recall(server: LocalModel) -> None:
    """An agent with a memory, to which it adds by its tool, and which it is given as it begins."""
    from strands.memory import MemoryManager
    from strands.vended_memory_stores.test_memory_store import TestMemoryStore

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="Noted.")
        return Reply(tool_calls=(ToolCall("add_memory", {"entries": ["likes tea"]}),))

    server.script = script
    store = TestMemoryStore(name="notes", persist=False, writable=True)
    kept = MemoryManager(stores=[store], add_tool_config=True)
    assert str(_agent(server, "clerk", memory_manager=kept)("I like tea.")).strip() == "Noted."
    assert [each.content for each in asyncio.run(kept.search("likes tea"))] == ["likes tea"]


def guarded(server: Wire) -> None:
    """A handler of the program's denies a tool, lets another one pass; a guardrail of Bedrock steps into the answer."""
    import boto3
    import strands
    from strands.interventions import Deny, InterventionAction, InterventionHandler, Proceed
    from strands.models import BedrockModel

    class Budget(InterventionHandler):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        name = "budget"

        def before_tool_call(self, event: Any) -> InterventionAction:
            return Deny("too much") if event.tool_use["input"]["amount"] > 100 else Proceed()

    def answer(request: Request) -> WireReply:
        done = "toolResult" in str(request.body["messages"][-1])
        reason = "guardrail_intervened" if done else "tool_use"
        said = [delta(0, text="That I cannot say.")] if done else []
        for place, amount in enumerate((12, 9_000) if not done else ()):
            start = {"toolUse": {"toolUseId": f"t{amount}", "name": "refund"}}
            said += [
                event("contentBlockStart", {"contentBlockIndex": place, "start": start}),
                delta(place, toolUse={"input": json.dumps({"amount": amount})}),
                event("contentBlockStop", {"contentBlockIndex": place}),
            ]
        usage = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
        ends = [event("messageStop", {"stopReason": reason}), event("metadata", {"usage": usage})]
        pieces = [event("messageStart", {"role": "assistant"}), *said, *ends]
        return WireReply(stream=pieces, content_type="application/vnd.amazon.eventstream")

    @strands.tool
    def refund(amount: int) -> str:
        """Pay an amount back."""
        return f"{amount} paid"

    server.replies = [answer]
    model = BedrockModel(
        boto_session=boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1"),
        endpoint_url=server.url.removesuffix("/v1"), model_id="amazon.nova-pro-v1:0", guardrail_id="g1",
        guardrail_version="2",
    )  # fmt: skip
    clerk = strands.Agent(model, name="clerk", callback_handler=None, tools=[refund], interventions=[Budget()])
    assert clerk("I want it back.").stop_reason == "guardrail_intervened"


@pytest.mark.parametrize("mode", MODES)
def test_what_steps_in_decides(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(guarded, TREES, mode, monkeypatch, server=Wire)
    decided = [
        dict(event.attributes)
        for span in spans
        for event in span.events
        if event.attributes and event.attributes.get("agentops.decision.name") == "budget"
    ]
    chosen = {each["agentops.decision.chosen"]: each.get("agentops.decision.reason") for each in decided}
    assert chosen == {"proceed": None, "deny": "too much"}
    last = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"][-1]
    told = [last[f"agentops.decision.{each}"] for each in ("name", "chosen", "by", "policy")]
    assert told == ["guardrail g1", "GUARDRAIL_INTERVENED", "code", "2"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [orders, team, refunds, recall], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch)
    if program is refunds:
        check_approvals([span for span in spans if span.name == "invoke_agent clerk"], ["no", "yes"])
    if program is recall:
        told = memories(spans)
        assert ("create_memory", "notes", ["likes tea"]) in told
        assert told[-1] == ("search_memory", "notes", ["likes tea"])


def test_without_the_client_the_library_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As far as it does: which tools a model was offered it says of the agent only."""
    monkeypatch.setenv("AGENTOPS_UPDATE_TREES", "1")
    spans = check(orders, tmp_path, "private", monkeypatch, integrations=["strands"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(orders, TREES, "private", monkeypatch, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("on its way", "Where is", "Be brief")), span.name


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    import strands

    async def run(server: LocalModel, wait: Any) -> None:
        await _agent(server, "clerk", tools=[strands.tool(wait)]).invoke_async("Go.")

    cancelled = ("execute_tool wait", "execute_event_loop_cycle", "invoke_agent clerk")
    assert check_cancelled(run) == {"chat gpt-4o-mini": "ok", **dict.fromkeys(cancelled, "cancelled")}


def test_limits_stop_its_tools_and_models_before_they_run() -> None:
    import strands

    ran: list[str] = []

    @strands.tool
    def look_up(order: str) -> str:
        """Look up an order."""
        ran.append(order)
        return "sent"

    def script(request: dict[str, Any]) -> Reply:
        done = request["messages"][-1]["role"] == "tool"
        return Reply(text="Done.") if done else Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["strands"])
    with LocalModel() as server:
        server.script = script
        for most, runs in ((1, ["7"]), (0, ["7"])):  # the library tells the model of it, as of any tool's error
            with agentops.limits(tool_calls=most, model_calls=2):
                assert str(_agent(server, "clerk", tools=[look_up])("Where is it?")).strip() == "Done."
            assert ran == runs
        with agentops.limits(model_calls=1), pytest.raises(Exception, match="the limit of 1 model calls is reached"):
            _agent(server, "clerk", tools=[look_up])("Where is it?")
        assert len(server.requests) == 5
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    refused = [span.name for span in exporter.finished_spans() if "agentops.limit.action" in span.attributes]
    assert refused == ["execute_tool look_up", "chat gpt-4o-mini"]
    agentops.shutdown()


def test_what_an_agent_is_given_is_told() -> None:
    check_given("strands")

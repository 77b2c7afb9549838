"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("smolagents", reason="smolagents is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # its clients are closed by the collector


def _model(server: LocalModel) -> Any:
    import smolagents

    return smolagents.OpenAIModel("gpt-4o-mini", api_base=server.base_url, api_key="none")


def _tool(result: Any) -> Any:
    from smolagents import tool

    @tool
    def look_up(order: str) -> str:
        """Look up an order.

        Args:
            order: the number
        """
        if isinstance(result, Exception):
            raise result
        return str(result)

    return look_up


def team(server: LocalModel) -> None:
    """An agent that plans and asks another one, which writes code; its own answer passes the second time."""
    import smolagents

    def answer(request: dict[str, Any]) -> Reply:
        offered = [each["function"]["name"] for each in request.get("tools") or ()]
        if "clerk" in offered and "Calling tools" not in str(request["messages"][2:]):
            return Reply(tool_calls=(ToolCall("clerk", {"task": "Where is order 7?"}),))
        if offered:
            return Reply(tool_calls=(ToolCall("final_answer", {"answer": "It is on its way."}),))
        return Reply(text="Thought: look.\n<code>\nfinal_answer(look_up('7'))\n</code>")

    server.script = answer
    verdicts = iter((False, True))
    clerk = smolagents.CodeAgent(
        [_tool("sent")], _model(server), name="clerk", description="knows orders", verbosity_level=0
    )
    lead = smolagents.ToolCallingAgent(
        [], _model(server), managed_agents=[clerk], name="lead", planning_interval=5, verbosity_level=0,
        final_answer_checks=[lambda answer, memory, agent=None: next(verdicts)],
    )  # fmt: skip
    assert lead.run("Where is it?") == "It is on its way."


def errand(server: LocalModel) -> None:
    """A streamed run with streamed replies and a tool that fails; a second one is left early."""
    import smolagents

    def answer(request: dict[str, Any]) -> Reply:
        failed = "Error" in str(request["messages"][-1])
        return Reply(
            tool_calls=(ToolCall("final_answer" if failed else "look_up", {"answer" if failed else "order": "7"}),)
        )

    server.script = answer
    agent = smolagents.ToolCallingAgent(
        [_tool(LookupError("the archive is closed"))], _model(server), name="clerk", stream_outputs=True,
        verbosity_level=0,
    )  # fmt: skip
    steps = list(agent.run("Where is it?", stream=True))
    assert steps[-1].output == "7"
    left = agent.run("And now?", stream=True)
    for step in left:
        if isinstance(step, smolagents.ActionStep):
            break
    left.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [team, errand], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(program, TREES, mode, monkeypatch)


def test_a_run_that_is_interrupted_is_cancelled() -> None:
    """By the agent's own switch, which it looks at before each step."""
    import smolagents

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with LocalModel(lambda request: Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))) as server:
        agent = smolagents.ToolCallingAgent([_tool("sent")], _model(server), name="clerk", verbosity_level=0)
        agent.step_callbacks.register(smolagents.ActionStep, lambda step, agent: agent.interrupt())
        with pytest.raises(smolagents.AgentError, match="interrupted"):
            agent.run("Where is it?")
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    agentops.shutdown()
    ends = {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}
    assert ends == {
        "chat gpt-4o-mini": "ok", "execute_tool look_up": "ok", "step 1": "ok", "invoke_agent clerk": "cancelled",
    }  # fmt: skip


def test_without_the_client_the_agent_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(team, TREES, "private", monkeypatch, integrations=["smolagents"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}


@pytest.mark.parametrize("state", ["pin", "main"])
def test_a_plan_is_the_conventions_plan(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(team, TREES, "private", monkeypatch, semconv=state)
    (plan,) = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "plan"]
    assert (plan.name, plan.attributes["gen_ai.agent.name"]) == ("plan lead", "lead")


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(team, TREES, "private", monkeypatch, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("on its way", "Where is", "order 7")), span.name


def test_what_an_agent_is_given_is_told() -> None:
    check_given("smolagents")

"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.conformance.spans import wrong
from tests.integrations.framework_programs import MODES, check, check_cancelled

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("crewai", reason="crewai is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the library's own


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("CREWAI_TRACING_ENABLED", "false")
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path))


def _model(server: LocalModel, **options: Any) -> Any:
    from crewai import LLM

    return LLM(model="gpt-4o-mini", base_url=server.base_url, api_key="none", **options)


def desk(server: LocalModel) -> None:
    """A crew: a tool that fails, a guardrail that trips once, and an agent that asks another one."""
    from crewai import Agent, Crew, Task
    from crewai.tools import tool

    def answer(request: dict[str, Any]) -> Reply:
        offered = {each["function"]["name"] for each in request.get("tools") or ()}
        asked = {
            call["function"]["name"] for message in request["messages"] for call in message.get("tool_calls") or ()
        }
        if "look_up" in offered - asked:
            return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))
        if "ask_question_to_coworker" in offered - asked:
            arguments = {"question": "Where is it?", "context": "order 7", "coworker": "clerk"}
            return Reply(tool_calls=(ToolCall("ask_question_to_coworker", arguments),))
        return Reply(text="It is on its way.")

    @tool("look_up")
    def look_up(order: str) -> str:
        """Look up an order."""
        raise LookupError("the archive is closed")

    verdicts = iter((False, True))

    def polite(output):  # type: ignore[no-untyped-def]  # strings for annotations are refused
        return next(verdicts), output.raw

    server.script = answer
    model = _model(server)
    clerk = Agent(role="clerk", goal="know orders", backstory="", llm=model, tools=[look_up])
    writer = Agent(role="writer", goal="write to people", backstory="", llm=model, allow_delegation=True)
    find = Task(name="find", description="Where is {order}?", expected_output="a place", agent=clerk)
    write = Task(name="write", description="Write it.", expected_output="a letter", agent=writer, guardrail=polite)
    result = Crew(name="desk", agents=[clerk, writer], tasks=[find, write]).kickoff({"order": "7"})
    assert result.raw == "It is on its way."


def planned(server: LocalModel) -> None:
    """A crew that plans before it begins, and an agent of it that reasons before its task."""
    from crewai import Agent, Crew, Task

    def answer(request: dict[str, Any]) -> Reply:
        if "PlannerTaskPydanticOutput" in str(request.get("response_format")) or "list_of_plans" in str(request):
            plan = {"list_of_plans_per_task": [{"task_number": 1, "task": "find", "plan": "Look it up."}]}
            return Reply(text=json.dumps(plan))
        return Reply(text="It is on its way. READY: I am ready to execute the task.")

    server.script = answer
    model = _model(server)
    clerk = Agent(role="clerk", goal="know orders", backstory="", llm=model, reasoning=True, max_reasoning_attempts=1)
    find = Task(name="find", description="Where is order 7?", expected_output="a place", agent=clerk)
    Crew(name="desk", agents=[clerk], tasks=[find], planning=True, planning_llm=model).kickoff()


def review(server: LocalModel) -> None:
    """A flow: an agent's streamed draft, which a person sends on; what was said, a model reads twice."""
    from crewai import Agent
    from crewai.flow import Flow, human_feedback, listen, start

    server.script = lambda request: Reply(text="A draft." if request.get("stream") else "approved")
    model = _model(server, stream=True)

    class Letters(Flow):  # type: ignore[type-arg, misc]  # without the library, there are no types
        @start()
        @human_feedback(message="Send it?", emit=["approved", "rejected"], llm=_model(server))
        def draft(self) -> str:
            return str(Agent(role="writer", goal="write", backstory="", llm=model).kickoff("Write it.").raw)

        @listen("approved")
        def send(self) -> str:
            with agentops.span("post"):
                return "sent"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO("yes, fine\n"))
        assert Letters().kickoff() == "sent"


def archive(server: LocalModel) -> None:
    """A crew whose agent looks up what it knows, with a query that a model writes; then the program does."""
    from crewai import Agent, Crew, Task
    from crewai.knowledge.knowledge import Knowledge
    from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage

    class Storage(BaseKnowledgeStorage):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        def search(self, query: list[str], limit: int = 5, **_: Any) -> list[Any]:
            if "fire" in query[0]:
                raise LookupError("it burnt down")
            return [{"id": "k7", "content": "Order 7 is in Rome.", "metadata": {"shelf": 1}, "score": 0.9}][:limit]

        async def asearch(self, query: list[str], **options: Any) -> list[Any]:
            return self.search(query, **options)

        def save(self, documents: list[str]) -> None: ...

        async def asave(self, documents: list[str]) -> None: ...

        def reset(self) -> None: ...

        async def areset(self) -> None: ...

    def answer(request: dict[str, Any]) -> Reply:
        rewriting = "rewrite the user query" in str(request["messages"][0]["content"])
        return Reply(text="order 7" if rewriting else "It is in Rome.")

    server.script = answer
    knowledge = Knowledge("orders", [], storage=Storage())
    clerk = Agent(role="clerk", goal="know orders", backstory="", llm=_model(server), knowledge=knowledge)
    find = Task(name="find", description="Where is it?", expected_output="a place", agent=clerk)
    assert Crew(name="desk", agents=[clerk], tasks=[find]).kickoff().raw == "It is in Rome."
    assert asyncio.run(knowledge.aquery(["order 7"], results_limit=1))[0]["id"] == "k7"
    with pytest.raises(LookupError):
        knowledge.query(["fire"])


@pytest.mark.parametrize("mode", MODES)
def test_knowledge_is_a_retrieval(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(archive, TREES, mode, monkeypatch)
    looked_up, by_program, _ = [dict(span.attributes) for span in spans if span.name == "retrieval knowledge"]
    for asked, limit in ((looked_up, 5), (by_program, 1)):
        assert (asked["gen_ai.retrieval.query.text"], asked["gen_ai.retrieval.top_k"]) == ("order 7", limit)
        (document,) = json.loads(asked["gen_ai.retrieval.documents"])
        assert document == {"id": "k7", "content": "Order 7 is in Rome.", "score": 0.9, "metadata": {"shelf": 1}}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [desk, review], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(program, TREES, mode, monkeypatch)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    from crewai import Agent, Crew, Task
    from crewai.tools import tool

    async def run(server: LocalModel, wait: Any) -> None:
        loop = asyncio.get_running_loop()

        @tool("wait")
        def work() -> str:
            """Work."""

            async def begin() -> None:
                asyncio.get_running_loop().call_later(0.05, loop.call_soon_threadsafe, int)  # it looks up from its wait
                await asyncio.wait_for(wait(), 1)

            asyncio.run(begin())
            return ""

        clerk = Agent(role="clerk", goal="know orders", backstory="", llm=_model(server), tools=[work])
        find = Task(name="find", description="Where is it?", expected_output="a place", agent=clerk)
        await Crew(name="desk", agents=[clerk], tasks=[find]).akickoff()

    ends = check_cancelled(run)
    cancelled = ("execute_tool wait", "invoke_agent clerk", "find", "invoke_workflow desk")
    assert {name: ends.pop(name) for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert ends["chat gpt-4o-mini"] == "ok"


@pytest.mark.parametrize("state", ["pin", "main"])
def test_plans_are_the_conventions_plans(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(planned, TREES, "private", monkeypatch, semconv=state)
    plans = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "plan"]
    assert [(span.name, span.attributes.get("gen_ai.agent.name")) for span in plans] == [
        ("plan", None), ("plan clerk", "clerk"),
    ]  # fmt: skip
    assert "Look it up." in plans[0].attributes["agentops.output"]


def test_without_the_client_the_event_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(desk, TREES, "private", monkeypatch, integrations=["crewai"])
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}
    assert "It is on its way." in calls[-1]["gen_ai.output.messages"]


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(desk, TREES, "private", monkeypatch, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("on its way", "Where is", "order 7")), span.name


def test_a_memory_is_the_conventions_memory(tmp_path: Path) -> None:
    from crewai.memory.unified_memory import Memory

    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=["crewai"])
    kept = Memory(
        storage=str(tmp_path / "kept"), embedder=lambda texts: [[1.0, 0.0, float(len(text))] for text in texts]
    )
    kept.remember("likes tea", scope="/ann", categories=["taste"], importance=0.5, metadata={"by": "ann"})
    found = kept.recall("tea?", depth="shallow", limit=2)
    assert [match.record.content for match in found] == ["likes tea"]
    kept.close()
    assert agentops.flush()
    agentops.shutdown()
    saved, asked = (dict(span.attributes) for span in memory.finished_spans() if "memory" in span.name)
    assert saved["gen_ai.operation.name"] == "create_memory"
    assert json.loads(saved["gen_ai.memory.records"])[0]["content"] == "likes tea"
    assert (asked["gen_ai.memory.query.text"], asked["gen_ai.memory.record.count"]) == ("tea?", 1)
    (record,) = json.loads(asked["gen_ai.memory.records"])
    assert (record["content"], type(record["score"]), type(record["id"])) == ("likes tea", float, str)
    assert wrong(memory.finished_spans()) == []


def test_what_an_agent_is_given_is_told() -> None:
    check_given("crewai")

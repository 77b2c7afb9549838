"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_cancelled

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("dspy", reason="dspy is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings(  # its engines leave connections and loops to the collector
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def _nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """While the marks hold: at the end of the session, what is left open would be an error."""
    yield
    gc.collect()


def _answer(request: dict[str, Any]) -> Reply:
    """In the form that the library's adapter asks for."""
    if "next_tool_name" not in str(request["messages"][0]):
        return Reply(text="[[ ## reasoning ## ]]\nso\n\n[[ ## answer ## ]]\nIt is on its way.\n\n[[ ## completed ## ]]")
    looked_up = "observation_0" in str(request["messages"][1:])
    tool, given = ("finish", "{}") if looked_up else ("look_up", '{"order": "7"}')
    return Reply(
        text=f"[[ ## next_thought ## ]]\nso\n\n[[ ## next_tool_name ## ]]\n{tool}\n\n"
        f"[[ ## next_tool_args ## ]]\n{given}\n\n[[ ## completed ## ]]"
    )


def look_up(order: str) -> str:
    """Look up an order."""
    raise LookupError("the archive is closed")


def _desk() -> Any:
    import dspy

    class Desk(dspy.Module):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        def __init__(self) -> None:
            super().__init__()
            self.clerk = dspy.ReAct("question -> answer", tools=[look_up])
            self.writer = dspy.ChainOfThought("facts -> answer")

        def forward(self, question: str) -> Any:
            return self.writer(facts=self.clerk(question=question).answer)

        async def aforward(self, question: str) -> Any:
            return await self.writer.acall(facts=(await self.clerk.acall(question=question)).answer)

    return Desk()


def _model(server: LocalModel, engine: str = "lm15") -> Any:
    import dspy

    options = {"api_base": server.base_url, "api_key": "none", "cache": False, "num_retries": 0, "engine": engine}
    return dspy.context(lm=dspy.LM("openai/gpt-4o-mini", **options))


def desk(server: LocalModel) -> None:
    """A program of two modules, one of which is an agent whose tool fails."""
    server.script = _answer
    with _model(server):
        assert _desk()(question="Where is it?").answer == "It is on its way."


def desk_by_litellm(server: LocalModel) -> None:
    """The same by the other engine."""
    server.script = _answer
    with _model(server, "litellm"):
        assert _desk()(question="Where is it?").answer == "It is on its way."


def asynchronous(server: LocalModel) -> None:
    """The same, awaited."""
    server.script = _answer
    with _model(server):
        assert asyncio.run(_desk().acall(question="Where is it?")).answer == "It is on its way."


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [desk, desk_by_litellm, asynchronous], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch)
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert {call["agentops.usage.source"] for call in calls} == {"reported"}
    assert all("gen_ai.input.messages" in call and "gen_ai.output.messages" in call for call in calls)


def streamed(server: LocalModel) -> None:
    """An answer that comes in pieces, read to its end and left before, by the engine that can."""
    import dspy

    server.script = _answer

    async def run() -> None:
        ask = dspy.streamify(
            dspy.Predict("question -> answer"),
            stream_listeners=[dspy.streaming.StreamListener(signature_field_name="answer")],
        )
        pieces = [piece async for piece in ask(question="Where is it?")]
        assert pieces[-1].answer == "It is on its way."
        assert len(pieces) > 1
        left = ask(question="And now?")
        await anext(left)
        await left.aclose()

    with _model(server, "litellm"):
        asyncio.run(run())


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the engine's own types
@pytest.mark.parametrize("mode", MODES)
def test_streams(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(streamed, TREES, mode, monkeypatch)


def test_what_is_looked_up_is_a_retrieval() -> None:
    import dspy

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    passages = [dspy.Prediction(long_text="Order 7 is in Rome.")]
    with dspy.context(rm=lambda query, k, **_: passages):
        dspy.Retrieve(k=2)("order 7")
    assert agentops.flush()
    agentops.shutdown()
    (span,) = exporter.finished_spans()
    assert (span.name, span.attributes["agentops.kind"]) == ("retrieval Retrieve", "retriever")
    assert (span.attributes["gen_ai.retrieval.query.text"], span.attributes["gen_ai.retrieval.top_k"]) == ("order 7", 2)
    assert "Order 7 is in Rome." in span.attributes["gen_ai.retrieval.documents"]


def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    import dspy

    async def run(server: LocalModel, wait: Any) -> None:
        fields = {"next_thought": "so", "next_tool_name": "wait", "next_tool_args": "{}", "completed": ""}
        text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())
        server.script = lambda request: Reply(text=text)
        with _model(server):
            await dspy.ReAct("question -> answer", tools=[wait]).acall(question="Go.")

    ends = check_cancelled(run)
    cancelled = ("execute_tool wait", "invoke_agent ReAct")
    assert {name: ends.pop(name) for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert set(ends.values()) == {"ok"}


def test_an_error_is_the_callers_and_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    refusing = LocalModel(lambda request: Reply(status=400, error_code="bad"))
    with refusing as server, _model(server), contextlib.suppress(Exception):
        _desk()(question="Where is it?")
    assert agentops.flush()
    assert {span.attributes["agentops.outcome"] for span in exporter.finished_spans()} == {"error"}


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(desk, TREES, "private", monkeypatch, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("on its way", "Where is")), span.name


def test_what_an_agent_is_given_is_told() -> None:
    check_given("dspy")

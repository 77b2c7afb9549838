"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.integrations.framework_programs import MODES, check, check_cancelled

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("haystack", reason="haystack-ai is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # its clients are closed by the collector


def _model(server: LocalModel) -> Any:
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.utils import Secret

    return OpenAIChatGenerator(Secret.from_token("none"), model="gpt-4o-mini", api_base_url=server.base_url)


def answers(server: LocalModel) -> None:
    """Retrieval, a prompt and a model, in a pipeline."""
    from haystack import Document, Pipeline
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.dataclasses import ChatMessage
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    store.write_documents([Document(id="d7", content="Order 7 is in Rome.")])
    pipeline = Pipeline(metadata={"name": "answers"})
    pipeline.add_component("retriever", InMemoryBM25Retriever(store))
    template = [ChatMessage.from_user("{{documents[0].content}} {{question}}")]
    pipeline.add_component("prompt", ChatPromptBuilder(template, required_variables="*"))
    pipeline.add_component("model", _model(server))
    pipeline.connect("retriever.documents", "prompt.documents")
    pipeline.connect("prompt.prompt", "model.messages")
    server.script = lambda request: Reply(text="It is in Rome.")
    asked = {"retriever": {"query": "order 7", "top_k": 3}, "prompt": {"question": "Where is it?"}}
    assert pipeline.run(asked)["model"]["replies"][0].text == "It is in Rome."


def desk(server: LocalModel) -> None:
    """An agent, as a component of a pipeline, whose tools a person confirms: one fails, one is turned down."""
    from haystack import Pipeline
    from haystack.components.agents import Agent
    from haystack.dataclasses import ChatMessage
    from haystack.hooks.human_in_the_loop import (
        AlwaysAskPolicy,
        BlockingConfirmationStrategy,
        ConfirmationHook,
        ConfirmationUIResult,
    )
    from haystack.tools import tool

    def answer(request: dict[str, Any]) -> Reply:
        asked = {call["function"]["name"] for each in request["messages"] for call in each.get("tool_calls") or ()}
        for name in ("look_up", "refund"):
            if name not in asked:
                return Reply(tool_calls=(ToolCall(name, {"order": "7"}),))
        return Reply(text="It is on its way.")

    def look_up(order: str) -> str:
        """Look up an order."""
        raise LookupError("the archive is closed")

    def refund(order: str) -> str:
        """Pay it back."""
        return "paid"

    class Person:
        def get_user_confirmation(self, tool_name: str, description: str, params: Any) -> ConfirmationUIResult:
            return ConfirmationUIResult(action="confirm" if tool_name == "look_up" else "reject")

    server.script = answer
    strategy = BlockingConfirmationStrategy(confirmation_policy=AlwaysAskPolicy(), confirmation_ui=Person())
    agent = Agent(
        chat_generator=_model(server), tools=[tool(look_up), tool(refund)],
        hooks={"before_tool": [ConfirmationHook({"*": strategy})]},
    )  # fmt: skip
    pipeline = Pipeline()
    pipeline.add_component("clerk", agent)
    result = pipeline.run({"clerk": {"messages": [ChatMessage.from_user("Where is it?")]}})
    assert result["clerk"]["messages"][-1].text == "It is on its way."


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [answers, desk], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = {span.name: span.attributes for span in check(program, TREES, mode, monkeypatch)}
    if program is answers:
        (document,) = json.loads(spans["retrieval retriever"]["gen_ai.retrieval.documents"])
        assert (document["id"], document["content"]) == ("d7", "Order 7 is in Rome.")


def streamed(server: LocalModel) -> None:
    """An agent whose model's replies come in pieces, which the program is given; then the same awaited."""
    from haystack.components.agents import Agent
    from haystack.dataclasses import ChatMessage, StreamingChunk

    server.script = lambda request: Reply(text="It is on its way.")
    said: list[str] = []

    async def hear(chunk: StreamingChunk) -> None:
        said.append(chunk.content)

    agent = Agent(chat_generator=_model(server), streaming_callback=lambda chunk: said.append(chunk.content))
    agent.run([ChatMessage.from_user("Where is it?")])
    asyncio.run(agent.run_async([ChatMessage.from_user("And now?")], streaming_callback=hear))
    assert "".join(said) == "It is on its way." * 2


@pytest.mark.parametrize("mode", MODES)
def test_streams(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(streamed, TREES, mode, monkeypatch)


def test_a_reader_that_raises_in_the_middle_of_a_stream() -> None:
    """The model's call fails with it, and what had come by then was used all the same."""
    from haystack import Pipeline
    from haystack.core.errors import PipelineRuntimeError
    from haystack.dataclasses import ChatMessage, StreamingChunk

    def hear(chunk: StreamingChunk) -> None:
        if chunk.content:
            raise LookupError("deaf")

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with LocalModel(lambda request: Reply(text="It is on its way.")) as server:
        pipeline = Pipeline()
        pipeline.add_component("model", _model(server))
        with pytest.raises(PipelineRuntimeError):
            pipeline.run({"model": {"messages": [ChatMessage.from_user("Where is it?")], "streaming_callback": hear}})
    assert agentops.flush()
    agentops.shutdown()
    model = next(span.attributes for span in exporter.finished_spans() if span.name == "chat gpt-4o-mini")
    assert (model["agentops.outcome"], model["agentops.stream.chunks"]) == ("error", 2)
    # LlamaIndex, where it is imported, brings the tokenizer's file: by that, the blank is a token of its own.
    tokens = {"estimated": 1, "counted": 2}
    assert model["gen_ai.usage.output_tokens"] == tokens[model["agentops.usage.source"]]
    assert model["agentops.cost.amount"] > 0


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    from haystack.components.agents import Agent
    from haystack.dataclasses import ChatMessage
    from haystack.tools import tool

    async def run(server: LocalModel, wait: Any) -> None:
        agent = Agent(chat_generator=_model(server), tools=[tool(wait)])
        await agent.run_async([ChatMessage.from_user("Go.")])

    ends = check_cancelled(run)
    assert {name: outcome for name, outcome in ends.items() if outcome != "cancelled"} == {"chat gpt-4o-mini": "ok"}
    assert "execute_tool wait" in ends


def test_without_the_client_the_component_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    for program, model in ((answers, "gpt-4o-mini"), (desk, None)):  # of what an agent asks, its reply tells alone
        spans = check(program, TREES, "private", monkeypatch, integrations=["haystack"])
        calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
        assert {call["agentops.usage.source"] for call in calls} == {"reported"}
        assert {call.get("gen_ai.request.model") for call in calls} == {model}


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in (answers, desk):
        for span in check(program, TREES, "private", monkeypatch, capture_content=False):
            told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
            assert not any(words in told for words in ("on its way", "Where is", "Rome")), span.name


def test_the_programs_own_tracer_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is set; it sees its own spans as parents."""
    from haystack import tracing

    told: list[Any] = []

    class Span(tracing.Span):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        def set_tag(self, key: str, value: Any) -> None:
            told.append(key)

    class Tracer(tracing.Tracer):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        @contextlib.contextmanager
        def trace(self, operation_name: str, tags: Any = None, parent_span: Any = None) -> Iterator[Any]:
            told.append((operation_name, type(parent_span)))
            yield Span()

        def current_span(self) -> Any:
            return None

    seen = []
    monkeypatch.setattr(tracing.tracer, "is_content_tracing_enabled", True)
    for recording in (True, False):
        tracing.enable_tracing(Tracer())
        try:
            if recording:
                check(desk, TREES, "private", monkeypatch)
            else:
                with LocalModel() as server:
                    desk(server)
        finally:
            tracing.disable_tracing()
        seen.append(told.copy())
        told.clear()
    assert seen[0] == seen[1]
    assert ("haystack.agent.step", Span) in seen[0]


def test_what_an_agent_is_given_is_told() -> None:
    check_given("haystack")

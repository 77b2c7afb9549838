"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.framework_settings import check_given
from tests.conformance.spans import wrong
from tests.integrations.framework_programs import MODES, check, check_cancelled, memories

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("semantic_kernel", reason="semantic-kernel is not installed")

TREES = Path(__file__).parent / "trees"
"""Those of orchestrations by whose provider it is: spans of messages stay the program's, and are linked to."""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _run(server: LocalModel, work: Callable[[Callable[..., Any]], Awaitable[None]]) -> None:
    """Run ``work`` with a function that makes agents, of a name and their plugins."""
    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion

    async def run() -> None:
        async with AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=client)
            await work(
                lambda name, *plugins: ChatCompletionAgent(
                    service=service, name=name, instructions="Be brief.", plugins=list(plugins)
                )
            )

    asyncio.run(run())


def _script(request: dict[str, Any]) -> Reply:
    if request.get("tools") and request["messages"][-1]["role"] != "tool":
        function = request["tools"][0]["function"]
        return Reply(tool_calls=(ToolCall(function["name"], dict.fromkeys(function["parameters"]["properties"], "7")),))
    return Reply(text="It is on its way.")


def orders(server: LocalModel) -> None:
    """An agent with a tool, another one whose tool fails, and one whose reply is streamed."""
    from semantic_kernel.functions import kernel_function

    class Orders:
        @kernel_function(description="Looks up an order.")
        def look_up(self, order: str) -> str:
            return f"order {order}: packed"

    class Archive:
        @kernel_function(description="Opens the archive.")
        async def open(self, order: str) -> str:
            raise LookupError("the archive is closed")

    server.script = _script

    async def work(make: Callable[..., Any]) -> None:
        answer = await make("clerk", Orders()).get_response("Where is it?")
        assert str(answer.content) == "It is on its way."
        await make("archivist", Archive()).get_response("And the old one?")
        pieces = [each async for each in make("speaker").invoke_stream("Once more?")]
        assert "on its way" in "".join(str(each.content) for each in pieces)

    _run(server, work)


def nested(server: LocalModel) -> None:
    """An agent whose tool is another agent."""
    server.script = _script

    async def work(make: Callable[..., Any]) -> None:
        async for _ in make("chief", make("helper")).invoke("Ask the helper."):
            pass

    _run(server, work)


def orchestrated(server: LocalModel) -> None:
    """Agents that hand over to each other, and agents in a row: in a runtime that was started before."""
    from semantic_kernel.agents import HandoffOrchestration, OrchestrationHandoffs, SequentialOrchestration
    from semantic_kernel.agents.runtime import InProcessRuntime

    def script(request: dict[str, Any]) -> Reply:
        offered = {tool["function"]["name"] for tool in request.get("tools") or ()}
        if "Handoff-transfer_to_clerk" in offered:
            return Reply(tool_calls=(ToolCall("Handoff-transfer_to_clerk", {}),))
        if "Handoff-complete_task" in offered:
            return Reply(tool_calls=(ToolCall("Handoff-complete_task", {"task_summary": "packed"}),))
        return Reply(text="It is on its way.")

    server.script = script

    async def work(make: Callable[..., Any]) -> None:
        runtime = InProcessRuntime()
        runtime.start()
        desk, clerk = make("desk"), make("clerk")
        handoffs = OrchestrationHandoffs().add(desk, clerk, "knows orders")
        with agentops.span("outer"):
            result = await HandoffOrchestration([desk, clerk], handoffs).invoke("Where is it?", runtime)
            assert "packed" in (await result.get(10)).content
        result = await SequentialOrchestration([make("one"), make("two")], name="pair").invoke("And now?", runtime)
        assert (await result.get(10)).content == "It is on its way."
        await runtime.stop_when_idle()

    _run(server, work)


@pytest.mark.parametrize("mode", MODES)
def test_orchestrations(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(orchestrated, TREES / mode, mode, monkeypatch)
    desk, clerk = (next(span for span in spans if span.name == f"invoke_agent {name}") for name in ("desk", "clerk"))
    assert clerk.links[0].context.span_id == desk.context.span_id
    pair = next(span.attributes for span in spans if span.name == "invoke_workflow pair")
    assert (pair["agentops.input"], pair["agentops.output"]) == ("And now?", "It is on its way.")


def test_an_orchestration_ends_as_its_work_does() -> None:
    """Its exception is told; one that is cancelled, and one whose result nobody can have any more, end as well."""
    from semantic_kernel.agents import SequentialOrchestration
    from semantic_kernel.agents.runtime import InProcessRuntime
    from semantic_kernel.exceptions import KernelException

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    async def work(make: Callable[..., Any]) -> None:
        runtime = InProcessRuntime()
        runtime.start()
        result = await SequentialOrchestration([make("clerk")], name="failing").invoke("Go.", runtime)
        with pytest.raises(KernelException):
            await result.get(10)
        stopped = await SequentialOrchestration([make("clerk")], name="stopped").invoke("Go.", runtime)
        stopped.cancel()
        await runtime.stop_when_idle()

    with LocalModel(lambda request: Reply(status=400)) as server:
        _run(server, work)
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    agentops.shutdown()
    ends = {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}
    assert (ends["invoke_workflow failing"], ends["invoke_workflow stopped"]) == ("error", "cancelled")


def test_memories_and_searches() -> None:
    """Of stores that have no client of their own, and so nobody else to tell of them."""
    import numpy
    from semantic_kernel.connectors.ai.embedding_generator_base import EmbeddingGeneratorBase
    from semantic_kernel.connectors.in_memory import InMemoryCollection
    from semantic_kernel.data.vector import VectorStoreCollectionDefinition, VectorStoreField
    from semantic_kernel.memory import SemanticTextMemory, VolatileMemoryStore

    class Embedder(EmbeddingGeneratorBase):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        async def generate_embeddings(self, texts: list[str], settings: Any = None, **_: Any) -> Any:
            return numpy.array([[1.0, float(len(text))] for text in texts])

    fields = [
        VectorStoreField("key", name="id"), VectorStoreField("data", name="place"),
        VectorStoreField("vector", name="vector", dimensions=2),
    ]  # fmt: skip
    definition = VectorStoreCollectionDefinition(fields=fields)

    async def run() -> None:
        embedder = Embedder(ai_model_id="lengths")
        memory = SemanticTextMemory(VolatileMemoryStore(), embedder)
        await memory.save_information("ann", "likes tea", "m1", description="taste")
        assert (await memory.get("ann", "m1")).text == "likes tea"
        assert [found.text for found in await memory.search("ann", "tea?")] == ["likes tea"]
        orders = InMemoryCollection(dict, definition=definition, collection_name="orders", embedding_generator=embedder)
        await orders.ensure_collection_exists()
        await orders.upsert({"id": "7", "place": "Rome", "vector": [1.0, 4.0]})
        found = [each async for each in (await orders.search("order 7", top=2)).results]
        assert [each.record["place"] for each in found] == ["Rome"]

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    asyncio.run(run())
    assert agentops.flush()
    agentops.shutdown()
    spans = exporter.finished_spans()
    assert wrong(spans) == []
    assert memories(list(spans)) == [
        ("create_memory", "ann", ["likes tea"]), ("search_memory", "ann", ["likes tea"]),
        ("search_memory", "ann", ["likes tea"]),
    ]  # fmt: skip
    asked = next(dict(span.attributes) for span in spans if span.name == "retrieval orders")
    assert (asked["gen_ai.retrieval.query.text"], asked["gen_ai.retrieval.top_k"]) == ("order 7", 2)


@pytest.mark.parametrize("mode", MODES)
def test_programs_orders(mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    spans = check(orders, TREES, mode, monkeypatch, internal=True)
    clerk = next(span for span in spans if span.name == "invoke_agent clerk")
    assert clerk.attributes["agentops.input"] == "Where is it?"
    assert clerk.attributes["agentops.output"] == "It is on its way."
    (tool,) = (span for span in spans if span.name == "execute_tool Orders-look_up")
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"order": "7"}
    assert tool.attributes["gen_ai.tool.call.result"] == "order 7: packed"
    assert not any("on its way" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("mode", MODES)
def test_programs_nested(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(nested, TREES, mode, monkeypatch)


def test_nothing_of_content_without_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(orders, TREES, "private", monkeypatch, internal=True, capture_content=False)
    assert "on its way" not in repr([dict(span.attributes) for span in spans])
    assert "packed" not in repr([dict(span.attributes) for span in spans])


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_cancelled_ends_with_all_that_runs_in_it() -> None:
    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
    from semantic_kernel.functions import kernel_function

    async def run(server: LocalModel, wait: Any) -> None:
        class Work:
            @kernel_function(description="Waits.")
            async def wait(self) -> str:
                return str(await wait())

        client = AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0)
        service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=client)
        server.script = lambda request: Reply(tool_calls=(ToolCall("Work-wait", {}),))
        await ChatCompletionAgent(service=service, name="clerk", plugins=[Work()]).get_response("Go.")

    ends = check_cancelled(run)
    cancelled = ("execute_tool Work-wait", "invoke_agent clerk")
    assert {name: ends.pop(name) for name in cancelled} == dict.fromkeys(cancelled, "cancelled")
    assert ends["chat gpt-4o-mini"] == "ok"


def test_what_the_model_refuses_fails_all_that_asked() -> None:
    from semantic_kernel.exceptions import KernelException

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    async def work(make: Callable[..., Any]) -> None:
        with pytest.raises(KernelException):
            await make("refused").get_response("Fail.")

    with LocalModel(lambda request: Reply(status=400)) as server:
        _run(server, work)
    assert agentops.flush()
    ends = {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}
    agentops.shutdown()
    assert ends["invoke_agent refused"] == ends["chat gpt-4o-mini"] == "error"


def test_what_an_agent_is_given_is_told() -> None:
    check_given("semantic_kernel")

"""A pipeline over real HTTP: its tree, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.integrations.framework_programs import MODES, check

pytest.importorskip("pipecat", reason="pipecat-ai is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def orders(server: LocalModel) -> None:
    """A conversation of one turn: the model calls a function, and answers."""
    from pipecat.adapters.schemas.function_schema import FunctionSchema
    from pipecat.adapters.schemas.tools_schema import ToolsSchema
    from pipecat.frames.frames import EndFrame, LLMRunFrame
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.runner import PipelineRunner
    from pipecat.pipeline.task import PipelineTask
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
    from pipecat.services.openai.llm import OpenAILLMService

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="It is on its way.")
        return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    server.script = script

    async def run() -> None:
        llm = OpenAILLMService(model="gpt-4o-mini", api_key="none", base_url=server.base_url)
        answered = asyncio.Event()

        async def look_up(params: Any) -> None:
            await params.result_callback({"order": "packed"})

        llm.register_function("look_up", look_up)
        schema = FunctionSchema("look_up", "Looks up an order.", {"order": {"type": "string"}}, ["order"])
        context = LLMContext([{"role": "user", "content": "Where is it?"}], ToolsSchema([schema]))
        pair = LLMContextAggregatorPair(context)
        task = PipelineTask(
            Pipeline([pair.user(), llm, pair.assistant()]),
            enable_tracing=True,
            conversation_id="c",
            idle_timeout_secs=60,
        )

        async def ask() -> None:
            await task.queue_frame(LLMRunFrame())
            while not any(each.get("content") == "It is on its way." for each in context.get_messages()):
                await asyncio.sleep(0.05)
            answered.set()
            await task.queue_frame(EndFrame())

        await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), asyncio.wait_for(ask(), 60))
        assert answered.is_set()
        await llm._client.close()

    asyncio.run(run())


@pytest.mark.parametrize("mode", [*MODES, "late"])
def test_program(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(orders, TREES, mode, monkeypatch, internal=True)
    assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {"c"}

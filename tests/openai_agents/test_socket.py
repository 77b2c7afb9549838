"""The Agents SDK's own WebSocket transport: a response is one model call, with what went over the socket."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("agents", reason="openai-agents is not installed")
pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
import openai
from agents import Agent, OpenAIResponsesWSModel, Runner
from tests.openai.socket_client import client
from tests.wire.websocket import Socket, Talk

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

_MESSAGE: dict[str, Any] = {
    "id": "m", "type": "message", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "Sunny.", "annotations": []}],
}  # fmt: skip
_RESPONSE: dict[str, Any] = {
    "id": "r", "object": "response", "created_at": 1, "model": "gpt-4o", "status": "in_progress", "output": [],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
}  # fmt: skip
_USAGE: dict[str, Any] = {
    "input_tokens": 21, "output_tokens": 8, "total_tokens": 29, "input_tokens_details": {"cached_tokens": 4},
    "output_tokens_details": {"reasoning_tokens": 0},
}  # fmt: skip
_DELTA = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "logprobs": []}
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "response": _RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": {**_MESSAGE, "content": []}},
    {**_DELTA, "delta": "Sun"},
    {**_DELTA, "delta": "ny."},
    {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
    {"type": "response.completed",
     "response": {**_RESPONSE, "status": "completed", "output": [_MESSAGE], "usage": _USAGE}},
)  # fmt: skip


@pytest.fixture
def exporter() -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    return exporter


def _calls(exporter: MemoryExporter) -> list[Any]:
    assert agentops.flush()
    return [span for span in exporter.finished_spans() if span.attributes["agentops.kind"] == "llm"]


async def _run(url: Any, streamed: bool = False) -> Any:
    async with client(url, openai.AsyncOpenAI) as asking:
        agent = Agent(name="clerk", instructions="Be kind.", model=OpenAIResponsesWSModel("gpt-4o", asking))
        if not streamed:
            return (await Runner.run(agent, "Hello?")).final_output
        result = Runner.run_streamed(agent, "Hello?")
        async for _ in result.stream_events():
            pass
        return result.final_output


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_response_is_one_call(streamed: bool, exporter: MemoryExporter) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(*({**event, "sequence_number": at} for at, event in enumerate(EVENTS)))

    with Socket(script) as socket:
        assert await _run(socket, streamed) == "Sunny."
    (call,) = _calls(exporter)
    facts = call.attributes
    assert call.name.startswith("chat gpt-4o")
    assert facts["agentops.outcome"] == "ok"
    assert facts["server.address"] == "127.0.0.1"
    assert facts["agentops.usage.source"] == "reported"
    assert facts["agentops.stream.chunks"] > 1
    assert "Be kind." in facts["gen_ai.system_instructions"]
    assert "Hello?" in facts["gen_ai.input.messages"]
    assert "Sunny." in facts["gen_ai.output.messages"]
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (21, 8)


async def test_a_server_that_is_not_there_is_told(exporter: MemoryExporter) -> None:
    class Nowhere:
        url = "ws://127.0.0.1:1/v1"

    with pytest.raises(OSError, match=r"."):
        await _run(Nowhere())
    assert agentops.flush()
    (told,) = [span for span in exporter.finished_spans() if span.name == "responses.connect"]
    assert told.attributes["agentops.outcome"] == "error"

"""A model server that answers by script over real HTTP, and the SDK with an in-memory sink."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.wire.http import Reply, Request, Wire, sse

import agentops_sdk as agentops

pytest.importorskip("agents", reason="openai-agents is not installed")
pytest.importorskip("openai", reason="openai is not installed")

TREES = Path(__file__).parent / "trees"
TOKENS = (10, 5)
"""Of each model call, input and output."""


def text(answer: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": answer, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A call of a tool, as the Responses API writes it."""
    return {
        "type": "function_call", "id": f"fc_{name}", "call_id": f"call_{name}", "name": name,
        "arguments": json.dumps(arguments), "status": "completed",
    }  # fmt: skip


class Model:
    """Answers requests of the Responses API by a script: from the tools that are offered, and the conversation."""

    def __init__(self) -> None:
        self.script: Callable[[list[str], list[Any]], Any] = lambda tools, items: text("Done.")
        self.answered = 0

    def __call__(self, request: Request) -> Reply:
        body = request.body
        items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
        output = self.script([tool["name"] for tool in body.get("tools") or ()], items)
        if isinstance(output, Reply):
            return output
        self.answered += 1
        usage = {
            "input_tokens": TOKENS[0], "output_tokens": TOKENS[1], "total_tokens": sum(TOKENS),
            "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
        }  # fmt: skip
        whole = {
            "id": f"resp_{self.answered}", "object": "response", "created_at": 1, "status": "completed",
            "model": "gpt-4o-2024-08-06", "output": [output], "parallel_tool_calls": True, "tool_choice": "auto",
            "tools": [], "usage": usage,
        }  # fmt: skip
        if not body.get("stream"):
            return Reply(whole)
        started = {**whole, "status": "in_progress", "output": [], "usage": None}
        return sse(
            {"type": "response.created", "sequence_number": 0, "response": started},
            {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": output},
            {"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": output},
            {"type": "response.completed", "sequence_number": 3, "response": whole},
            done=False,
        )


@pytest.fixture
def script() -> Model:
    return Model()


@pytest.fixture
async def model(script: Model) -> AsyncIterator[Any]:
    """The Agents SDK's model for the Responses API, with a real client that asks the server."""
    import agents
    import openai

    with Wire(script) as wire:
        transport = openai.DefaultAsyncHttpxClient(verify=False)  # no certificates to load: ten times faster
        async with openai.AsyncOpenAI(
            base_url=wire.url, api_key="none", max_retries=0, http_client=transport
        ) as client:
            model = agents.OpenAIResponsesModel("gpt-4o", client)
            model.wire = wire  # type: ignore[attr-defined]  # kept for the tests
            agents.set_trace_processors([])  # nothing goes to OpenAI
            yield model
    agentops.shutdown()

"""Agents that ask each other over HTTP: one trace, one agent and one count, and what became of each task."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply
from tests.a2a.server import agent, card, grpc_agent, message
from tests.conformance.spans import wrong
from tests.integrations.framework_programs import MODES, check

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("a2a", reason="a2a-sdk is not installed")

TREES = Path(__file__).parent / "trees"


async def _ask(client: Any, text: str, task: Any = None) -> Any:
    """The last thing that the agent tells."""
    last = None
    async for event in client.send_message(message(text, task)):
        last = event
    return last


async def _client(url: str, *, streaming: bool, binding: str = "JSONRPC") -> Any:
    from a2a.client import ClientConfig, create_client

    place = f"{url}/rpc" if binding == "JSONRPC" else url
    config = ClientConfig(streaming=streaming, supported_protocol_bindings=["JSONRPC", "HTTP+JSON"])
    return await create_client(card(place, binding), config)


async def _answer(context: Any, queue: Any) -> None:
    """Asks back for the day, then plans with a model; a trip to nowhere fails, one to the moon raises."""
    from a2a.server.tasks import TaskUpdater
    from a2a.types import Part, Task, TaskState, TaskStatus

    updater = TaskUpdater(queue, context.task_id, context.context_id)
    if context.current_task is None:
        status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
        await queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))
    text = context.get_user_input()
    if "moon" in text:
        raise LookupError("no rails")
    if "nowhere" in text:
        await updater.failed(updater.new_agent_message([Part(text="There is no train.")]))
    elif "on" not in text:
        await updater.requires_input(updater.new_agent_message([Part(text="Which day?")]))
    else:
        await updater.add_artifact([Part(text=await _plan(text)), Part(text="Platform 4.")])
        await updater.complete()


_models: list[LocalModel] = []


@agentops.agent
async def planner(text: str) -> str:
    import openai

    async with openai.AsyncOpenAI(base_url=_models[-1].base_url, api_key="none") as client:
        reply = await client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


async def _plan(text: str) -> str:
    return await planner(text)


def trip(models: LocalModel) -> None:
    """A question back, its answer for the same task, and another look at that."""
    models.script = lambda _: Reply(text="At nine.")
    _models.append(models)
    with agent(_answer) as url:
        asyncio.run(clerk(_client(url, streaming=False)))


@agentops.agent
async def clerk(connecting: Any) -> None:
    """A question back, its answer for the same task, and another look at that."""
    from a2a.types import GetTaskRequest

    client = await connecting
    asked = await _ask(client, "to Rome")
    await _ask(client, "on Monday", asked.task)
    await client.get_task(GetTaskRequest(id=asked.task.id))
    await client.close()


def trip_over_grpc(models: LocalModel) -> None:
    """The same over gRPC."""
    import grpc.aio
    from a2a.client import ClientConfig, create_client

    async def run() -> None:
        async with grpc_agent(_answer) as place:
            config = ClientConfig(
                streaming=False, supported_protocol_bindings=["GRPC"], grpc_channel_factory=grpc.aio.insecure_channel
            )
            await clerk(create_client(card(place, "GRPC"), config))

    models.script = lambda _: Reply(text="At nine.")
    _models.append(models)
    asyncio.run(run())


def failures(models: LocalModel) -> None:
    """A task that fails, and an agent that raises, in a stream."""

    from a2a.utils.errors import A2AError

    async def run(url: str) -> None:
        client = await _client(url, streaming=True, binding="HTTP+JSON")
        await _ask(client, "to nowhere")
        with pytest.raises(A2AError):
            await _ask(client, "to the moon")
        await client.close()

    with agent(_answer) as url:
        asyncio.run(run(url))


@pytest.mark.parametrize("mode", MODES)
def test_a_trip(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(trip, TREES, mode, monkeypatch)
    asked, told = [span.attributes for span in spans if span.name == "invoke_agent travel"]
    assert (asked["a2a.task.id"], asked["gen_ai.conversation.id"]) == (
        told["a2a.task.id"],
        told["gen_ai.conversation.id"],
    )
    assert (asked["a2a.task.state"], asked["agentops.outcome"]) == ("TASK_STATE_INPUT_REQUIRED", "interrupted")
    assert (asked["agentops.input"], asked["agentops.output"]) == ("to Rome", "Which day?")
    assert (told["agentops.input"], told["agentops.output"]) == ("on Monday", "At nine.\nPlatform 4.")
    assert (told["a2a.task.state"], told["gen_ai.agent.version"]) == ("TASK_STATE_COMPLETED", "1.2")
    handled = [span for span in spans if span.name == "SendMessage"]
    assert [span.attributes["agentops.output"] for span in handled] == [
        asked["agentops.output"],
        told["agentops.output"],
    ]
    for span in (told, handled[0].attributes):
        assert [span[f"agentops.a2a.agent.{name}"] for name in ("provider", "skills")] == ["Acme", ["trains"]]
        assert str(span["agentops.a2a.agent.url"]).endswith("/rpc")
    assert len({span.context.trace_id for span in spans}) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_trip_over_grpc(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One trace as well: its headers are the call's metadata."""
    pytest.importorskip("grpc", reason="grpcio is not installed")
    spans = check(trip_over_grpc, TREES, mode, monkeypatch)
    assert (TREES / "trip_over_grpc.txt").read_text() == (TREES / "trip.txt").read_text()
    assert len({span.context.trace_id for span in spans}) == 1
    asked, told = [span.attributes for span in spans if span.name == "invoke_agent travel"]
    assert (asked["agentops.output"], told["agentops.output"]) == ("Which day?", "At nine.\nPlatform 4.")


@pytest.mark.parametrize("mode", MODES)
def test_failures(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(failures, TREES, mode, monkeypatch)
    failed = [span for span in spans if span.name == "invoke_agent travel"]
    assert [span.attributes["error.type"].rpartition(".")[2] for span in failed] == [
        "TASK_STATE_FAILED",
        "A2AClientError",
    ]
    assert failed[0].events[0].attributes["exception.message"] == "There is no train."


def test_an_agent_that_nobody_asked_in_a_trace_is_one_by_itself() -> None:
    """By its card, and content stays out where it is not captured."""
    import httpx

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=False)
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "SendMessage",
        "params": {"message": {
            "messageId": "m", "role": "ROLE_USER", "parts": [{"text": "to nowhere"}, {"data": {"a": 1}}]}},
    }  # fmt: skip
    with agent(_answer) as url:
        reply = httpx.post(f"{url}/rpc", json=body, headers={"A2A-Version": "1.0"}, verify=False)
    assert reply.json()["result"]["task"]["status"]["state"] == "TASK_STATE_FAILED"
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    assert (span.name, span.kind.name) == ("invoke_agent travel", "INTERNAL")
    assert wrong([span]) == []
    assert "There is" not in json.dumps(dict(span.attributes))
    assert not span.events

"""The Agents SDK's realtime sessions, which open a socket of their own: a span each, its responses, and limits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import pytest

pytest.importorskip("agents.realtime", reason="openai-agents is not installed")
pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from tests.wire.websocket import Socket, Talk
from websockets.exceptions import ConnectionClosed

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

_HEARS = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
_SESSION = {"type": "realtime", "object": "realtime.session", "id": "s", "model": "gpt-realtime", **_HEARS}
_USAGE = {"total_tokens": 30, "input_tokens": 20, "output_tokens": 10}
_ITEM = {
    "id": "i2", "type": "message", "role": "assistant", "status": "completed", "object": "realtime.item",
    "content": [{"type": "output_text", "text": "Sunny."}],
}  # fmt: skip


def _answers(heard: list[str]) -> Any:
    def script(talk: Talk) -> None:
        talk.say({"type": "session.created", "event_id": "e0", "session": _SESSION})
        number = 0
        while True:
            kind = talk.hear()["type"]
            heard.append(kind)
            if kind == "response.create":
                number += 1
                whole = {"id": f"r{number}", "object": "realtime.response", "output": [], "status": "in_progress"}
                done = {**whole, "status": "completed", "output": [_ITEM], "usage": _USAGE}
                talk.say({"type": "response.created", "event_id": "e1", "response": whole})
                talk.say({"type": "response.done", "event_id": "e2", "response": done})

    return script


async def _ask(url: str) -> None:
    runner = RealtimeRunner(RealtimeAgent(name="clerk", instructions="Be kind."))
    async with await runner.run(model_config={"url": url, "api_key": "none"}) as session:
        async with asyncio.timeout(20):
            for _ in range(2):
                await session.send_message("Weather?")
                async for event in session:
                    data = getattr(event, "data", None)
                    if getattr(data, "type", None) == "turn_ended":
                        break


@pytest.fixture
def exporter() -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    return exporter


def _spans(exporter: MemoryExporter) -> list[dict[str, Any]]:
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    return [{"name": span.name, **(span.attributes or {})} for span in exporter.finished_spans()]


def test_a_session_and_its_responses(exporter: MemoryExporter) -> None:
    heard: list[str] = []
    with Socket(_answers(heard)) as socket:
        asyncio.run(_ask(str(socket.url)))
    assert heard.count("response.create") == 2
    *responses, session = _spans(exporter)
    assert session["agentops.realtime.responses"] == 2
    assert [each["name"] for each in responses] == [f"chat {session['gen_ai.request.model']}"] * 2
    assert [each["gen_ai.usage.output_tokens"] for each in responses] == [10, 10]
    assert {each["agentops.outcome"] for each in (*responses, session)} == {"ok"}


def test_a_limit_refuses_the_next_response_before_it_is_asked_for(exporter: MemoryExporter) -> None:
    heard: list[str] = []
    stopped = pytest.raises(agentops.LimitExceeded, match="1 model call")
    with Socket(_answers(heard)) as socket, agentops.limits(model_calls=1), stopped:
        asyncio.run(_ask(str(socket.url)))
    assert heard.count("response.create") == 1
    assert [each.get("agentops.limit.action") for each in _spans(exporter)] == [None, "refused", None]


def test_a_limit_refuses_sound_that_the_model_would_answer(exporter: MemoryExporter) -> None:
    heard: list[str] = []

    async def run(url: str) -> None:
        runner = RealtimeRunner(RealtimeAgent(name="clerk"))
        async with await runner.run(model_config={"url": url, "api_key": "none"}) as session, asyncio.timeout(20):
            async for event in session:  # the server's settings have come
                if getattr(getattr(event, "data", None), "type", "") == "raw_server_event":
                    break
            with agentops.limits(seconds=1e-9), pytest.raises(agentops.LimitExceeded):
                await session.send_audio(b"\x00" * 960)
            await session.send_audio(b"\x00" * 960)
            while "input_audio_buffer.append" not in heard:  # the server hears on a thread of its own
                await asyncio.sleep(0.01)

    with Socket(_answers(heard)) as socket:
        asyncio.run(run(str(socket.url)))
    assert heard.count("input_audio_buffer.append") == 1
    assert [each.get("agentops.limit.action") for each in _spans(exporter)] == ["refused", None]


# --- a response that passes a limit while it is spoken ------------------------------------------------


def _speaks_on(heard: SimpleQueue[dict[str, Any]]) -> Any:
    """A server that speaks until it is told to stop, and then says what that was."""

    def script(talk: Talk) -> None:
        talk.say({"type": "session.created", "event_id": "e0", "session": _SESSION})
        while talk.hear()["type"] != "response.create":
            pass
        whole = {"id": "r1", "object": "realtime.response", "output": [], "status": "in_progress"}
        talk.say({"type": "response.created", "event_id": "e1", "response": whole})
        place = {"event_id": "e2", "response_id": "r1", "item_id": "i2", "output_index": 0, "content_index": 0}
        with suppress(ConnectionClosed):  # by who has heard enough: what they have sent is heard all the same
            for _ in range(20):
                talk.say({"type": "response.output_audio_transcript.delta", "delta": "and so on ", **place})
                talk.say({"type": "response.output_audio.delta", "delta": "A" * 3_200, **place})
        try:
            while (event := talk.hear())["type"] != "response.cancel":
                pass
            heard.put(event)
            done = {**whole, "status": "cancelled", "output": [_ITEM], "usage": _USAGE}
            talk.say({"type": "response.done", "event_id": "e3", "response": done})
            while True:
                talk.hear()
        except ConnectionClosed as error:
            heard.put({"type": type(error).__name__})

    return script


async def _listen(url: str) -> list[str]:
    """The types of what came of one turn, which may end in an error."""
    came: list[str] = []
    runner = RealtimeRunner(RealtimeAgent(name="clerk"))
    async with await runner.run(model_config={"url": url, "api_key": "none"}) as session, asyncio.timeout(20):
        await session.send_message("Weather?")
        with suppress(agentops.LimitExceeded):
            async for event in session:
                came.append(str(getattr(getattr(event, "data", None), "type", event.type)))
                if came[-1] == "turn_ended":
                    return came
            return [*came, "ended"]
    return [*came, "LimitExceeded"]


@pytest.mark.parametrize(("on_stream", "last"), [("cut", "LimitExceeded"), ("end", "turn_ended")])
def test_a_limit_has_the_server_cancel_what_it_says(exporter: MemoryExporter, on_stream: str, last: str) -> None:
    heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
    with Socket(_speaks_on(heard)) as socket, agentops.limits(tokens=60, on_stream=on_stream):
        came = asyncio.run(_listen(str(socket.url)))
        assert heard.get(timeout=10) == {"type": "response.cancel", "response_id": "r1"}
        assert heard.get(timeout=10) == {"type": "ConnectionClosedOK"}
    assert came[-1] == last
    response, session = _spans(exporter)
    assert response["agentops.limit.action"] == "cut"
    assert 60 < response["agentops.limit.spent"] < 64  # two tokens of text and one of sound at a time
    if on_stream == "cut":
        assert (response["agentops.outcome"], session["agentops.outcome"]) == ("error", "error")
        assert response["agentops.usage.source"] == "estimated"
        assert came.count("transcript_delta") < 20
    else:
        assert (response["agentops.outcome"], session["agentops.outcome"]) == ("cancelled", "ok")
        assert response["gen_ai.usage.output_tokens"] == 10  # as the server said in the end
        assert response["agentops.usage.source"] == "reported"
    decisions = [each for span in exporter.finished_spans() for each in span.events if each.name == "agentops.decision"]
    assert [(each.attributes or {})["agentops.decision.by"] for each in decisions] == ["code"]


# --- tools ------------------------------------------------------------------------------------------


def _calls_a_tool(heard: list[dict[str, Any]]) -> Any:
    """Each response asks for the tool, and the last of three says something."""

    def script(talk: Talk) -> None:
        talk.say({"type": "session.created", "event_id": "e0", "session": _SESSION})
        number = 0
        while True:
            event = talk.hear()
            heard.append(event)
            if event["type"] == "response.create":
                number += 1
                item = {
                    "id": f"f{number}", "type": "function_call", "object": "realtime.item", "status": "completed",
                    "call_id": f"c{number}", "name": "weather", "arguments": '{"city":"Rome"}',
                }  # fmt: skip
                output = [item if number < 3 else _ITEM]
                whole = {"id": f"r{number}", "object": "realtime.response", "output": [], "status": "in_progress"}
                talk.say({"type": "response.created", "event_id": "e1", "response": whole})
                about = {"event_id": "e2", "response_id": whole["id"], "output_index": 0, "item": output[0]}
                talk.say({"type": "response.output_item.done", **about})
                done = {**whole, "status": "completed", "output": output, "usage": _USAGE}
                talk.say({"type": "response.done", "event_id": "e3", "response": done})

    return script


async def _ask_with(url: str, tool: Any) -> None:
    runner = RealtimeRunner(RealtimeAgent(name="clerk", tools=[tool]))
    async with await runner.run(model_config={"url": url, "api_key": "none"}) as session, asyncio.timeout(20):
        await session.send_message("Weather?")
        turns = 0
        async for event in session:
            turns += getattr(getattr(event, "data", None), "type", None) == "turn_ended"
            if turns == 3:
                break


def _outputs(heard: list[dict[str, Any]]) -> list[str]:
    items = [each["item"] for each in heard if each["type"] == "conversation.item.create"]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


def test_tools_of_a_session(exporter: MemoryExporter) -> None:
    done: list[str] = []

    @function_tool
    async def weather(city: str) -> str:
        """Tell the weather."""
        done.append(city)
        await asyncio.sleep(0)
        if len(done) == 2:
            raise ValueError("no satellite")
        return "sunny"

    heard: list[dict[str, Any]] = []
    with Socket(_calls_a_tool(heard)) as socket:
        asyncio.run(_ask_with(str(socket.url), weather))
    first, second = _outputs(heard)
    assert first == "sunny"
    assert "error occurred" in second
    tools = [each for each in _spans(exporter) if each["name"] == "execute_tool weather"]
    assert [each["gen_ai.tool.call.id"] for each in tools] == ["c1", "c2"]
    assert [each["agentops.outcome"] for each in tools] == ["ok", "error"]  # the model was told of it
    assert [each.get("error.type") for each in tools] == [None, "ValueError"]
    assert tools[0]["gen_ai.tool.call.result"] == "sunny"
    assert tools[0]["gen_ai.tool.call.arguments"] == '{"city":"Rome"}'
    spans = {span.name: span for span in exporter.finished_spans()}
    session = next(span for name, span in spans.items() if name.startswith("realtime"))
    parent = spans["execute_tool weather"].parent
    assert parent is not None
    assert session.context is not None
    assert parent.span_id == session.context.span_id


def test_a_tool_that_takes_too_long_has_failed(exporter: MemoryExporter) -> None:
    @function_tool(timeout=0.01)
    async def weather(city: str) -> str:
        """Tell the weather."""
        await asyncio.sleep(60)
        return city

    heard: list[dict[str, Any]] = []
    with Socket(_calls_a_tool(heard)) as socket:
        asyncio.run(_ask_with(str(socket.url), weather))
    assert len(_outputs(heard)) == 2
    tools = [each for each in _spans(exporter) if each["name"] == "execute_tool weather"]
    assert [each["error.type"].rpartition(".")[2] for each in tools] == ["ToolTimeoutError"] * 2


@pytest.mark.parametrize("limits", [{"tool_calls": 1}, {"per_tool": {"weather": 1}}], ids=str)
def test_a_limit_refuses_a_tool_before_it_runs(exporter: MemoryExporter, limits: dict[str, Any]) -> None:
    done: list[str] = []

    @function_tool
    def weather(city: str) -> str:
        """Tell the weather."""
        done.append(city)
        return "sunny"

    heard: list[dict[str, Any]] = []
    with Socket(_calls_a_tool(heard)) as socket, agentops.limits(**limits), pytest.raises(agentops.LimitExceeded):
        asyncio.run(_ask_with(str(socket.url), weather))
    assert done == ["Rome"]
    tools = [each for each in _spans(exporter) if each["name"] == "execute_tool weather"]
    assert [each.get("agentops.limit.action") for each in tools] == [None, "refused"]

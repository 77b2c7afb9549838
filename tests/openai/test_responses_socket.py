"""Responses over a real WebSocket: each one is a model call, with its figures, and its true end."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

import agentops_sdk as agentops

pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from tests.openai.bodies import RESPONSE, RESPONSE_EVENTS
from tests.openai.socket_client import client
from tests.wire.websocket import Socket, Talk

if not hasattr(getattr(openai.OpenAI(api_key="none"), "responses", None), "connect"):
    pytest.skip(f"openai {openai.__version__} has no responses.connect", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # websockets, of openai

TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": {}, "strict": False}
ASK: dict[str, Any] = {"type": "response.create", "model": "gpt-5", "input": "Weather?", "tools": [TOOL]}
FAILED = {**RESPONSE, "status": "failed", "output": [], "error": {"code": "server_error", "message": "no"}}


def answers(talk: Talk) -> None:
    """Each request is answered in whole, until there are no more."""
    while talk.hear()["type"] == "response.create":
        talk.say(*RESPONSE_EVENTS)


def check(span: Any) -> None:
    assert span.name == "chat gpt-5"
    assert span.outcome == "ok"
    assert span["gen_ai.provider.name"] == "openai"
    assert span["server.address"] == "127.0.0.1"
    assert span["gen_ai.request.model"] == "gpt-5"
    assert span["gen_ai.response.id"] == "resp_1"
    assert span["gen_ai.usage.input_tokens"] == 30
    assert span["gen_ai.usage.output_tokens"] == 12
    assert span["agentops.usage.source"] == "reported"
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("tool_calls",)
    assert span.calls == [("weather", {"city": "Rome"})]
    assert span.text == "Hello"
    assert span["agentops.decision.chosen"] == "weather"
    assert span["agentops.stream.chunks"] == len(RESPONSE_EVENTS)
    assert span["gen_ai.response.time_to_first_chunk"] > 0
    assert span.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Weather?"}]


def until(connection: Any, kind: str) -> list[str]:
    kinds: list[str] = []
    while not kinds or kinds[-1] != kind:
        kinds.append(connection.recv().type)
    return kinds


def test_each_response_is_a_call_of_its_own(recorded: Any) -> None:
    with Socket(answers) as socket, client(socket).responses.connect() as connection:
        with agentops.span("turn"):
            connection.send(ASK)
        until(connection, "response.completed")
        first, turn = sorted(recorded(), key=lambda span: span.name)
        check(first)
        assert first.span.parent.span_id == turn.span.context.span_id
        connection.response.create(**{name: value for name, value in ASK.items() if name != "type"})
        until(connection, "response.completed")
        check(recorded.one())
        connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})
    assert recorded() == []


async def test_async(recorded: Any) -> None:
    with Socket(answers) as socket:
        async with client(socket, openai.AsyncOpenAI).responses.connect() as connection:
            await connection.send(ASK)
            async for event in connection:
                if event.type == "response.completed":
                    break
            check(recorded.one())
            await connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})
    assert recorded() == []


def test_what_was_queued_before_the_connection(recorded: Any) -> None:
    with Socket(answers) as socket:
        manager = client(socket).responses.connect()
        manager.send(ASK)
        with manager as connection:
            until(connection, "response.completed")
            check(recorded.one())
            connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})


def test_lanes_do_not_mix(recorded: Any) -> None:
    session = pytest.importorskip("openai.lib.responses_websocket", reason="this version has no lanes")

    def script(talk: Talk) -> None:
        first, second = talk.hear(), talk.hear()
        for events in zip(RESPONSE_EVENTS, RESPONSE_EVENTS, strict=True):
            for number, (asked, event) in enumerate(zip((first, second), events, strict=True), 1):
                response = {"response": {**event["response"], "id": f"resp_{number}"}} if "response" in event else {}
                talk.say({**event, **response, "stream_id": asked["stream_id"]})
        talk.hear()

    limits = session.ResponsesWebSocketLimits(
        max_lanes=4, max_events_per_lane=128, max_events=512, max_bytes_per_lane=2**20, max_bytes=2**21
    )
    with (
        Socket(script) as socket,
        client(socket).responses.connect() as connection,
        session.ResponsesWebSocketSession(connection, limits=limits) as lanes,
    ):
        one, two = lanes.lane("one"), lanes.lane("two")
        one.send(ASK)
        two.send({**ASK, "input": "And now?"})
        assert [lane.get_final_response(timeout=10).id for lane in (one, two)] == ["resp_1", "resp_2"]
        first, second = sorted(recorded(), key=lambda span: span["gen_ai.response.id"])
        check(first)
        assert (second.text, second.calls, second.outcome) == ("Hello", [("weather", {"city": "Rome"})], "ok")
        assert second.json("gen_ai.input.messages")[0]["parts"][0]["content"] == "And now?"


def test_a_failed_response_and_a_refused_request(recorded: Any) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(RESPONSE_EVENTS[0], {"type": "response.failed", "sequence_number": 1, "response": FAILED})
        talk.hear()
        talk.say({"type": "error", "status": 400, "error": {"type": "invalid", "code": "no_model", "message": "?"}})
        talk.hear()

    with Socket(script) as socket, client(socket).responses.connect() as connection:
        connection.send(ASK)
        until(connection, "response.failed")
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "server_error")
        assert "agentops.decision.chosen" not in span.attributes
        connection.send(ASK)
        until(connection, "error")
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "no_model")
        connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})


def half(talk: Talk) -> None:
    talk.hear()
    talk.say(*RESPONSE_EVENTS[:3])
    talk.hear()


def left(span: Any, outcome: str) -> None:
    assert span.outcome == outcome
    assert span["agentops.stream.chunks"] == 3
    assert "agentops.decision.chosen" not in span.attributes
    assert span["gen_ai.response.id"] == "resp_1"


@pytest.mark.parametrize("leave", ["break", "close", "raise"])
def test_left_early(recorded: Any, leave: str) -> None:
    with Socket(half) as socket:
        try:
            with client(socket).responses.connect() as connection:
                connection.send(ASK)
                for _ in range(3):
                    connection.recv()
                if leave == "close":
                    connection.close()
                    left(recorded.one(), "abandoned")
                if leave == "raise":
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    if leave != "close":
        left(recorded.one(), "abandoned")
    assert recorded() == []


def test_cut(recorded: Any) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(*RESPONSE_EVENTS[:3])
        talk.cut()

    with Socket(script) as socket, client(socket).responses.connect() as connection:
        connection.send(ASK)
        with pytest.raises(Exception, match="close"):
            for _ in connection:
                pass
        span = recorded.one()
    left(span, "error")
    assert span["error.type"].endswith("ConnectionClosedError")


async def test_cancelled(recorded: Any) -> None:
    async def run(socket: Socket) -> None:
        async with client(socket, openai.AsyncOpenAI).responses.connect() as connection:
            await connection.send(ASK)
            for _ in range(3):
                await connection.recv()
            reached.set()
            await connection.recv()

    reached = asyncio.Event()
    with Socket(half) as socket:
        task = asyncio.create_task(run(socket))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    left(recorded.one(), "cancelled")


async def test_a_wait_that_was_given_up_is_no_end(recorded: Any) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(*RESPONSE_EVENTS[:3])
        talk.hear()
        talk.say(*RESPONSE_EVENTS[3:])
        talk.hear()

    with Socket(script) as socket:
        async with client(socket, openai.AsyncOpenAI).responses.connect() as connection:
            await connection.send(ASK)
            for _ in range(3):
                await connection.recv()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connection.recv(), 0.05)
            await connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})
            async for event in connection:
                if event.type == "response.completed":
                    break
            check(recorded.one())
            await connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})


def test_no_connection(recorded: Any) -> None:
    with Socket(answers) as socket:
        nowhere = client(socket)
    with pytest.raises(OSError), nowhere.responses.connect():
        pass
    span = recorded.one()
    assert (span.name, span.outcome) == ("responses.connect", "error")


def test_after_the_sdk_was_shut_down(recorded: Any) -> None:
    with Socket(answers) as socket, client(socket).responses.connect() as connection:
        agentops.shutdown()
        connection.send(ASK)
        assert until(connection, "response.completed")[0] == "response.created"
        connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})

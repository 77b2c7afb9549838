"""Realtime over a real WebSocket: a span for the session and one for each response, with text, calls and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

import agentops_sdk as agentops

pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from tests.wire.websocket import Socket, Talk

if not hasattr(openai.OpenAI, "realtime"):
    pytest.skip(f"openai {openai.__version__} has no realtime resource", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # websockets, of openai

TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": {"type": "object"}}
ASKED = {"id": "i1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}
AUDIO = {"type": "output_audio", "transcript": "Sun"}
SPOKEN = {"id": "i2", "type": "message", "role": "assistant", "content": [AUDIO]}
CALLED = {"id": "i3", "type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Rome"}'}
USAGE = {
    "total_tokens": 30, "input_tokens": 20, "output_tokens": 10,
    "input_token_details": {"cached_tokens": 5, "text_tokens": 12, "audio_tokens": 8},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}  # fmt: skip


def _response(ident: str, status: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "object": "realtime.response", "status": status, "output": [], **more}


def _whole(talk: Talk) -> None:
    talk.say(
        {"type": "session.created", "session": {"model": "gpt-realtime", "instructions": "Be brief.", "tools": [TOOL]}}
    )
    assert talk.hear()["type"] == "conversation.item.create"
    talk.say({"type": "conversation.item.added", "item": ASKED})
    assert talk.hear()["type"] == "response.create"
    where = {"response_id": "r1", "item_id": "i2", "output_index": 0, "content_index": 0}
    talk.say(
        {"type": "response.created", "response": _response("r1", "in_progress")},
        {"type": "response.output_audio.delta", **where, "delta": "AAAA"},
        {"type": "response.output_audio_transcript.delta", **where, "delta": "Sun"},
        {"type": "response.done", "response": _response("r1", "completed", output=[SPOKEN, CALLED], usage=USAGE)},
    )
    if talk.hear()["type"] == "response.create":
        talk.say(
            {"type": "response.created", "response": _response("r2", "in_progress")},
            {"type": "response.output_audio_transcript.delta", **where, "response_id": "r2", "delta": "Rai"},
        )
        talk.hear()


def _client(socket: Socket, cls: Any = openai.OpenAI) -> Any:
    return cls(api_key="none", base_url="http://127.0.0.1:1/v1", websocket_base_url=socket.url)


def _check(recorded: Any) -> None:
    first, second, session = recorded()
    assert session.name == "realtime gpt-realtime"
    assert session.outcome == "ok"
    assert session["agentops.realtime.responses"] == 2
    assert first.name == second.name == "chat gpt-realtime"
    assert first.span.parent.span_id == session.span.context.span_id
    assert first.outcome == "ok"
    assert first.text == "Sun"
    assert first.calls == [("weather", {"city": "Rome"})]
    assert first["gen_ai.response.id"] == "r1"
    assert first["gen_ai.usage.input_tokens"] == 20
    assert first["gen_ai.usage.output_tokens"] == 10
    assert first["gen_ai.usage.cache_read.input_tokens"] == 5
    assert first["agentops.decision.chosen"] == "weather"
    assert first["gen_ai.response.time_to_first_chunk"] > 0
    assert first.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Weather?"}]
    assert first.json("gen_ai.system_instructions")[0]["content"] == "Be brief."
    assert second.outcome == "abandoned"
    assert second.text == "Rai"
    assert "agentops.decision.chosen" not in second.attributes  # it was not heard to its end


def test_session_and_responses(recorded: Any) -> None:
    with Socket(_whole) as socket, _client(socket).realtime.connect(model="gpt-realtime") as connection:
        connection.send({"type": "conversation.item.create", "item": ASKED})
        connection.send({"type": "response.create"})
        kinds = []
        for event in connection:
            kinds.append(event.type)
            if event.type == "response.done":
                break
        assert kinds[0] == "session.created"
        connection.response.create()
        connection.recv()
        connection.recv()
    _check(recorded)


async def test_async_session(recorded: Any) -> None:
    with Socket(_whole) as socket:
        async with _client(socket, openai.AsyncOpenAI).realtime.connect(model="gpt-realtime") as connection:
            await connection.conversation.item.create(item=ASKED)
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    break
            await connection.send({"type": "response.create"})
            await connection.recv()
            await connection.recv()
    _check(recorded)


def test_connection_lost(recorded: Any) -> None:
    def script(talk: Talk) -> None:
        talk.say({"type": "response.created", "response": _response("r1", "in_progress")})
        talk.hear()
        talk.cut()

    with Socket(script) as socket, _client(socket).realtime.connect(model="gpt-realtime") as connection:
        connection.recv()
        connection.send({"type": "response.create"})
        with pytest.raises(Exception, match="close"):
            connection.recv()
    begun, asked, session = recorded()
    assert (begun.outcome, asked.outcome, session.outcome) == ("error", "error", "error")


def test_connection_refused(recorded: Any) -> None:
    with Socket(_whole) as socket:
        nowhere = _client(socket)
    with pytest.raises(OSError), nowhere.realtime.connect(model="gpt-realtime"):
        pass
    assert recorded.one().outcome == "error"


@pytest.mark.parametrize("limit", [{"model_calls": 1}, {"tokens": 30}])
def test_a_limit_refuses_a_response_before_it_is_asked_for(recorded: Any, limit: dict[str, int]) -> None:
    heard: list[str] = []

    def script(talk: Talk) -> None:
        heard.append(talk.hear()["type"])
        talk.say(
            {"type": "response.created", "response": _response("r1", "in_progress")},
            {"type": "response.done", "response": _response("r1", "completed", output=[SPOKEN], usage=USAGE)},
        )
        heard.append(talk.hear()["type"])
        talk.say({"type": "input_audio_buffer.cleared"})

    with (
        agentops.limits(**limit),
        Socket(script) as socket,
        _client(socket).realtime.connect(model="gpt-4o-realtime-preview") as connection,
    ):
        connection.response.create()
        connection.recv()
        connection.recv()
        for _ in range(2):
            with pytest.raises(agentops.LimitExceeded):
                connection.response.create()
        connection.send({"type": "input_audio_buffer.clear"})
        connection.recv()
    assert heard == ["response.create", "input_audio_buffer.clear"]
    made, first, second, session = recorded()
    assert [made.outcome, first.outcome, second.outcome, session.outcome] == ["ok", "error", "error", "ok"]
    assert first["agentops.limit.action"] == second["agentops.limit.action"] == "refused"
    assert session["agentops.realtime.responses"] == 1


def _spoken_on(heard: list[Any]) -> Callable[[Talk], None]:
    """A server that speaks until it is told to stop, and then tells what that was."""

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say({"type": "response.created", "response": _response("r1", "in_progress")})
        words, sound = {"response_id": "r1", "delta": "and so on "}, {"response_id": "r1", "delta": "A" * 3_200}
        for _ in range(20):
            talk.say({"type": "response.output_audio_transcript.delta", **words})
            talk.say({"type": "response.output_audio.delta", **sound})
        heard.append(talk.hear())
        talk.say({"type": "response.done", "response": _response("r1", "cancelled", output=[SPOKEN], usage=USAGE)})
        talk.hear()

    return script


@pytest.mark.parametrize(("on_stream", "outcome"), [("cut", "error"), ("end", "cancelled")])
def test_a_limit_has_the_server_cancel_what_it_says(recorded: Any, on_stream: str, outcome: str) -> None:
    heard: list[Any] = []
    with (
        agentops.limits(tokens=20, on_stream=on_stream),
        Socket(_spoken_on(heard)) as socket,
        _client(socket).realtime.connect(model="gpt-realtime") as connection,
    ):
        connection.response.create()
        errors, kind = [], ""
        while kind != "response.done":
            try:
                kind = connection.recv().type
            except agentops.LimitExceeded as error:
                errors.append(error.limit)
        connection.send({"type": "input_audio_buffer.clear"})
    assert heard == [{"type": "response.cancel", "response_id": "r1"}]
    assert errors == (["tokens"] if on_stream == "cut" else [])
    response, session = recorded()
    assert (response.outcome, session.outcome) == (outcome, "ok")
    assert response["agentops.limit.action"] == "cut"
    assert 20 < response["agentops.limit.spent"] < 24  # two tokens of text and one of sound at a time
    assert response["gen_ai.usage.output_tokens"] == 10  # as the server said in the end


async def test_a_limit_has_the_server_cancel_what_it_says_asynchronously(recorded: Any) -> None:
    heard: list[Any] = []
    with Socket(_spoken_on(heard)) as socket, agentops.limits(tokens=20, on_stream="cut"):
        async with _client(socket, openai.AsyncOpenAI).realtime.connect(model="gpt-realtime") as connection:
            await connection.response.create()
            with pytest.raises(agentops.LimitExceeded):
                while True:
                    await connection.recv()
            async for event in connection:
                if event.type == "response.done":
                    break
            await connection.send({"type": "input_audio_buffer.clear"})
    assert [event["type"] for event in heard] == ["response.cancel"]
    response, _ = recorded()
    assert (response.outcome, response["agentops.limit.action"]) == ("error", "cut")


async def test_a_limit_refuses_an_asynchronous_response(recorded: Any) -> None:
    with Socket(lambda talk: None) as socket:
        async with _client(socket, openai.AsyncOpenAI).realtime.connect(model="gpt-realtime") as connection:
            with agentops.limits(model_calls=0), pytest.raises(agentops.LimitExceeded):
                await connection.response.create()
    refused, session = recorded()
    assert (refused["agentops.limit.action"], session.outcome) == ("refused", "ok")


def test_limits_are_asked_before_sound_that_the_model_may_answer(recorded: Any) -> None:
    """The server begins a response by itself, so what it would answer is not sent; one that comes anyhow counts."""
    heard: list[str] = []

    def script(talk: Talk) -> None:
        talk.say({"type": "session.created", "session": {"turn_detection": {"type": "server_vad"}}})
        while (kind := talk.hear()["type"]) == "input_audio_buffer.append":
            heard.append(kind)
            for ident in (f"r{len(heard)}", f"s{len(heard)}")[: len(heard)]:
                talk.say(
                    {"type": "response.created", "response": _response(ident, "in_progress")},
                    {"type": "response.done", "response": _response(ident, "completed", usage=USAGE)},
                )

    with (
        Socket(script) as socket,
        _client(socket) as client,
        agentops.limits(model_calls=2),
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        assert connection.recv().type == "session.created"
        for answers in (1, 2):
            connection.input_audio_buffer.append(audio="AAAA")
            for _ in range(2 * answers):
                connection.recv()
        for _ in range(2):
            with pytest.raises(agentops.LimitExceeded, match="3 of 2"):
                connection.input_audio_buffer.append(audio="AAAA")
    assert len(heard) == 2
    actions = [span.attributes.get("agentops.limit.action") for span in recorded() if span.name.startswith("chat")]
    assert actions == [None, None, None, "refused"]


def test_a_response_that_the_server_declines(recorded: Any) -> None:
    busy = {"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": "busy"}

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say({"type": "error", "error": busy})
        talk.hear()
        talk.say({"type": "error", "error": {"type": "invalid_request_error", "event_id": "e1", "message": "no"}})

    with Socket(script) as socket, _client(socket).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        connection.recv()
        connection.response.create(event_id="e1")
        connection.recv()
    first, second, session = recorded()
    assert [first["error.type"], second["error.type"]] == [busy["code"], "invalid_request_error"]
    assert [first.outcome, second.outcome, session.outcome] == ["error", "error", "ok"]


def test_undo() -> None:
    from openai.resources.realtime import realtime

    owners = (realtime.RealtimeConnection, realtime.AsyncRealtimeConnection, realtime.RealtimeConnectionManager)

    def now() -> list[tuple[str, int]]:  # by identity: a wrapper says that it equals what it wraps
        return [(name, id(value)) for owner in owners for name, value in vars(owner).items()]

    before = now()
    agentops.init(exporters=["memory"])
    assert now() != before
    agentops.shutdown()
    assert sorted(now()) == sorted(before)

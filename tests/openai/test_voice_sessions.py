"""Live and translation sessions over a real WebSocket: one model call, what it delegates below it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from tests.openai.bodies import RESPONSE_EVENTS
from tests.openai.socket_client import client
from tests.wire.websocket import Socket, Talk

import agentops_sdk as agentops

if not hasattr(openai.OpenAI, "live"):
    pytest.skip(f"openai {openai.__version__} has no live sessions", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # websockets, of openai

NUMBER = iter(range(1_000))


def session(ident: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "model": "gpt-live-1", "instructions": "Be kind.", **more}


def said(who: str, *texts: str) -> list[dict[str, Any]]:
    kind = f"session.{who}_transcript.delta"
    return [{"type": kind, "event_id": "e", "delta": text, "start_ms": 0, "end_ms": 1} for text in texts]


def delegated(ident: str) -> list[dict[str, Any]]:
    return [
        {"type": "response.event", "event_id": "e", "delegation_id": "d1",
         "event": {**event, "response": {**event["response"], "id": ident}} if "response" in event else event}
        for event in RESPONSE_EVENTS
    ]  # fmt: skip


def decided(ident: str) -> dict[str, Any]:
    answer = {"name": "route", "type": "choice", "choice": "refund", "confidence": 0.8, "probabilities": []}
    usage = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    decision = {"id": ident, "model": "gpt-6-luna", "answers": [answer], "usage": usage}
    return {"type": "decision.event", "event_id": "e", "event": {"type": "decision.completed", "decision": decision}}


def whole(ident: str) -> Any:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(
            {"type": "session.started", "event_id": "e", "session": session(ident)},
            *said("input", "Is it ", "sunny?"),
            {"type": "session.output_audio.delta", "event_id": "e", "delta": "AAAA"},
            *said("output", "Let me ", "see."),
            *delegated(f"resp_{ident}"),
            decided(f"dec_{ident}"),
            *said("output", " It is."),
            {"type": "session.usage.updated", "event_id": "e", "usage": {"seconds": 7}},
            {"type": "session.closed", "event_id": "e", "reason": "close_requested", "session": session(ident),
             "usage": {"seconds": 12}},
        )  # fmt: skip
        talk.hear()

    return script


START = {"type": "session.start", "session": {"model": "gpt-live-1"}}


def check(spans: list[Any]) -> Any:
    chat, decision, live = spans
    assert live.name == "live gpt-live-1"
    assert (live.outcome, live["agentops.kind"]) == ("ok", "llm")
    assert live["gen_ai.request.model"] == "gpt-live-1"
    assert live["agentops.usage.audio_seconds"] == 12
    assert "gen_ai.usage.input_tokens" not in live.attributes
    assert tuple(live["gen_ai.response.finish_reasons"]) == ("close_requested",)
    assert live.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be kind."}]
    assert [each["parts"][0]["content"] for each in live.json("gen_ai.input.messages")] == ["Is it sunny?"]
    assert live.text == "Let me see. It is."
    assert chat.span.parent.span_id == decision.span.parent.span_id == live.span.context.span_id
    assert (chat.text, chat["gen_ai.usage.input_tokens"], chat.outcome) == ("Hello", 30, "ok")
    assert decision["agentops.decision.chosen"] == "refund"
    assert decision["gen_ai.usage.input_tokens"] == 9
    return live


def test_a_live_session(recorded: Any) -> None:
    with Socket(whole("one")) as socket, client(socket).live.connect() as connection:
        connection.send(START)
        for event in connection:
            if event.type == "session.closed":
                break
        live = check(recorded())
        assert live["gen_ai.provider.name"] == "openai"
        connection.send(START)
    assert recorded() == []


async def test_asynchronous(recorded: Any) -> None:
    with Socket(whole("two")) as socket:
        async with client(socket, openai.AsyncOpenAI).live.connect() as connection:
            await connection.send(START)
            async for event in connection:
                if event.type == "session.closed":
                    break
            await connection.send(START)
    check(recorded())


def test_a_sideband_tells_nothing_again(recorded: Any) -> None:
    with Socket(whole("three")) as socket:
        asking = client(socket)
        with asking.live.connect() as connection:
            connection.send(START)
            for event in connection:
                if event.type == "session.closed":
                    break
            connection.send(START)
        check(recorded())
        with asking.live.sideband.connect(session_id="three") as connection:
            connection.send({"type": "session.close"})
            for event in connection:
                if event.type == "session.closed":
                    break
            connection.send({"type": "session.close"})
    span = recorded.one()
    assert "agentops.usage.audio_seconds" not in span.attributes


@pytest.mark.parametrize("end", ["hang up", "cut"])
def test_ways_out(recorded: Any, end: str) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        started = {"type": "session.started", "event_id": "e", "session": session(f"{end} {next(NUMBER)}")}
        talk.say(started, *said("output", "Hel"), *delegated(f"resp {end}")[:3])
        if end == "cut":
            talk.cut()
        else:
            talk.hear()

    with Socket(script) as socket, client(socket).live.connect() as connection:
        connection.send(START)
        for _ in range(5):
            connection.recv()
        if end == "cut":
            with pytest.raises(Exception, match="close"):
                connection.recv()
    chat, live = recorded()
    assert (live.outcome, chat.outcome) == (("error", "error") if end == "cut" else ("ok", "abandoned"))
    assert live.text == "Hel"


def test_a_translation(recorded: Any) -> None:
    def script(talk: Talk) -> None:
        talk.say(
            {"type": "session.created", "event_id": "e", "session": {"id": "t", "model": "gpt-realtime-translate"}},
            *said("input", "Guten Tag"), *said("output", "Good ", "day"),
            {"type": "session.closed", "event_id": "e"},
        )  # fmt: skip
        talk.hear()

    with (
        Socket(script) as socket,
        client(socket).realtime.translations.connect(model="gpt-realtime-translate") as connection,
    ):
        for event in connection:
            if event.type == "session.closed":
                break
        connection.send({"type": "session.close"})
    span = recorded.one()
    assert span.name == "translation gpt-realtime-translate"
    assert (span.outcome, span.text) == ("ok", "Good day")
    assert "gen_ai.usage.output_tokens" not in span.attributes  # speech is not made of the tokens of its transcript
    assert span["agentops.cost.unknown_reason"]


def test_no_connection(recorded: Any) -> None:
    with Socket(whole("none")) as socket:
        nowhere = client(socket)
    with pytest.raises(OSError), nowhere.live.connect():
        pass
    span = recorded.one()
    assert (span.name, span.outcome) == ("live.connect", "error")


async def test_a_limit_is_asked_before_a_session_begins(recorded: Any) -> None:
    """The connection is closed before anything is sent over it."""
    heard: list[Any] = []

    def script(talk: Talk) -> None:
        heard.append(talk.hear())

    with Socket(script) as socket, agentops.limits(model_calls=0):
        with pytest.raises(agentops.LimitExceeded), client(socket).live.connect():
            pass
        with pytest.raises(agentops.LimitExceeded):
            async with client(socket, openai.AsyncOpenAI).live.connect():
                pass
    assert heard == []
    assert [span["agentops.limit.action"] for span in recorded()] == ["refused", "refused"]

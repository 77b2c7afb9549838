"""Live sessions over a real WebSocket: a span for the session, a model call for each answer."""

from __future__ import annotations

import asyncio
import base64
from contextlib import nullcontext
from queue import SimpleQueue
from typing import Any

import pytest

pytest.importorskip("google.genai", reason="needs google-genai")
pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from google import genai
from google.genai import _api_client, errors, types
from tests.openai.spans import Seen
from tests.wire.websocket import Script, Socket, Talk
from websockets.exceptions import ConnectionClosed

import agentops_sdk as agentops

MODEL = "gemini-live-2.5-flash"
USAGE = {"promptTokenCount": 12, "responseTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 19}
CONFIG: dict[str, Any] = {
    "response_modalities": ["TEXT"],
    "system_instruction": "Be kind.",
    "tools": [{"function_declarations": [{"name": "weather", "description": "Tells the weather."}]}],
    "temperature": 0.5,
}


def said(*texts: str, **more: Any) -> list[dict[str, Any]]:
    return [{"serverContent": {"modelTurn": {"parts": [{"text": text}]}}, **more} for text in texts]


END = {"serverContent": {"turnComplete": True}, "usageMetadata": USAGE}


@pytest.fixture(autouse=True)
def _plain_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client speaks to Gemini over TLS alone."""

    def url(client: Any, options: Any = None) -> str:
        return str(client._http_options.base_url)

    monkeypatch.setattr(_api_client.BaseApiClient, "_websocket_base_url", url)


def client(url: str) -> genai.Client:
    made = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url.removesuffix("/v1")))
    made._api_client._websocket_ssl_ctx = {}
    return made


def talk(script: Script, ask: Any, config: Any = CONFIG) -> Any:
    async def run() -> Any:
        async with client(socket.url).aio.live.connect(model=MODEL, config=config) as session:
            return await ask(session)

    with Socket(script) as socket:
        return asyncio.run(run())


def begun(talking: Talk) -> dict[str, Any]:
    setup = talking.hear()
    talking.say({"setupComplete": {}})
    return setup


async def ask(session: Any, text: str = "Is it sunny?") -> list[Any]:
    await session.send_client_content(turns={"role": "user", "parts": [{"text": text}]})
    return [message async for message in session.receive()]


def split(spans: list[Seen]) -> tuple[Seen, list[Seen]]:
    """The session, and its answers in order."""
    (session,) = [span for span in spans if span.name == f"live {MODEL}"]
    answers = [span for span in spans if span.name == f"generate_content {MODEL}"]
    assert len(answers) + 1 == len(spans), [span.name for span in spans]
    assert all(answer.span.parent.span_id == session.span.context.span_id for answer in answers)
    return session, answers


def test_an_answer_is_a_model_call_below_its_session(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        begun(talking)
        for _ in range(2):
            talking.hear()
            talking.say(*said("It ", "is."), END)

    async def twice(session: Any) -> Any:
        return [await ask(session), await ask(session, "Really?")]

    first, second = talk(script, twice)
    assert [message.text for message in first[:2]] == ["It ", "is."]
    assert len(second) == 3
    session, answers = split(recorded())
    assert session.outcome == "ok"
    assert session["agentops.realtime.responses"] == 2
    assert [answer.outcome for answer in answers] == ["ok", "ok"]
    one, two = answers
    assert one.text == "It is."
    assert one["gen_ai.provider.name"] == "gcp.gemini"
    assert one["server.address"] == "127.0.0.1"
    assert one["gen_ai.request.temperature"] == 0.5
    assert one["gen_ai.usage.input_tokens"] == 12
    assert one["gen_ai.usage.output_tokens"] == 7
    assert one["gen_ai.response.finish_reasons"] == ["STOP"]
    assert one.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be kind."}]
    assert [each["name"] for each in one.json("gen_ai.tool.definitions")] == ["weather"]
    assert [(each["role"], each["parts"][0]["content"]) for each in two.json("gen_ai.input.messages")] == [
        ("user", "Is it sunny?"),
        ("assistant", "It is."),
        ("user", "Really?"),
    ]


@pytest.mark.parametrize("told", ["with", "behind", "never"])
def test_functions_that_it_calls_end_an_answer_and_their_results_begin_one(told: str, recorded: Any) -> None:
    called = {"toolCall": {"functionCalls": [{"id": "f1", "name": "weather", "args": {"city": "Rome"}}]}}

    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say({**called, "usageMetadata": USAGE} if told == "with" else called)
        if told == "behind":
            talking.say({"usageMetadata": USAGE})
        talking.hear()
        talking.say(*said("Sunny."), END)

    async def asking(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Is it sunny?"}]})
        async for message in session.receive():
            usage_alone = message.usage_metadata and not message.server_content and not message.tool_call
            if usage_alone if told == "behind" else message.tool_call:
                result = {"id": "f1", "name": "weather", "response": {"sky": "clear"}}
                await session.send_tool_response(function_responses=result)

    talk(script, asking)
    _, (calling, answering) = split(recorded())
    assert [calling.outcome, answering.outcome] == ["ok", "ok"]
    assert calling["agentops.usage.source"] == ("estimated" if told == "never" else "reported")
    (message,) = calling.json("gen_ai.output.messages")
    assert message["finish_reason"] == "tool_call"
    assert message["parts"] == [{"type": "tool_call", "id": "f1", "name": "weather", "arguments": {"city": "Rome"}}]
    assert calling["agentops.decision.chosen"] == "weather"
    result = answering.json("gen_ai.input.messages")[-1]
    assert result["parts"][0]["response"] == {"sky": "clear"}
    assert answering.text == "Sunny."


def test_a_model_that_listens_begins_by_itself_and_sound_is_told_by_what_was_said(recorded: Any) -> None:
    sound = {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}}]}}}

    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say(
            {"serverContent": {"inputTranscription": {"text": "Is it "}}},
            {"serverContent": {"inputTranscription": {"text": "sunny?"}}},
            sound, {"serverContent": {"outputTranscription": {"text": "It is."}}}, sound, END,
        )  # fmt: skip

    async def asking(session: Any) -> None:
        await session.send_realtime_input(audio=types.Blob(data=b"\0\0", mime_type="audio/pcm;rate=16000"))
        assert len([message async for message in session.receive()]) == 6

    talk(script, asking, {"response_modalities": ["AUDIO"]})
    _, (answer,) = split(recorded())
    assert answer.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Is it sunny?"}]
    assert answer.text == "It is."
    assert answer["agentops.stream.chunks"] == 4
    assert "AAAA" not in repr(dict(answer.span.attributes))


def test_one_that_is_interrupted_is_cancelled(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say(*said("It "), {"serverContent": {"interrupted": True}}, END)

    talk(script, ask)
    _, (answer,) = split(recorded())
    assert (answer.outcome, answer.text) == ("cancelled", "It ")
    assert answer["gen_ai.usage.output_tokens"] == 7


def test_a_session_that_is_left_leaves_its_answer(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say(*said("It "))
        with pytest.raises(Exception, match=r"."):
            talking.hear()

    async def leaving(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Is it sunny?"}]})
        async for _ in session.receive():
            return

    talk(script, leaving)
    session, (answer,) = split(recorded())
    assert (session.outcome, answer.outcome, answer.text) == ("ok", "abandoned", "It ")


def test_a_connection_that_breaks_ends_both_in_error(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say(*said("It "))
        talking.cut()

    with pytest.raises(errors.APIError):
        talk(script, ask)
    session, (answer,) = split(recorded())
    assert (session.outcome, answer.outcome) == ("error", "error")


def test_a_set_up_that_is_refused_is_told(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        talking.hear()
        talking.connection.close(1007, "no such model")

    with pytest.raises(errors.APIError):
        talk(script, ask)
    session, answers = split(recorded())
    assert (session.outcome, answers) == ("error", [])


def test_a_server_that_is_not_there_is_told(recorded: Any) -> None:
    async def run() -> None:
        async with client("ws://127.0.0.1:1").aio.live.connect(model=MODEL):
            pass

    with pytest.raises(OSError, match=r"."):
        asyncio.run(run())
    span = recorded.one()
    assert (span.name, span.outcome) == ("live.connect", "error")
    assert span["server.port"] == 1


def test_what_the_client_sends_is_what_it_sends_without_us() -> None:
    heard: list[list[Any]] = []

    def script(talking: Talk) -> None:
        heard.append([begun(talking), talking.hear()])
        talking.say(*said("It is."), END)

    import agentops_sdk as agentops

    alone = talk(script, ask)
    agentops.init(exporters=["memory"])
    watched = talk(script, ask)
    agentops.shutdown()
    assert heard[0] == heard[1]
    assert alone == watched


def test_limits_are_asked_before_sound_that_the_model_may_answer(recorded: Any) -> None:
    """It begins by itself, so what it would answer is not sent; a session that has ended holds nothing."""
    heard: list[str] = []

    def script(talking: Talk) -> None:
        begun(talking)
        while (kind := next(iter(talking.hear()), "")) == "realtime_input":
            heard.append(kind)
            if len(heard) % 2 == 0:
                talking.say(*said("It is."), END)

    async def speaks(session: Any) -> None:
        sound = types.Blob(data=bytes(4), mime_type="audio/pcm;rate=16000")
        for _ in range(2):
            await session.send_realtime_input(media=sound)
            await session.send_realtime_input(media=sound)
            assert [message async for message in session.receive()]
        for _ in range(2):
            with pytest.raises(agentops.LimitExceeded):
                await session.send_realtime_input(media=sound)

    with agentops.limits(model_calls=2):
        talk(script, speaks, {"response_modalities": ["TEXT"]})
    assert len(heard) == 4
    _, answers = split(recorded())
    assert [answer.attributes.get("agentops.limit.action") for answer in answers] == [None, None, "refused"]

    async def hears_nothing(session: Any) -> None:
        await session.send_realtime_input(media=types.Blob(data=bytes(4), mime_type="audio/pcm;rate=16000"))

    def silent(talking: Talk) -> None:
        begun(talking)
        talking.hear()

    with agentops.limits(model_calls=1):
        for _ in range(2):
            talk(silent, hears_nothing, {"response_modalities": ["TEXT"]})
    assert [span.name for span in recorded()[-2:]] == [f"live {MODEL}"] * 2


# --- answers that pass a limit -----------------------------------------------------------------------


def sound(seconds: float) -> dict[str, Any]:
    """As much of it: 24,000 samples a second, of two bytes."""
    data = base64.b64encode(bytes(int(seconds * 48_000))).decode()
    return {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": data}}]}}}


def speaking_on(ended: SimpleQueue[str], *messages: dict[str, Any]) -> Script:
    """A server that speaks until the connection is closed, far more than is ever read."""

    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        try:
            for _ in range(2_000):
                talking.say(*messages)
        except ConnectionClosed as error:
            ended.put(type(error).__name__)

    return script


@pytest.mark.parametrize(("on_stream", "outcome"), [("cut", "error"), ("end", "cancelled")])
@pytest.mark.parametrize("kind", ["text", "sound"])
def test_an_answer_that_passes_a_limit_ends_and_the_connection_with_it(
    recorded: Any, on_stream: str, outcome: str, kind: str
) -> None:
    ended: SimpleQueue[str] = SimpleQueue()
    messages = said("and so on and on") if kind == "text" else [sound(0.2)]  # four tokens, and five
    config = {"response_modalities": ["TEXT" if kind == "text" else "AUDIO"]}
    got: list[Any] = []

    async def listens(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Is it sunny?"}]})
        async with asyncio.timeout(20):
            async for message in session.receive():
                got.append(message)

    stopped = pytest.raises(agentops.LimitExceeded, match="a stream, which was cut")
    with agentops.limits(tokens=200, on_stream=on_stream), stopped if on_stream == "cut" else nullcontext():
        talk(speaking_on(ended, *messages), listens, config)
    assert ended.get(timeout=10) == "ConnectionClosedOK"  # the server was told that nobody listens any longer
    assert 10 < len(got) < 60
    assert [bool(message.server_content.turn_complete) for message in got[-2:]] == [False, on_stream == "end"]
    session, (answer,) = split(recorded())
    assert (session.outcome, answer.outcome) == (outcome, outcome)
    assert answer["agentops.limit.action"] == "cut"
    assert 200 < answer["agentops.limit.spent"] < 206
    if kind == "text":
        assert (answer["agentops.usage.source"], answer["agentops.cost.estimated"]) == ("estimated", True)
    else:  # of sound there are no tokens that could be counted
        assert answer["gen_ai.output.type"] == "speech"
        assert "agentops.cost.unknown_reason" in answer.attributes
        assert "agentops.cost.amount" not in answer.attributes
    (decision,) = [event for event in answer.span.events if event.name == "agentops.decision"]
    assert decision.attributes["agentops.decision.by"] == "code"
    assert (answer.attributes.get("error.type") or "").endswith("LimitExceeded") is (on_stream == "cut")


def test_what_is_over_by_then_is_not_cut(recorded: Any) -> None:
    called = {"toolCall": {"functionCalls": [{"id": "f1", "name": "weather", "args": {}}]}}

    def script(talking: Talk) -> None:
        begun(talking)
        talking.hear()
        talking.say(*said("It is. " * 400), END)
        talking.hear()
        talking.say(*said("Well"), called, END)

    async def twice(session: Any) -> None:
        with pytest.raises(agentops.LimitExceeded):  # with its first piece
            await ask(session)

    async def last(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Is it sunny?"}]})
        assert (await anext(session.receive())).text

    with agentops.limits(tokens=100, on_stream="cut"):
        talk(script, twice)
    with agentops.limits(tokens=100, on_stream="cut"):
        talk(script, last)
    assert [span.attributes.get("agentops.limit.action") for span in recorded()] == ["cut", None, None, None]

"""Interactions that are joined over a real WebSocket, and sessions that make music: each is one span."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

pytest.importorskip("google.genai", reason="needs google-genai")
pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
from google import genai
from google.genai import _api_client, types
from tests.wire.websocket import Script, Socket, Talk

USAGE = {"total_input_tokens": 12, "total_output_tokens": 5, "total_thought_tokens": 2, "total_tokens": 19}
STEPS: list[dict[str, Any]] = [
    {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
    {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Sun"}},
    {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "ny."}},
    {"event_type": "step.stop", "index": 0},
]
COMPLETED = {"event_type": "interaction.completed", "usage": USAGE}
pytestmark = pytest.mark.filterwarnings("ignore:.*experimental")


@pytest.fixture(autouse=True)
def _plain_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client speaks to Gemini over TLS alone."""

    def url(client: Any, options: Any = None) -> str:
        return str(client._http_options.base_url).replace("http://", "ws://")

    monkeypatch.setattr(_api_client.BaseApiClient, "_websocket_base_url", url)


def client(url: str) -> Any:
    base = url.removesuffix("/v1").replace("ws://", "http://")
    return genai.Client(api_key="none", http_options=types.HttpOptions(base_url=base))


# --- interactions ----------------------------------------------------------------------------------

joins = pytest.mark.skipif(
    tuple(map(int, genai.__version__.split(".")[:2])) < (3, 6), reason=f"google-genai {genai.__version__} has no such"
)
_idents = iter(range(1_000_000))


def join(script: Script, ask: Any) -> tuple[str, Any]:
    ident = f"int_{next(_idents)}"

    async def run(url: str) -> Any:
        async with client(url).aio.interactions.connect(ident) as connection:
            return await ask(connection)

    with Socket(script) as socket:
        return ident, asyncio.run(run(socket.url))


def joined(talking: Talk) -> None:
    assert talking.hear()["event_type"] == "interaction.connect"
    talking.say({"event_type": "interaction.connected"})


def heard(talking: Talk) -> None:
    joined(talking)
    talking.hear()


async def ask(connection: Any) -> list[Any]:
    await connection.send("Paris?")
    return [event async for event in connection.receive()]


@joins
@pytest.mark.parametrize("batched", [False, True])
def test_an_interaction_is_one_model_call(recorded: Any, batched: bool) -> None:
    def script(talking: Talk) -> None:
        heard(talking)
        talking.say(*([{"events": [*STEPS, COMPLETED]}] if batched else [*STEPS, COMPLETED]))

    ident, events = join(script, ask)
    assert [event.event_type for event in events[1:]] == [each["event_type"] for each in (*STEPS, COMPLETED)]
    span = recorded.one()
    assert (span.name, span.outcome, span.text) == ("generate_content", "ok", "Sunny.")
    assert span["gen_ai.provider.name"] == "gcp.gemini"
    assert (span["server.address"], span["agentops.usage.of"]) == ("127.0.0.1", ident)
    assert span.json("gen_ai.input.messages") == [{"role": "user", "parts": [{"type": "text", "content": "Paris?"}]}]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (12, 7)


@joins
def test_ways_out_of_an_interaction(recorded: Any) -> None:
    def script(talking: Talk) -> None:
        heard(talking)
        talking.say(*STEPS[:2])
        talking.hear()  # that its program leaves

    async def two(connection: Any) -> None:
        await connection.send("Paris?")
        events = connection.receive()
        for _ in range(3):
            await anext(events)

    async def cancel(connection: Any) -> None:
        await two(connection)
        await connection.cancel()

    join(script, two)
    left = recorded.one()
    assert (left.outcome, left.text) == ("abandoned", "Sun")
    join(script, cancel)
    cancelled = recorded.one()
    assert (cancelled.outcome, cancelled.text) == ("cancelled", "Sun")

    def cut(talking: Talk) -> None:
        heard(talking)
        talking.say(*STEPS[:2])
        talking.cut()

    with pytest.raises(Exception) as caught:
        join(cut, ask)
    assert type(caught.value).__name__ == "APIWebSocketError"
    lost = recorded.one()
    assert (lost.outcome, lost.text) == ("error", "Sun")
    with Socket(script) as socket:
        nowhere = socket.url

    async def connect() -> None:
        async with client(nowhere).aio.interactions.connect("int_none"):
            pass

    with pytest.raises(Exception, match="setup failed"):
        asyncio.run(connect())
    assert recorded.one().outcome == "error"


# --- music -----------------------------------------------------------------------------------------


def test_a_session_of_music_is_one_span(recorded: Any) -> None:
    sound = {"serverContent": {"audioChunks": [{"data": base64.b64encode(b"la").decode(), "mimeType": "audio/l16"}]}}

    def script(talking: Talk) -> None:
        assert "setup" in talking.hear()
        talking.say({"setupComplete": {}})
        for _ in range(2):
            talking.hear()
        talking.say(sound, sound)
        talking.hear()

    async def run(url: str) -> None:
        async with client(url).aio.live.music.connect(model="models/lyria-realtime-exp") as session:
            await session.set_weighted_prompts([types.WeightedPrompt(text="minimal techno", weight=1.0)])
            await session.play()
            messages = session.receive()
            assert [(await anext(messages)).server_content is not None for _ in range(2)] == [True, True]
            await session.pause()

    with Socket(script) as socket:
        asyncio.run(run(socket.url))
    span = recorded.one()
    assert (span.name, span.outcome) == ("live_music lyria-realtime-exp", "ok")
    assert (span["gen_ai.provider.name"], span["agentops.stream.chunks"]) == ("gcp.gemini", 2)
    asked = span.json("agentops.input")
    assert asked[0]["clientContent"]["weightedPrompts"][0]["text"] == "minimal techno"
    assert asked[1:] == [{"playbackControl": "PLAY"}, {"playbackControl": "PAUSE"}]

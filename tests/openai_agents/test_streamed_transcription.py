"""The voice pipeline's streamed transcription, over a socket of the SDK's own: each turn a model call, under limits."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")
pytest.importorskip("agents.voice", reason="openai-agents is not installed")
pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
import openai
from agents import trace
from agents.voice import OpenAISTTModel, StreamedAudioInput, STTModelSettings
from tests.wire.websocket import Socket, Talk

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

np: Any = import_module("numpy")
_SECONDS = {"type": "duration", "seconds": 3}
_TOKENS = {"type": "tokens", "total_tokens": 22, "input_tokens": 13, "output_tokens": 9}
_HEARD = "conversation.item.input_audio_transcription"


def _writes_down(heard: list[str], usage: dict[str, Any] = _TOKENS, *, fails: bool = False) -> Any:
    """Takes each two pieces of sound for a turn."""

    def script(talk: Talk) -> None:
        talk.say({"type": "session.created", "session": {"type": "transcription"}})
        while True:
            kind = talk.hear()["type"]
            heard.append(kind)
            count = heard.count("input_audio_buffer.append")
            if kind == "session.update":
                talk.say({"type": "session.updated", "session": {"type": "transcription"}})
            elif kind == "input_audio_buffer.append" and count % 2 == 0:
                item = f"i{count // 2}"
                talk.say({"type": "input_audio_buffer.committed", "item_id": item})
                talk.say({"type": f"{_HEARD}.delta", "item_id": item, "delta": "turn "})
                if fails:
                    talk.say({"type": f"{_HEARD}.failed", "item_id": item, "error": {"code": "audio_unintelligible"}})
                    continue
                text = f"turn {count // 2}"
                talk.say({"type": f"{_HEARD}.completed", "item_id": item, "transcript": text, "usage": usage})
            elif kind == "input_audio_buffer.clear":
                talk.say({"type": "input_audio_buffer.cleared"})

    return script


async def _listened(url: str, turns: int = 2, *, shows: bool = True, texts: list[str] | None = None) -> list[str]:
    client = openai.AsyncOpenAI(api_key="none", base_url=url, websocket_base_url=url)
    sound: Any = StreamedAudioInput()  # type: ignore[no-untyped-call]  # the SDK gives no type
    model = OpenAISTTModel("gpt-4o-transcribe", client)
    session = await model.create_session(sound, STTModelSettings(), shows, False)
    texts = [] if texts is None else texts

    async def speak(pieces: int = 2) -> None:
        for _ in range(pieces):
            await sound.add_audio(np.zeros(240, dtype=np.int16))

    async with asyncio.timeout(20):
        await speak(2 if turns else 1)
        if not turns:
            await sound.add_audio(None)
        async for text in session.transcribe_turns():
            texts.append(text)
            await (speak() if len(texts) < turns else sound.add_audio(None))
    return texts


@pytest.fixture
def exporter() -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    return exporter


def _calls(exporter: MemoryExporter) -> list[dict[str, Any]]:
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    spans: list[Any] = list(exporter.finished_spans())
    calls = [span for span in spans if span.name.endswith("gpt-4o-transcribe")]
    turns = {span.context.span_id for span in spans if span.name == "transcription"}
    assert {span.parent.span_id for span in calls} <= turns
    return [dict(span.attributes or {}) for span in calls]


@pytest.mark.parametrize("usage", [_TOKENS, _SECONDS], ids=lambda usage: str(usage["type"]))
def test_each_turn_is_a_model_call(exporter: MemoryExporter, usage: dict[str, Any]) -> None:
    with Socket(_writes_down([], usage)) as socket, trace("voice"):
        assert asyncio.run(_listened(str(socket.url))) == ["turn 1", "turn 2"]
    calls = _calls(exporter)
    assert [each["agentops.outcome"] for each in calls] == ["ok", "ok"]
    assert ["turn 1" in each["gen_ai.output.messages"] for each in calls] == [True, False]
    if usage is _TOKENS:
        assert [each["gen_ai.usage.output_tokens"] for each in calls] == [9, 9]
        assert all(each["agentops.cost.amount"] > 0 for each in calls)
    else:
        assert [each["agentops.usage.audio_seconds"] for each in calls] == [3, 3]


def test_what_is_private_and_what_fails(exporter: MemoryExporter) -> None:
    with Socket(_writes_down([])) as socket, trace("voice"):
        asyncio.run(_listened(str(socket.url), 1, shows=False))
    with Socket(_writes_down([], fails=True)) as socket, trace("voice"), pytest.raises(Exception, match="failed"):
        asyncio.run(_listened(str(socket.url)))
    private, failed = _calls(exporter)
    assert "turn" not in str(private)
    assert (failed["agentops.outcome"], failed["error.type"]) == ("error", "audio_unintelligible")


def test_a_limit_refuses_sound_of_a_further_turn(exporter: MemoryExporter) -> None:
    heard: list[str] = []
    texts: list[str] = []

    stopped = pytest.raises(agentops.LimitExceeded, match="1 model call")
    with Socket(_writes_down(heard)) as socket, trace("voice"), agentops.limits(model_calls=1), stopped:
        asyncio.run(_listened(str(socket.url), texts=texts))
    assert texts == ["turn 1"]
    assert heard.count("input_audio_buffer.append") == 2
    assert [each.get("agentops.limit.action") for each in _calls(exporter)] == [None, "refused"]


def test_sound_that_makes_no_turn_counts_as_none(exporter: MemoryExporter) -> None:
    with trace("voice"), agentops.limits(model_calls=1):
        with Socket(_writes_down([])) as socket:
            assert asyncio.run(_listened(str(socket.url), 0)) == []
        with Socket(_writes_down([])) as socket:
            assert asyncio.run(_listened(str(socket.url), 1)) == ["turn 1"]
    assert len(_calls(exporter)) == 1

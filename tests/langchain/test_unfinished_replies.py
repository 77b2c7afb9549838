"""A model's stream that is left or dies in LangChain decides nothing, whoever's client is below."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from tests.openai.bodies import TOOLS, USAGE_CHUNK, chunk
from tests.wire.http import CUT, Reply, Wire, event_of, sse

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


@pytest.fixture
def span_of_model() -> Iterator[Any]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    def one() -> dict[str, Any]:
        assert agentops.flush(10).remaining == 0
        (span,) = [span for span in exporter.finished_spans() if span.attributes["agentops.kind"] == "llm"]
        exporter.clear()
        return dict(span.attributes or {})

    yield one
    agentops.shutdown()


class Scripted(BaseChatModel):
    """Streams the given pieces, then raises, if it is to."""

    pieces: Sequence[AIMessageChunk]
    error: type[Exception] | None = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Done."))])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self.pieces:
            yield ChatGenerationChunk(message=piece)
        if self.error is not None:
            raise self.error("down")


def _calls(*arguments: str, name: str | None = "weather") -> list[AIMessageChunk]:
    return [
        AIMessageChunk(
            "",
            tool_call_chunks=[
                {
                    "name": name if not place else None,
                    "args": text,
                    "id": None if place else "c1",
                    "index": 0,
                }
            ],
        )
        for place, text in enumerate(arguments)
    ]


TALK = [AIMessageChunk("I will "), AIMessageChunk("see.")]
END = AIMessageChunk("", response_metadata={"finish_reason": "stop"})


@pytest.mark.parametrize(
    ("pieces", "read", "chosen"),
    [
        (TALK, 1, None),
        (_calls('{"city": "Ro', 'me"}'), 1, None),
        ([*_calls('{"city": "Ro', 'me"}'), *TALK], 2, "weather"),
        ([*TALK, END, AIMessageChunk("")], 3, "answer"),
        (TALK, None, "answer"),
        (_calls('{"city": "Rome"}'), None, "weather"),
    ],
)
def test_a_stream_that_is_left(span_of_model: Any, pieces: Any, read: int | None, chosen: str | None) -> None:
    stream = Scripted(pieces=[*pieces, *TALK] if read else pieces).bind(tools=TOOLS).stream("Weather?")
    for number, _ in enumerate(stream, 1):
        if number == read:
            stream.close()  # type: ignore[attr-defined]  # a generator, declared as an iterator
            break
    span = span_of_model()
    assert span.get("agentops.decision.chosen") == chosen
    if read and chosen != "answer":
        assert "finish_reason" not in json.loads(span["gen_ai.output.messages"])[0]


def test_a_stream_that_dies(span_of_model: Any) -> None:
    for pieces, chosen in ((TALK, None), (_calls('{"ci'), None), (_calls("{}"), "weather")):
        with pytest.raises(ConnectionError):
            list(Scripted(pieces=pieces, error=ConnectionError).bind(tools=TOOLS).stream("Weather?"))
        span = span_of_model()
        assert span["agentops.outcome"] == "error"
        assert span.get("agentops.decision.chosen") == chosen


def test_torn_arguments_are_told_as_they_came(span_of_model: Any) -> None:
    with pytest.raises(ConnectionError):
        list(Scripted(pieces=_calls('{"city": "Ro'), error=ConnectionError).bind(tools=TOOLS).stream("Weather?"))
    [part] = json.loads(span_of_model()["gen_ai.output.messages"])[0]["parts"]
    assert (part["name"], part["arguments"]) == ("weather", '{"city": "Ro')


CHUNKS = [chunk({"role": "assistant", "content": "I "}), chunk({"content": "see"}), chunk({}, "stop"), USAGE_CHUNK]


@pytest.mark.parametrize("way", ["left", "cut", "ended without a word", "failed", "finished"])
def test_openai_below(span_of_model: Any, way: str) -> None:
    pieces = [event_of(piece) for piece in CHUNKS[:2]]
    replies = {
        "left": sse(*CHUNKS),
        "cut": Reply(stream=[*pieces, 0.05, CUT], content_type="text/event-stream"),
        "ended without a word": Reply(stream=pieces, content_type="text/event-stream"),
        "failed": sse(*CHUNKS[:2], chunk({}, "error"), USAGE_CHUNK),
        "finished": sse(*CHUNKS),
    }
    with Wire(replies[way]) as wire:
        model = ChatOpenAI(model="gpt-4o", base_url=wire.url, api_key="none", max_retries=0)  # type: ignore[arg-type]  # pydantic's SecretStr takes text
        stream = model.bind_tools(TOOLS).stream("Weather?")
        try:
            for _ in stream:
                if way == "left":
                    stream.close()  # type: ignore[attr-defined]  # a generator, declared as an iterator
                    break
        except Exception:
            if way != "cut":
                raise
    span = span_of_model()
    assert span.get("agentops.decision.chosen") == ("answer" if way == "finished" else None)
    outcomes = {"left": "abandoned", "cut": "error", "failed": "error"}  # the second is told LangChain, the third not
    assert span["agentops.outcome"] == outcomes.get(way, "ok")

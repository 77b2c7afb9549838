"""Chats, cost, refusals, embeddings, what has no row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.mistral.clients import ASKED, MODEL, USAGE, client, package, whole
from tests.openai_dialect.clients import TOOLS, event
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


def test_a_whole_reply(recorded: Any) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    with Wire(Reply(whole({"content": "", "tool_calls": [call]}))) as wire, client(wire.url) as asking:
        asking.chat.complete(**ASKED, tools=TOOLS, temperature=0.5, random_seed=3)
        port = wire.port
    span = recorded.one()
    assert span.name == f"chat {MODEL}"
    assert span["gen_ai.provider.name"] == "mistral_ai"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert (span["gen_ai.request.temperature"], span["gen_ai.request.seed"]) == (0.5, 3)
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span["agentops.decision.chosen"] == "weather"


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        # by the million: 0.15 in, 0.015 cached, 0.60 out
        (USAGE, 1000 * 0.15 + 200 * 0.60),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}, 600 * 0.15 + 400 * 0.015 + 200 * 0.60),
    ],
)
def test_cost(usage: Any, dollars: float, recorded: Any) -> None:
    with Wire(Reply(whole({"content": "Sunny."}, usage))) as wire, client(wire.url) as asking:
        asking.chat.complete(**ASKED)
    assert float(recorded.one()["agentops.cost.amount"]) == pytest.approx(dollars / 1e6, rel=1e-9)


def test_a_refused_request(recorded: Any) -> None:
    with Wire(Reply({"message": "no such model", "code": "1500"}, 400)) as wire, client(wire.url) as asking:
        with pytest.raises(package().errors.SDKError):
            asking.chat.complete(**ASKED)
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "400")
        with pytest.raises(package().errors.SDKError):
            asking.chat.stream(**ASKED)
        assert recorded.one().outcome == "error"


@pytest.mark.parametrize("body", ["{no json", "", [], {"choices": [{"index": "no"}]}])
def test_a_good_reply_that_the_client_cannot_read(body: Any, recorded: Any) -> None:
    async def ask(url: str) -> None:
        async with client(url) as asking:
            await asking.embeddings.create_async(model="mistral-embed", inputs=["a text"])

    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        with pytest.raises(package().errors.ResponseValidationError):
            asking.chat.complete(**ASKED)
        span = recorded.one()
        assert (span.outcome, span["error.type"].rpartition(".")[2]) == ("error", "ResponseValidationError")
        with pytest.raises(package().errors.ResponseValidationError):
            asyncio.run(ask(wire.url))
        assert recorded.one().outcome == "error"


OTHERS: dict[str, Callable[[Any], Any]] = {
    "text_completion codestral-latest": lambda asking: asking.fim.complete(model="codestral-latest", prompt="def "),
    "chat": lambda asking: asking.agents.complete(agent_id="a", messages=ASKED["messages"]),
    "ocr.create": lambda asking: asking.ocr.process(
        model="mistral-ocr-latest", document={"type": "document_url", "document_url": "https://example.com/a.pdf"}
    ),
    "moderations.create": lambda asking: asking.classifiers.moderate(model="mistral-moderation", inputs=["a text"]),
    "classifications.create": lambda asking: asking.classifiers.classify(model="mine", inputs=["a text"]),
    "generate_content voxtral-mini-latest": lambda asking: asking.audio.transcriptions.complete(
        model="voxtral-mini-latest", file={"file_name": "a.mp3", "content": b"abc"}
    ),
    "chat mistral-small-latest": lambda asking: asking.beta.conversations.start(model=MODEL, inputs="Hi"),
    "files.create": lambda asking: asking.files.upload(file={"file_name": "a.jsonl", "content": b"abc"}),
    "batch.jobs.create": lambda asking: asking.batch.jobs.create(
        model=MODEL, endpoint="/v1/chat/completions", input_files=["f"]
    ),
    "models.retrieve": lambda asking: asking.models.retrieve(model_id="mistral-embed"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_method_ends_as_its_caller_sees_it(name: str, recorded: Any) -> None:
    replies = (Reply("{no json"), Reply({"object": "error", "message": "no"}, 400))
    for reply, kind in zip(replies, ("ResponseValidationError", "400"), strict=True):
        with Wire(reply) as wire, client(wire.url) as asking:
            with pytest.raises(package().errors.MistralError):
                OTHERS[name](asking)
            span = recorded.one()
            assert (span.name, span.outcome, span["error.type"].rpartition(".")[2]) == (name, "error", kind)


def test_a_stream_that_is_none_and_a_reply_that_is_not_what_was_asked_for(recorded: Any) -> None:
    from pydantic import BaseModel, ValidationError

    class Weather(BaseModel):
        degrees: int

    with Wire(Reply(whole({"content": '{"degrees": "sunny"}'}))) as wire, client(wire.url) as asking:
        for ask, error in (
            (lambda: asking.chat.stream(**ASKED), package().errors.SDKError),
            (lambda: asking.chat.parse(Weather, **ASKED), ValidationError),
        ):
            with pytest.raises(error):
                ask()
            span = recorded.one()
            assert (span.outcome, span["error.type"].rpartition(".")[2]) == ("error", error.__name__)
            assert span["gen_ai.usage.input_tokens"] == 1000, "which were spent all the same"
    with Wire(Reply(whole({"content": '{"degrees": 20}'}))) as wire, client(wire.url) as asking:
        asking.chat.parse(Weather, **ASKED)
    assert recorded.one().outcome == "ok"


def test_embeddings(recorded: Any) -> None:
    body = {
        "id": "1", "object": "list", "model": "mistral-embed", "usage": {**USAGE, "prompt_tokens": 3},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 8}],
    }  # fmt: skip
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.embeddings.create(model="mistral-embed", inputs=["a text"])
    span = recorded.one()
    assert span.name == "embeddings mistral-embed"
    assert span["gen_ai.embeddings.dimension.count"] == 8
    assert span.json("agentops.input") == ["a text"]


@pytest.mark.parametrize("annotated", [False, True])
def test_pages_are_what_ocr_costs(annotated: bool, recorded: Any) -> None:
    page = {"index": 0, "markdown": "Sunny.", "images": [], "dimensions": None}
    body = {"pages": [page], "model": "mistral-ocr-2512", "usage_info": {"pages_processed": 5, "doc_size_bytes": 9}}
    asked: dict[str, Any] = {"document": {"type": "document_url", "document_url": "https://example.com/a.pdf"}}
    if annotated:
        asked["document_annotation_format"] = {"type": "json_object"}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.ocr.process(model="mistral-ocr-latest", **asked)
    span = recorded.one()
    assert (span.name, span["gen_ai.response.model"]) == ("ocr.create", "mistral-ocr-2512")
    if annotated:
        assert span["agentops.usage.annotated_pages"] == 5
    assert span["agentops.usage.pages"] == 5
    assert span["agentops.cost.amount"] == pytest.approx(5 * (3 if annotated else 2) / 1000)


def test_speech_and_its_text(recorded: Any) -> None:
    usage = {"prompt_audio_seconds": 3, "prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}
    heard = {"text": "Sunny.", "model": "voxtral-mini-2507", "language": "en", "segments": [], "usage": usage}
    pieces = [
        b"event: %b\n%b" % (kind.encode(), event({"type": kind, **told}))
        for kind, told in (
            ("transcription.text.delta", {"text": "Sun"}),
            ("transcription.text.delta", {"text": "ny."}),
            ("transcription.done", heard),
        )
    ]
    file = {"file_name": "a.mp3", "content": b"abc"}
    with Wire(Reply(heard), Reply(stream=pieces, content_type="text/event-stream")) as wire, client(wire.url) as asking:
        asking.audio.transcriptions.complete(model="voxtral-mini-latest", file=file)
        with asking.audio.transcriptions.stream(model="voxtral-mini-latest", file=file) as events:
            next(events)
    whole, left = recorded()
    assert {span["agentops.kind"] for span in (whole, left)} == {"llm"}
    assert (whole.text, left.text) == ("Sunny.", "Sun")
    assert (whole["gen_ai.response.model"], whole["gen_ai.usage.input_tokens"]) == ("voxtral-mini-2507", 4)
    assert left.outcome == "abandoned"


def test_what_has_no_row_is_recorded_by_its_path(recorded: Any) -> None:
    with Wire(Reply({"object": "list", "data": []})) as wire, client(wire.url) as asking:
        asking.models.list()
    assert recorded.one().name == "models.list"


def test_nothing_is_left_patched() -> None:
    from mistralai.client import basesdk
    from mistralai.client.utils import eventstreaming

    places: list[tuple[Any, str]] = [
        (basesdk.BaseSDK, "do_request"), (basesdk.BaseSDK, "do_request_async"),
        (eventstreaming, "stream_events"), (eventstreaming, "stream_events_async"),
    ]  # fmt: skip
    before = [vars(owner)[name] for owner, name in places]
    agentops.init(exporters=["memory"], integrations=["mistral"])
    assert all(vars(owner)[name] is not then for (owner, name), then in zip(places, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)[name] is then for (owner, name), then in zip(places, before, strict=True))

"""Whole replies, functions that the client calls by itself, cost, refusals, Vertex AI, and what is beside content."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.google_genai.clients import MODEL, async_client, client, event, package, reply
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


CONFIG: dict[str, Any] = {
    "system_instruction": "Be brief.",
    "temperature": 0.5,
    "top_k": 3,
    "max_output_tokens": 100,
    "response_mime_type": "application/json",
    "tools": [{"function_declarations": [{"name": "weather", "description": "tells it"}]}],
}
CALL = {"functionCall": {"id": "f1", "name": "weather", "args": {"city": "Paris"}}}


def test_a_whole_reply(recorded: Any) -> None:
    thought = {"text": "I should look.", "thought": True}
    with Wire(Reply(reply(thought, CALL))) as wire, client(wire.url) as asking:
        asking.models.generate_content(model=MODEL, contents="What is the weather in Paris?", config=CONFIG)
        port = wire.port
    span = recorded.one()
    assert span.name == f"generate_content {MODEL}"
    assert span["gen_ai.provider.name"] == "gcp.gemini"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert span["gen_ai.request.temperature"] == 0.5
    assert span["gen_ai.request.top_k"] == 3
    assert span["gen_ai.request.max_tokens"] == 100
    assert span["gen_ai.output.type"] == "json"
    assert span.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert span.json("gen_ai.tool.definitions")[0]["name"] == "weather"
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span.output[0]["finish_reason"] == "tool_call"
    assert list(span["gen_ai.response.finish_reasons"]) == ["STOP"]
    assert span["agentops.decision.chosen"] == "weather"
    assert span["gen_ai.usage.input_tokens"] == 1100
    assert span["gen_ai.usage.output_tokens"] == 250
    assert span["gen_ai.usage.cache_read.input_tokens"] == 400
    assert span["gen_ai.usage.reasoning.output_tokens"] == 50


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        # by the million: input, cached input, output with its thoughts
        ("gemini-2.5-flash", 700 * 0.30 + 400 * 0.03 + 250 * 2.50),
        ("gemini-2.5-pro", 700 * 1.25 + 400 * 0.125 + 250 * 10),
    ],
)
def test_cost(model: str, dollars: float, recorded: Any) -> None:
    body = {**reply({"text": "Sunny."}), "modelVersion": model}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.models.generate_content(model=model, contents="Hi")
    assert float(recorded.one()["agentops.cost.amount"]) == pytest.approx(dollars / 1e6, rel=1e-9)


def weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"sunny in {city}"


def answers() -> list[Reply]:
    return [Reply(reply(CALL)), Reply(reply({"text": "Sunny."}))]


def streams() -> list[Reply]:
    bodies = (reply(CALL), reply({"text": "Sunny."}))
    return [Reply(stream=[event(body)], content_type="text/event-stream") for body in bodies]


def called_by_the_client(recorded: Any) -> None:
    spans = recorded()
    outer = next(span for span in spans if span.name == "automatic_function_calling")
    inner = [span for span in spans if span.name == f"generate_content {MODEL}"]
    assert len(spans) == 3
    assert [span.calls for span in inner] == [[("weather", {"city": "Paris"})], []]
    assert {span.span.parent.span_id for span in inner} == {outer.span.context.span_id}
    assert [span["gen_ai.usage.input_tokens"] for span in inner] == [1100, 1100]
    assert not [name for name in outer.attributes if name.startswith(("gen_ai.usage", "agentops.cost"))]
    assert outer.outcome == "ok"


def test_functions_that_the_client_calls(recorded: Any) -> None:
    with Wire(*answers()) as wire, client(wire.url) as asking:
        result = asking.models.generate_content(model=MODEL, contents="Paris?", config={"tools": [weather]})
        assert result.text == "Sunny."
    called_by_the_client(recorded)


def test_functions_that_the_client_calls_in_a_stream(recorded: Any) -> None:
    with Wire(*streams()) as wire, client(wire.url) as asking:
        chunks = asking.models.generate_content_stream(model=MODEL, contents="Paris?", config={"tools": [weather]})
        assert [chunk.text for chunk in chunks if chunk.text] == ["Sunny."]
    called_by_the_client(recorded)


def test_functions_that_the_client_calls_asynchronously(recorded: Any) -> None:
    async def run(wire: Wire, streamed: bool) -> None:
        async with async_client(wire.url) as asking:
            asked: dict[str, Any] = {"model": MODEL, "contents": "Paris?", "config": {"tools": [weather]}}
            if streamed:
                async for _ in await asking.models.generate_content_stream(**asked):
                    pass
            else:
                await asking.models.generate_content(**asked)

    for replies, streamed in ((answers(), False), (streams(), True)):
        with Wire(*replies) as wire:
            asyncio.run(run(wire, streamed))
        called_by_the_client(recorded)


def test_a_chat_is_one_span_a_turn(recorded: Any) -> None:
    with Wire(Reply(reply({"text": "Sunny."}))) as wire, client(wire.url) as asking:
        chat = asking.chats.create(model=MODEL)
        chat.send_message("Paris?")
        chat.send_message("And Rome?")
    first, second = recorded()
    assert len(first.json("gen_ai.input.messages")) == 1
    assert [message["role"] for message in second.json("gen_ai.input.messages")] == ["user", "assistant", "user"]


def test_a_prompt_that_is_blocked(recorded: Any) -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.models.generate_content(model=MODEL, contents="Hi", config={"tools": CONFIG["tools"]})
    span = recorded.one()
    assert list(span["gen_ai.response.finish_reasons"]) == ["SAFETY"]
    assert "agentops.decision.chosen" not in span.attributes
    assert "gen_ai.output.messages" not in span.attributes


def test_a_refused_request(recorded: Any) -> None:
    refusal = Reply({"error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}}, 404)
    with Wire(refusal) as wire, client(wire.url) as asking, pytest.raises(package().errors.ClientError):
        asking.models.generate_content(model="none", contents="Hi")
    span = recorded.one()
    assert (span.outcome, span["error.type"]) == ("error", "google.genai.errors.ClientError")


def test_media_and_results_of_functions(recorded: Any) -> None:
    from google.genai import types

    contents = [
        types.Content(role="user", parts=[
            types.Part.from_bytes(data=b"1234", mime_type="image/png"),
            types.Part.from_uri(file_uri="gs://bucket/a.pdf", mime_type="application/pdf"),
        ]),
        types.Content(role="model", parts=[types.Part.from_function_call(name="weather", args={"city": "Paris"})]),
        types.Content(role="user", parts=[types.Part.from_function_response(name="weather", response={"sky": "blue"})]),
    ]  # fmt: skip
    with Wire(Reply(reply({"text": "Sunny."}))) as wire, client(wire.url) as asking:
        asking.models.generate_content(model=MODEL, contents=contents)
    question, call, result = recorded.one().json("gen_ai.input.messages")
    assert [part["type"] for part in question["parts"]] == ["blob", "uri"]
    assert [part["modality"] for part in question["parts"]] == ["image", "document"]
    assert (call["role"], call["parts"][0]["name"]) == ("assistant", "weather")
    assert (result["role"], result["parts"][0]["response"]) == ("tool", {"sky": "blue"})


def test_embeddings(recorded: Any) -> None:
    body = {"embeddings": [{"values": [0.5] * 8}], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.models.embed_content(model="gemini-embedding-001", contents="a text")
    span = recorded.one()
    assert span.name == "embeddings gemini-embedding-001"
    assert span["gen_ai.embeddings.dimension.count"] == 8
    assert span.json("agentops.input") == "a text"
    assert span["gen_ai.usage.input_tokens"] == 3
    assert float(span["agentops.cost.amount"]) == pytest.approx(3 * 0.15 / 1e6)


def _on_vertex(url: str) -> Any:
    from google import genai
    from google.oauth2.credentials import Credentials

    http = {"base_url": url.removesuffix("/v1")}
    there = {"vertexai": True, "project": "project", "location": "global", "credentials": Credentials(token="none")}
    return genai.Client(http_options=http, **there)


@pytest.mark.filterwarnings("ignore:The generate_images method is deprecated")
def test_predictions_are_vectors_pictures_or_films(recorded: Any) -> None:
    told = {"truncated": False, "token_count": 3}
    vectors = {"predictions": [{"embeddings": {"values": [0.5] * 8, "statistics": told}}] * 2}
    with Wire(Reply(vectors)) as wire, _on_vertex(wire.url) as asking:
        asking.models.embed_content(model="text-embedding-005", contents=["a text", "another"])
        assert wire.requests[0].path.endswith(":predict")
    span = recorded.one()
    assert (span.name, span["agentops.kind"]) == ("embeddings text-embedding-005", "embedding")
    assert span["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.embeddings.dimension.count"]) == (6, 8)
    assert span.json("agentops.input") == ["a text", "another"]
    pictures = {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "aGk="}]}
    with Wire(Reply(pictures)) as wire, _on_vertex(wire.url) as asking:
        made = asking.models.generate_images(model="imagen-4.0", prompt="a cat")
        assert made.generated_images[0].image.image_bytes == b"hi"
    span = recorded.one()
    assert (span.name, span["agentops.kind"], span["gen_ai.output.type"]) == (
        "generate_content imagen-4.0", "llm", "image",
    )  # fmt: skip
    assert span.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "a cat"}]
    assert span.parts[0]["modality"] == "image"
    assert "agentops.cost.amount" not in span.attributes
    assert span["agentops.cost.unknown_reason"]
    with Wire(Reply({"name": "operations/1"})) as wire, _on_vertex(wire.url) as asking:
        asking.models.generate_videos(model="veo-3.0", source={"prompt": "a cat"})
    span = recorded.one()
    assert (span.name, span["agentops.kind"], span["gen_ai.response.id"]) == (
        "generate_content veo-3.0", "llm", "operations/1",
    )  # fmt: skip


def test_counting_tokens_uses_none(recorded: Any) -> None:
    with Wire(Reply({"totalTokens": 14})) as wire, client(wire.url) as asking:
        asking.models.count_tokens(model=MODEL, contents="a text")
    span = recorded.one()
    assert span.name == "count_tokens"
    assert not [name for name in span.attributes if name.startswith(("gen_ai.usage", "agentops.cost"))]


def test_what_has_no_row_is_recorded_by_its_path(recorded: Any) -> None:
    with Wire(Reply({"models": []})) as wire, client(wire.url) as asking:
        list(asking.models.list())
        asking.caches.list()
    assert [span.name for span in recorded()] == ["models.list", "cachedContents.list"]


def test_files_are_recorded_by_what_is_done_with_them(recorded: Any, tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("Sunny.")

    def answer(request: Any) -> Reply:
        if request.path.startswith("/upload/"):
            there = f"{wire.url.removesuffix('/v1')}/put"
            return Reply({"file": {"name": "files/abc"}}, headers={"x-goog-upload-url": there})
        if request.path == "/put":
            return Reply({"file": {"name": "files/abc"}}, headers={"x-goog-upload-status": "final"})
        return Reply({"files": [{"name": "files/abc"}]} if request.path.endswith("/files") else {"name": "files/abc"})

    with Wire(answer) as wire, client(wire.url) as asking:
        asking.files.upload(file=tmp_path / "a.txt")
        asking.files.get(name="files/abc")
        list(asking.files.list())
        asking.files.delete(name="files/abc")
    assert [span.name for span in recorded()] == ["files.create", "files.retrieve", "files.list", "files.delete"]


def test_nothing_is_left_patched() -> None:
    from google.genai import _api_client, models

    places = [
        *((_api_client.BaseApiClient, name) for name in ("request", "request_streamed", "async_request")),
        *((models.Models, name) for name in ("generate_content", "generate_content_stream")),
        *((models.AsyncModels, name) for name in ("generate_content", "generate_content_stream")),
    ]
    before = [vars(owner)[name] for owner, name in places]
    agentops.init(exporters=["memory"], integrations=["google_genai"])
    assert all(vars(owner)[name] is not then for (owner, name), then in zip(places, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)[name] is then for (owner, name), then in zip(places, before, strict=True))

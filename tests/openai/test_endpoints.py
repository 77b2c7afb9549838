"""Every other endpoint, known or not: one span, the right name, and never a failure."""

from __future__ import annotations

import warnings
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai
import pytest
from tests.openai import bodies
from tests.openai.test_chat import aclient, client
from tests.wire.http import Reply, Wire, sse

from agentops_integrations.openai.endpoints import ENDPOINTS
from agentops_sdk.integration.clients import provider_of, takes_stream_options


def test_embeddings(recorded: Any) -> None:
    with Wire(Reply(bodies.EMBEDDINGS)) as wire:
        asking = client(wire)
        reply = asking.embeddings.create(model="text-embedding-3-small", input="Hi")
        assert reply.data[0].embedding == [1.0, 2.0, 3.0]
        span = recorded.one()
        assert span.name == "embeddings text-embedding-3-small"
        assert span["agentops.kind"] == "embedding"
        assert span["gen_ai.operation.name"] == "embeddings"
        assert span["gen_ai.usage.input_tokens"] == 4
        assert span["gen_ai.embeddings.dimension.count"] == 3
        assert span.json("agentops.input") == "Hi"
        asking.embeddings.create(model="m", input=["a", "b"], dimensions=2, encoding_format="float")
        assert recorded.one().json("agentops.input") == ["a", "b"]


def test_legacy_completions(recorded: Any) -> None:
    with Wire(Reply(bodies.COMPLETION), sse(*bodies.COMPLETION_CHUNKS)) as wire:
        asking = client(wire)
        asking.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say")
        span = recorded.one()
        assert span.name == "text_completion gpt-3.5-turbo-instruct"
        assert span.text == "Hello"
        assert span["gen_ai.usage.output_tokens"] == 7
        list(asking.completions.create(model="gpt-3.5-turbo-instruct", prompt=["Say", "it"], stream=True))
        span = recorded.one()
        assert span.text == "Hello"
        assert len(span.json("gen_ai.input.messages")) == 2


def test_images(recorded: Any) -> None:
    usage = {"input_tokens": 9, "output_tokens": 100, "total_tokens": 109, "input_tokens_details": {"text_tokens": 9}}
    reply = {"created": 1, "data": [{"b64_json": "iVBORw0KGgo="}], "usage": usage, "output_format": "png"}
    with Wire(Reply(reply)) as wire:
        asking = client(wire)
        asking.images.generate(model="gpt-image-1", prompt="a cat")
        span = recorded.one()
        assert span.name == "generate_content gpt-image-1"
        assert span["gen_ai.output.type"] == "image"
        assert span["gen_ai.usage.output_tokens"] == 100
        assert span.parts[0]["modality"] == "image"
        asking.images.edit(model="gpt-image-1", prompt="a dog", image=b"\x89PNG not really")
        span = recorded.one()
        assert span["gen_ai.request.model"] == "gpt-image-1"
        assert span.json("gen_ai.input.messages")[0]["parts"][0]["content"] == "a dog"


def test_speech_and_transcription(recorded: Any) -> None:
    said = {"text": "Hello", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 3, "total_tokens": 17}}
    with Wire(Reply(b"RIFF....", content_type="audio/wav"), Reply(b"RIFF", content_type="audio/wav")) as wire:
        asking = client(wire)
        audio = asking.audio.speech.create(model="tts-1", voice="alloy", input="Hello")
        assert audio.content == b"RIFF...."
        span = recorded.one()
        assert span.name == "generate_content tts-1"
        assert span["gen_ai.output.type"] == "speech"
        assert (span["agentops.usage.characters"], span["agentops.cost.amount"]) == (5, 5 * 15 / 1e6)
        assert span.get("agentops.usage.source") is None  # nobody has reported it
        with asking.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hi") as response:
            assert b"".join(response.iter_bytes()) == b"RIFF"
        assert recorded.one().outcome == "ok"
        wire.replies = [Reply(said)]
        asking.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", b"RIFF"))
        span = recorded.one()
        assert span.name == "generate_content gpt-4o-transcribe"
        assert span.text == "Hello"
        assert span["gen_ai.usage.input_tokens"] == 14
        warnings.simplefilter("ignore", DeprecationWarning)  # openai 3 says that translations will go
        asking.audio.translations.create(model="whisper-1", file=("a.wav", b"RIFF"))
        assert recorded.one().text == "Hello"


def test_moderation_is_a_guardrails_verdict(recorded: Any) -> None:
    result = {"flagged": True, "categories": {"violence": True, "hate": False}, "category_scores": {"violence": 0.9}}
    with Wire(Reply({"id": "modr-1", "model": "omni-moderation-latest", "results": [result]})) as wire:
        client(wire).moderations.create(input="hm", model="omni-moderation-latest")
    span = recorded.one()
    assert span["agentops.kind"] == "guardrail"
    assert span["gen_ai.operation.name"] == "apply_guardrail"
    assert span["gen_ai.request.model"] == "omni-moderation-latest"
    assert (span["agentops.decision.chosen"], span["agentops.decision.reason"]) == ("flag", "violence")


def test_files_batches_and_vector_stores(recorded: Any) -> None:
    listing = {"object": "list", "data": [], "has_more": False}
    with Wire(Reply(listing)) as wire:
        asking = client(wire)
        asking.files.create(file=("a.jsonl", b"{}"), purpose="batch")
        asking.files.retrieve("file-abc123def456")
        list(asking.files.list())
        asking.files.delete("file-abc123def456")
        asking.batches.cancel("batch_abc123def456")
        asking.models.list()
        asking.models.retrieve("gpt-4o-mini")
    names = [span.name for span in recorded()]
    assert names == [
        "files.create", "files.retrieve", "files.list", "files.delete", "batches.cancel", "models.list",
        "models.retrieve",
    ]  # fmt: skip


def test_vector_store_search_is_a_retrieval(recorded: Any) -> None:
    hit = {"file_id": "file-1", "filename": "a.md", "score": 0.9, "content": [{"type": "text", "text": "Rome"}]}
    with Wire(Reply({"object": "list", "data": [hit], "has_more": False})) as wire:
        client(wire).post("/vector_stores/vs_1/search", body={"query": "where", "max_num_results": 3}, cast_to=object)
    span = recorded.one()
    assert span["gen_ai.operation.name"] == "retrieval"
    assert span["gen_ai.data_source.id"] == "vs_1"
    assert span["gen_ai.retrieval.query.text"] == "where"
    assert span.json("gen_ai.retrieval.documents")[0]["score"] == 0.9


def test_decisions(recorded: Any) -> None:
    question = {"name": "route", "type": "choice", "question": "Where to?", "choices": ["refund", "escalate"]}
    answer = {
        "name": "route",
        "type": "choice",
        "choice": "refund",
        "confidence": 0.8,
        "probabilities": [{"value": "refund", "probability": 0.8}, {"value": "escalate", "probability": 0.2}],
    }
    usage = {
        "input_tokens": 9, "output_tokens": 2, "total_tokens": 11, "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    with Wire(Reply({"model": "gpt-6-luna", "answers": [answer], "usage": usage})) as wire:
        client(wire).post(
            "/decisions", body={"model": "gpt-6-luna", "input": "Money back!", "questions": [question]}, cast_to=object
        )
    span = recorded.one()
    assert span.name == "generate_content gpt-6-luna"
    assert span["agentops.decision.name"] == "route"
    assert span["agentops.decision.chosen"] == "refund"
    assert span["agentops.decision.confidence"] == 0.8
    assert span.json("agentops.decision.scores") == {"refund": 0.8, "escalate": 0.2}
    assert span["gen_ai.usage.input_tokens"] == 9


def test_a_predicate_is_decided_by_its_probability(recorded: Any) -> None:
    answer = {"name": "angry", "type": "predicate", "probability": 0.25}
    with Wire(Reply({"model": "gpt-6-luna", "answers": [answer]})) as wire:
        question = {"name": "angry", "type": "predicate", "question": "Is it?"}
        body = {"model": "gpt-6-luna", "input": "Money back!", "questions": [question]}
        client(wire).post("/decisions", body=body, cast_to=object)
    span = recorded.one()
    assert (span["agentops.decision.chosen"], span["agentops.decision.confidence"]) == ("false", 0.75)
    assert span.json("agentops.decision.scores") == {"true": 0.25, "false": 0.75}


@pytest.mark.parametrize(
    ("reply", "streamed"),
    [
        (Reply({"anything": [1, None]}), False),
        (Reply("plain", content_type="text/plain"), False),
        (Reply(b"\x00\xff", content_type="application/octet-stream"), False),
        (sse({"a": 1}, {"b": 2}), True),
    ],
)
async def test_an_endpoint_nobody_has_heard_of(recorded: Any, reply: Any, streamed: bool) -> None:
    with Wire(reply) as wire:
        asking = client(wire)
        result: Any = asking.post(
            "/brand/new", body={"model": "m", "x": 1}, cast_to=object, stream=streamed, stream_cls=openai.Stream[object]
        )
        if streamed:
            list(result)
        span = recorded.one()
        assert span.name == "brand.new.create"
        assert span["gen_ai.request.model"] == "m"
        assert span.outcome == "ok"
        async with aclient(wire) as other:
            await other.get("/brand/new/thing_123456789", cast_to=object)
        assert recorded.one().name == "brand.new.retrieve"


def test_names_of_generic_operations() -> None:
    cases = {
        ("GET", "/files"): "files.list",
        ("GET", "/files/file-abc123/content"): "files.content.list",
        ("POST", "/fine_tuning/jobs/ftjob-abc123/cancel"): "fine_tuning.jobs.cancel",
        ("POST", "/vector_stores/vs_abc123/files"): "vector_stores.files.create",
        ("POST", "/threads/thread_abc123/runs/run_abc123/submit_tool_outputs"): "threads.runs.submit_tool_outputs",
        ("DELETE", "/responses/resp_abc123"): "responses.delete",
        ("GET", "/responses/resp_abc123/input_items"): "responses.input_items.list",
        ("POST", "/responses/resp_abc123/cancel"): "responses.cancel",
    }
    assert {key: ENDPOINTS.generic_operation(*key) for key in cases} == cases


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://mine.openai.azure.com/openai", "azure.ai.openai"),
        ("https://mine.services.ai.azure.com/models", "azure.ai.inference"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.together.xyz/v1", "together"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://api.mistral.ai/v1", "mistral_ai"),
        ("https://api.x.ai/v1", "x_ai"),
        ("http://localhost:11434/v1", "ollama"),
        ("http://vllm.internal:8000/v1", "vllm"),
        ("http://127.0.0.1:8000/v1", "openai"),
        ("https://llm.example.com/v1", "openai"),
        ("https://notx.ai/v1", "openai"),
    ],
)
def test_provider_of_a_base_url(url: str, name: str, recorded: Any) -> None:
    parts = urlsplit(url)
    assert provider_of(parts.hostname or "", parts.port) == name


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.groq.com/openai/v1", True),
        ("https://mine.openai.azure.com/openai?api-version=2024-10-21", True),
        ("https://mine.openai.azure.com/openai/v1", True),
        ("https://mine.openai.azure.com/openai?api-version=2024-02-01", False),
        ("http://localhost:11434/v1", True),  # Ollama's own port
        ("http://127.0.0.1:1234/v1", True),  # LM Studio's
        ("https://api.mistral.ai/v1", False),  # refuses fields it does not know
        # whoever answers here may refuse them too
        ("https://llm.example.com/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:54321/v1", False),
        ("http://vllm.internal:8000/v1", False),
        ("https://litellm.example.com", False),
        ("http://ollama.internal/v1", False),
        ("https://api.openai.com.example.com/v1", False),
        ("https://notopenai.com/v1", False),
    ],
)
def test_who_is_asked_for_usage(url: str, asked: bool) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    assert takes_stream_options(parts.hostname or "", port, dict(parse_qsl(parts.query))) is asked


def test_azure(recorded: Any) -> None:
    with Wire(Reply(bodies.CHAT)) as wire:
        azure = openai.AzureOpenAI(
            azure_endpoint=wire.url.removesuffix("/v1"), api_key="none", api_version="2024-10-21", max_retries=0
        )
        azure.chat.completions.create(model="my-deployment", messages=bodies.MESSAGES)
        assert "/deployments/my-deployment/chat/completions" in wire.requests[0].path
    span = recorded.one()
    assert span.name == "chat my-deployment"
    assert span["gen_ai.provider.name"] == "azure.ai.openai"
    assert span["gen_ai.response.model"] == "gpt-4o-2024-08-06"


@pytest.mark.parametrize("api", ["assistants", "agents"])
def test_an_agent_that_the_provider_keeps(recorded: Any, api: str) -> None:
    reply = {"id": "a_1", "object": "assistant", "name": "helper", "model": "gpt-4o", "tools": []}
    with Wire(Reply(reply)) as wire, client(wire) as asking, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of assistants
        if not hasattr(asking.beta, api):
            pytest.skip(f"this version has no {api}")
        getattr(asking.beta, api).create(model="gpt-4o", name="helper", instructions="Be brief.")
    span = recorded.one()
    assert span.name == "create_agent helper"
    assert (span["gen_ai.operation.name"], span["gen_ai.agent.name"], span["gen_ai.agent.id"]) == (
        "create_agent", "helper", "a_1",
    )  # fmt: skip
    assert span["gen_ai.request.model"] == "gpt-4o"
    assert span.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]

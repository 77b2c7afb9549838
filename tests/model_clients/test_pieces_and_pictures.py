"""What is billed by the piece, or is no chat: sound, pictures, vectors, decisions, through the real clients."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.bedrock import clients as bedrock
from tests.cohere import clients as cohere
from tests.google_genai import clients as google
from tests.ollama import clients as ollama
from tests.openai.spans import Seen
from tests.recorded import Recorded
from tests.wire.http import Reply, Wire, sse

import agentops_sdk as agentops

SOUND = ("a.wav", b"RIFF", "audio/wav")


def _seen(recorded: Recorded, ask: Callable[[str], Any], reply: Reply | dict[str, Any]) -> Seen:
    with Wire(reply if isinstance(reply, Reply) else Reply(reply)) as wire:
        ask(wire.url)
    return recorded.one()


def _open(client: Any, url: str) -> Any:
    """A client of those that one generator makes; certificates are not looked for."""
    transport = sys.modules[client.__module__.partition(".")[0]].DefaultHttpxClient(verify=False)
    return client(base_url=url, api_key="none", max_retries=0, http_client=transport)


# --- sound -----------------------------------------------------------------------------------------


def _heard_by_openai(url: str, **how: Any) -> Any:
    import openai

    with _open(openai.OpenAI, url) as client:
        reply = client.audio.transcriptions.create(**{"model": "whisper-1", "file": SOUND, **how})
        return list(reply) if how.get("stream") else reply


def _heard_by_groq(url: str) -> None:
    groq = pytest.importorskip("groq", reason="needs the groq client")
    with _open(groq.Groq, url.removesuffix("/v1")) as client:
        how = {"file": SOUND, "response_format": "verbose_json"}
        client.audio.transcriptions.create(model="whisper-large-v3-turbo", **how)


def _heard_by_mistral(url: str) -> None:
    mistral = pytest.importorskip("mistralai.client", reason="needs the mistral client")
    with mistral.Mistral(api_key="none", server_url=url.removesuffix("/v1")) as client:
        file = {"file_name": "a.wav", "content": b"RIFF"}
        client.audio.transcriptions.complete(model="voxtral-mini-2602", file=file)


BILLED = {"type": "duration", "seconds": 61}


@pytest.mark.parametrize(
    ("ask", "body", "seconds", "dollars"),
    [
        (_heard_by_openai, {"text": "Hi.", "usage": BILLED}, 61, 61 * 0.006 / 60),
        (_heard_by_openai, {"text": "Hi.", "duration": 60.4, "usage": BILLED}, 61, 61 * 0.006 / 60),
        (_heard_by_openai, {"text": "Hi.", "duration": 60.4}, 60.4, 60.4 * 0.006 / 60),
        (_heard_by_groq, {"text": "Hi.", "duration": 60.4}, 60.4, 60.4 * 0.04 / 3600),
        (_heard_by_groq, {"text": "Hi.", "duration": 3.5}, 10, 10 * 0.04 / 3600),  # the least that is billed
    ],
)
def test_sound_is_billed_by_its_length(
    ask: Callable[[str], Any], body: dict[str, Any], seconds: float, dollars: float, recorded: Recorded
) -> None:
    span = _seen(recorded, ask, body)
    assert (span["agentops.usage.audio_seconds"], span["agentops.usage.source"]) == (seconds, "reported")
    assert span.get("gen_ai.usage.output_tokens") is None
    assert span["agentops.cost.amount"] == pytest.approx(dollars, rel=1e-6)


def test_sound_of_a_stream_and_of_a_reply_that_tells_nothing(recorded: Recorded) -> None:
    done = {"type": "transcript.text.done", "text": "Hi.", "usage": BILLED}
    stream = sse({"type": "transcript.text.delta", "delta": "Hi."}, done, done=False)
    span = _seen(recorded, lambda url: _heard_by_openai(url, stream=True, model="gpt-4o-mini-transcribe"), stream)
    assert (span["agentops.usage.audio_seconds"], span.text) == (61, "Hi.")
    assert span["agentops.cost.unknown_reason"] == "no price for seconds of audio"
    span = _seen(recorded, lambda url: _heard_by_openai(url, model="gpt-4o-mini-transcribe"), {"text": "Hi."})
    assert span.get("agentops.cost.amount") is None
    assert span["agentops.cost.unknown_reason"] == "the reply does not tell how long the sound was"


def test_the_model_of_a_form(recorded: Recorded) -> None:
    reply = {"model": "voxtral-mini-2602", "text": "Hi.", "segments": [], "language": "en"}
    usage = {"prompt_audio_seconds": 20, "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    span = _seen(recorded, _heard_by_mistral, {**reply, "usage": usage})
    assert (span.name, span["agentops.usage.audio_seconds"]) == ("generate_content voxtral-mini-2602", 20)
    cohere.package()
    with Wire(Reply({"text": "Hi."})) as wire, cohere.client(wire.url) as client:
        if not hasattr(client, "audio"):
            pytest.skip("this cohere hears nothing")
        client.audio.transcriptions.create(model="listens", language="en", file=b"abc")
    assert recorded.one()["gen_ai.request.model"] == "listens"


# --- pictures, and vectors of them -----------------------------------------------------------------


def _embedded(url: str, **how: Any) -> None:
    cohere.package()
    with cohere.client(url) as client:
        client.embed(model="embed-v4.0", input_type="image", embedding_types=["float"], **how)


def test_vectors_of_pictures(recorded: Recorded) -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo=" * 1_000
    vectors = {"id": "e", "embeddings": {"float": [[0.1, 0.2, 0.3]]}, "texts": []}
    billed = {"meta": {"billed_units": {"images": 1, "image_tokens": 250}}}
    span = _seen(recorded, lambda url: _embedded(url, images=[picture]), {**vectors, **billed})
    assert (span["gen_ai.usage.input_tokens"], span["agentops.usage.source"]) == (250, "reported")
    assert span["agentops.cost.amount"] == pytest.approx(250 * 0.47e-6)
    span = _seen(recorded, lambda url: _embedded(url, images=[picture]), vectors)
    assert span.get("gen_ai.usage.input_tokens") is None, "its characters are no words"


def test_pictures_of_a_tool_that_were_read_from_a_cache(recorded: Recorded) -> None:
    import openai

    images = {
        "input_tokens": 30, "input_tokens_details": {"text_tokens": 10, "image_tokens": 20}, "output_tokens": 100,
        "cached_tokens": 12, "cached_tokens_details": {"cached_image_tokens": 8, "cached_text_tokens": 4},
        "output_tokens_details": {"image_tokens": 100, "text_tokens": 0}, "total_tokens": 130,
    }  # fmt: skip
    body = {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5",
        "output": [{"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo="}],
        "parallel_tool_calls": True, "tool_choice": "auto", "tool_usage": {"image_gen": images},
        "tools": [{"type": "image_generation", "model": "gpt-image-1"}],
        "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120},
    }  # fmt: skip

    def ask(url: str) -> None:
        with _open(openai.OpenAI, url) as client:
            client.responses.create(model="gpt-5", input="A cat")

    told = 100 * 1.25 + 20 * 10
    drawn = 6 * 5 + 4 * 1.25 + 12 * 10 + 8 * 2.5 + 100 * 40
    assert _seen(recorded, ask, body)["agentops.cost.amount"] * 1e6 == pytest.approx(told + drawn)


def test_what_lives_in_a_cache_for_twelve_hours_has_no_known_price(recorded: Recorded) -> None:
    import openai

    written = {"cache_write_tokens": 10, "cache_write_tokens_details": {"ttl_30m_tokens": 4, "ttl_12h_tokens": 6}}
    usage = {"input_tokens": 100, "input_tokens_details": written, "output_tokens": 20, "total_tokens": 120}
    body = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-6-sol",
            "output": [], "usage": usage}  # fmt: skip

    def ask(url: str) -> None:
        with _open(openai.OpenAI, url) as client:
            client.responses.create(model="gpt-6-sol", input="Hi")

    span = _seen(recorded, ask, body)
    assert span["agentops.cost.unknown_reason"] == "no price for tokens cached for twelve hours"
    agentops.prices.set("gpt-6-sol", input=2, output=10, cache_creation=2.5, cache_creation_12h=4, per="1M")
    try:
        cost = _seen(recorded, ask, body)["agentops.cost.amount"]
    finally:
        agentops.prices.clear()
    assert cost * 1e6 == pytest.approx(90 * 2 + 4 * 2.5 + 6 * 4 + 20 * 10)


@pytest.mark.parametrize(("told", "searches"), [([{"type": "google_search", "count": 3}], 3), (None, 2)])
def test_searches_of_an_interaction_are_billed(told: Any, searches: int, recorded: Recorded) -> None:
    google.package()
    from google import genai

    if genai.__version__.startswith("2."):
        pytest.skip("its interactions have other steps")
    steps = [
        {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["rome", "oslo"]}},
        {"type": "model_output", "content": [{"type": "text", "text": "Sunny."}]},
    ]
    usage = {"total_input_tokens": 1_000, "total_output_tokens": 100, "total_tokens": 1_100}
    body = {
        "id": f"int_{searches}", "object": "interaction", "model": "gemini-3.5-flash", "status": "completed",
        "created": "2026-11-30T00:00:00Z", "updated": "2026-11-30T00:00:00Z", "steps": steps,
        "usage": {**usage, **({"grounding_tool_count": told} if told else {})},
    }  # fmt: skip

    def ask(url: str) -> None:
        with google.client(url) as client:
            client.interactions.create(model="gemini-3.5-flash", input="Rome?")

    span = _seen(recorded, ask, body)
    assert span["agentops.usage.web_searches"] == searches
    assert span["agentops.cost.amount"] * 1e6 == pytest.approx(1_000 * 1.5 + 100 * 9 + searches * 14_000)


# --- Bedrock's other models, and models whose names tell nothing -----------------------------------

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"


def _invoke(model: str, body: dict[str, Any], *, stream: bool = False) -> Callable[[str], None]:
    def ask(url: str) -> None:
        bedrock.package()
        with bedrock.client(url) as client:
            if stream:
                reply = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
                list(reply["body"])
            else:
                client.invoke_model(modelId=model, body=json.dumps(body))["body"].read()

    return ask


def _chunks(*events: dict[str, Any]) -> Reply:
    made = [{"bytes": base64.b64encode(json.dumps(event).encode()).decode()} for event in events]
    return bedrock.Case().reply(*(bedrock.event("chunk", each) for each in made))


CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
NOVA = {"schemaVersion": "messages-v1", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
MESSAGE: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "content": [],
    "stop_reason": None, "usage": {"input_tokens": 5, "output_tokens": 1},
}  # fmt: skip
CLAUDES = (
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Yes."}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
)
NOVAS = (
    {"contentBlockDelta": {"delta": {"text": "Yes."}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 2}}},
)
REPLY = {**MESSAGE, "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}
NOVAS_REPLY = bedrock.whole({"text": "Yes."}, usage={"inputTokens": 5, "outputTokens": 2, "totalTokens": 7})


@pytest.mark.parametrize(
    ("body", "reply", "model"),
    [
        (CLAUDE, Reply({**REPLY, "usage": {"input_tokens": 5, "output_tokens": 2}}), MESSAGE["model"]),
        (CLAUDE, _chunks(*CLAUDES), MESSAGE["model"]),
        (NOVA, Reply(NOVAS_REPLY), None),
        (NOVA, _chunks(*NOVAS), None),
    ],
    ids=["claude", "claude, streamed", "nova", "nova, streamed"],
)
def test_a_profile_whose_name_tells_no_family(
    body: dict[str, Any], reply: Reply, model: str | None, recorded: Recorded
) -> None:
    span = _seen(recorded, _invoke(PROFILE, body, stream=reply.stream is not None), reply)
    assert (span.name, span.outcome, span.text) == ("chat abc", "ok", "Yes.")
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (5, 2)
    assert (span.get("gen_ai.response.model"), list(span["gen_ai.response.finish_reasons"])) == (model, ["end_turn"])
    (asked,) = span.json("gen_ai.input.messages")
    assert asked["parts"] == [{"type": "text", "content": "Hi"}]


def test_vectors_and_pictures_of_nova(recorded: Recorded) -> None:
    asked: dict[str, Any] = {"singleEmbeddingParams": {"text": {"value": "Hi"}, "embeddingDimension": 3}}
    told = {"embeddings": [{"embeddingType": "TEXT", "embedding": [0.1, 0.2, 0.3]}]}
    span = _seen(recorded, _invoke("amazon.nova-2-multimodal-embeddings-v1:0", asked), told)
    assert span.name == "embeddings amazon.nova-2-multimodal-embeddings-v1:0"
    assert (span["agentops.input"], span["gen_ai.embeddings.dimension.count"]) == ('"Hi"', 3)
    asked = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A cat"}}
    span = _seen(recorded, _invoke("amazon.nova-canvas-v1:0", asked), {"images": ["iVBORw0KGgo="]})
    assert (span.name, span["gen_ai.output.type"]) == ("generate_content amazon.nova-canvas-v1:0", "image")
    assert span.parts == [{"type": "blob", "modality": "image", "content": "iVBORw0KGgo="}]


def test_what_converse_is_asked_for(recorded: Recorded) -> None:
    def ask(url: str) -> None:
        bedrock.package()
        with bedrock.client(url) as client:
            if "outputConfig" not in client.meta.service_model.operation_model("Converse").input_shape.members:
                pytest.skip("this boto3 cannot ask for it")
            output = {"effort": "high", "textFormat": {"type": "json_schema", "structure": {"jsonSchema": SCHEMA}}}
            tools = {"tools": [{"systemTool": {"name": "nova_grounding"}}, bedrock.TOOL]}
            client.converse(**bedrock.ASKED, outputConfig=output, toolConfig=tools)

    span = _seen(recorded, ask, bedrock.whole({"text": "Yes."}, reason="malformed_tool_use"))
    assert (span["gen_ai.request.reasoning.level"], span["gen_ai.output.type"]) == ("high", "json")
    assert [tool["name"] for tool in span.json("gen_ai.tool.definitions")] == ["nova_grounding", "weather"]
    assert span.get("agentops.decision.chosen") is None, "a call that went wrong is no answer"


SCHEMA = {"schema": "{}", "name": "any"}


# --- decisions, searches, and what Perplexity tells in its own words --------------------------------


def test_a_model_that_decides(recorded: Recorded) -> None:
    question = {"type": "choice", "instructions": "Which?", "criteria": {"left": None, "right": None}}
    answer = {"type": "choice", "choice": "left", "probabilities": {"left": 0.9, "right": 0.1}, "confidence": 0.9}
    body = {"model": "decides", "answers": {"way": answer}, "usage": {"input_tokens": 7, "output_tokens": 1}}

    def ask(url: str) -> None:
        ollama.package()
        with ollama.client(url) as client:
            if not hasattr(client, "systemone"):
                pytest.skip("this ollama has no such models")
            client.systemone("decides", "At a crossing.", {"way": question})

    span = _seen(recorded, ask, body)
    assert (span.name, span["agentops.kind"]) == ("generate_content decides", "llm")
    assert (span["agentops.decision.chosen"], span["agentops.decision.confidence"]) == ("left", 0.9)
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (7, 1)


def test_perplexitys_words(recorded: Recorded) -> None:
    perplexity = pytest.importorskip("perplexity", reason="needs the perplexity client")

    def ask(url: str) -> None:
        with _open(perplexity.Perplexity, url.removesuffix("/v1")) as client:
            if not hasattr(client, "contextualized_embeddings"):
                pytest.skip("this perplexity has no embeddings")
            client.responses.create(model="openai/gpt-5", input="Hi")
            client.contextualized_embeddings.create(model="pplx-embed-context-v1-4b", input=[["Hi", "Ho"]])

    text = {"type": "message", "content": [{"type": "output_text", "text": "Yes.", "annotations": []}], "id": "m",
            "role": "assistant", "status": "completed"}  # fmt: skip
    usage = {
        "input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "cost": {"total_cost": 0.3, "currency": "USD"},
        "input_tokens_details": {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 5},
        "tool_calls_details": {"web_search": {"invocation": 2}},
    }  # fmt: skip
    reply = {"id": "r", "object": "response", "created_at": 1, "model": "openai/gpt-5", "status": "completed",
             "output": [text], "usage": usage}  # fmt: skip
    vector = {"object": "embedding", "index": 0, "embedding": base64.b64encode(bytes(6)).decode()}
    vectors = {
        "object": "list", "model": "pplx-embed-context-v1-4b",
        "data": [{"object": "list", "index": 0, "data": [vector]}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }  # fmt: skip
    with Wire(Reply(reply), Reply(vectors)) as wire:
        ask(wire.url)
    said, embedded = recorded()
    assert said["gen_ai.usage.cache_read.input_tokens"] == 60
    assert said["gen_ai.usage.cache_creation.input_tokens"] == 5
    assert said["agentops.usage.web_searches"] == 2
    assert (embedded["agentops.kind"], embedded["gen_ai.embeddings.dimension.count"]) == ("embedding", 6)

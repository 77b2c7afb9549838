"""Whole replies, tools, cost, retries, refusals, where each was sent; and what a client has beside the chat."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from tests.openai_dialect.clients import ASKED, CLIENTS, TOOLS, USAGE, Client, chunk, event
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops


@pytest.fixture(params=sorted(CLIENTS))
def client(request: pytest.FixtureRequest) -> Client:
    found = CLIENTS[request.param]
    found.package()
    return found


def whole(message: dict[str, Any], model: str = "a-model", usage: Any = None, **more: Any) -> dict[str, Any]:
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {
        "id": "1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice],
        "usage": usage or USAGE, "system_fingerprint": "f", **more,
    }  # fmt: skip


def test_a_whole_reply(client: Client, recorded: Any) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    with Wire(Reply(whole({"content": "", "tool_calls": [call]}))) as wire, client.client(wire.url) as asking:
        reply = asking.chat.completions.create(**ASKED, tools=TOOLS, temperature=0.5)
        assert wire.requests[0].path.endswith("/chat/completions")
        assert wire.requests[0].body == {**ASKED, "tools": TOOLS, "temperature": 0.5}  # nothing was added
        port = wire.port
    assert reply.choices[0].message.tool_calls[0].function.name == "weather"
    span = recorded.one()
    assert span.name == "chat a-model"
    assert span["gen_ai.provider.name"] == client.name
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert span["gen_ai.request.temperature"] == 0.5
    assert span.json("gen_ai.input.messages")[0]["parts"][0]["content"] == "What is the weather in Paris?"
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span["agentops.decision.chosen"] == "weather"
    assert span["gen_ai.usage.input_tokens"] == 1000
    assert span["gen_ai.usage.output_tokens"] == 200
    assert "openai.api.type" not in span.attributes


CACHED = {**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}


@pytest.mark.parametrize(
    ("name", "model", "usage", "dollars"),
    [
        # by the million: input, cached input, output
        ("groq", "llama-3.3-70b-versatile", USAGE, 1000 * 0.59 + 200 * 0.79),
        ("groq", "openai/gpt-oss-120b", CACHED, 600 * 0.15 + 400 * 0.075 + 200 * 0.60),
        ("cerebras", "gpt-oss-120b", USAGE, 1000 * 0.35 + 200 * 0.75),
        ("cerebras", "llama3.1-8b", USAGE, 1000 * 0.10 + 200 * 0.10),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", USAGE, 1000 * 0.88 + 200 * 0.88),
        ("perplexity", "sonar", USAGE, 1000 * 1 + 200 * 1 + 12_000),  # and 12 for a thousand requests
        ("perplexity", "sonar-pro", USAGE, 1000 * 3 + 200 * 15 + 14_000),
    ],
)
def test_cost(name: str, model: str, usage: Any, dollars: float, recorded: Any) -> None:
    client = CLIENTS[name]
    client.package()
    with Wire(Reply(whole({"content": "Sunny."}, model, usage))) as wire, client.client(wire.url) as asking:
        asking.chat.completions.create(**{**ASKED, "model": model})
    assert float(recorded.one()["agentops.cost.amount"]) == pytest.approx(dollars / 1e6, rel=1e-9)


def test_a_retry_is_one_span(client: Client, recorded: Any) -> None:
    replies = iter((Reply({"error": {"message": "busy"}}, 503), Reply(whole({"content": "Sunny."}))))
    with Wire(lambda _: next(replies)) as wire, client.client(wire.url, max_retries=2) as asking:
        asking.chat.completions.create(**ASKED)
    assert [each["status"] for each in recorded.one().json("agentops.attempts")] == [503, 200]


def test_a_refused_request(client: Client, recorded: Any) -> None:
    library = client.package()
    refusal = Reply({"error": {"message": "no such model", "code": "model_not_found"}}, 404)
    with Wire(refusal) as wire, client.client(wire.url) as asking, pytest.raises(library.NotFoundError):
        asking.chat.completions.create(**ASKED)
    span = recorded.one()
    assert span.outcome == "error"
    assert span["error.type"].endswith(".NotFoundError")


def test_what_has_no_row_is_recorded_by_its_path(client: Client, recorded: Any) -> None:
    with Wire(Reply({"object": "list", "data": []})) as wire, client.client(wire.url) as asking:
        asking.get(f"{client.prefix}/models", cast_to=object)
    assert recorded.one().name == "models.list"


def test_undone(client: Client) -> None:
    library = client.package()
    base = library._base_client
    places = [
        (owner, name)
        for owner in (base.BaseClient, base.SyncAPIClient, base.AsyncAPIClient, library.Stream, library.AsyncStream)
        for name in ("request", "_process_response", "_build_request", "_should_retry", "__stream__")
        if name in vars(owner)
    ]
    before = [vars(owner)[name] for owner, name in places]
    agentops.init(exporters=["memory"], integrations=[client.name])
    assert all(vars(owner)[name] is not then for (owner, name), then in zip(places, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)[name] is then for (owner, name), then in zip(places, before, strict=True))


# --- what only one of them has ---------------------------------------------------------------------


def test_cerebras_warming_up_is_no_call_of_the_program(recorded: Any) -> None:
    client = CLIENTS["cerebras"]
    if "warm_tcp_connection" not in inspect.signature(client.package().Cerebras).parameters:
        pytest.skip("this version of the client does not warm its connection up")
    with Wire(Reply("")) as wire:
        client.client(wire.url, warm_tcp_connection=True).close()
        assert [request.path for request in wire.requests] == ["/v1/tcp_warming"]
    assert recorded() == []


def test_groq_says_which_tools_it_ran(recorded: Any) -> None:
    client = CLIENTS["groq"]
    client.package()
    tools = [{"index": 0, "type": "search", "arguments": '{"query": "weather"}', "output": "sunny"}]
    message = {"content": "Sunny.", "reasoning": "Look.", "executed_tools": tools}
    with Wire(Reply(whole(message))) as wire, client.client(wire.url) as asking:
        asking.chat.completions.create(**ASKED)
    span = recorded.one()
    assert [part["type"] for part in span.parts] == ["reasoning", "text", "executed_tool"]
    assert span.parts[2]["output"] == "sunny"


def test_together_reranks(recorded: Any) -> None:
    client = CLIENTS["together"]
    client.package()
    body = {
        "object": "rerank", "id": "r1", "model": "a-reranker",
        "results": [
            {"index": 1, "relevance_score": 0.9, "document": {}},
            {"index": 0, "relevance_score": 0.1, "document": {}},
        ],
        "usage": {"prompt_tokens": 30, "completion_tokens": 0, "total_tokens": 30},
    }  # fmt: skip
    with Wire(Reply(body)) as wire, client.client(wire.url) as asking:
        asking.rerank.create(model="a-reranker", query="fruit", documents=["a stone", "an apple"], top_n=2)
    span = recorded.one()
    assert span.name == "rerank"
    assert span["gen_ai.operation.name"] == "rerank"
    assert span["gen_ai.request.model"] == "a-reranker"
    assert span["gen_ai.retrieval.query.text"] == "fruit"
    assert span.json("gen_ai.retrieval.documents") == [
        {"id": "1", "score": 0.9, "content": "an apple"},
        {"id": "0", "score": 0.1, "content": "a stone"},
    ]
    assert span["gen_ai.usage.input_tokens"] == 30
    assert "gen_ai.data_source.id" not in span.attributes


def told(total: float, **more: Any) -> dict[str, Any]:
    return {**USAGE, "cost": {"input_tokens_cost": 0, "output_tokens_cost": 0, "total_cost": total}, **more}


def test_perplexity_tells_what_it_costs_and_what_it_searched(recorded: Any) -> None:
    client = CLIENTS["perplexity"]
    client.package()
    results = [{"title": "Weather", "url": "https://weather.example/paris", "date": None}]
    steps = [{"thought": "I search.", "web_search": {"search_keywords": ["paris"], "search_results": []}}]
    body = whole(
        {"content": "Sunny.[1]", "reasoning_steps": steps}, "sonar-pro", told(0.0123, num_search_queries=2),
        citations=["https://weather.example/paris"], search_results=results,
    )  # fmt: skip
    with Wire(Reply(body)) as wire, client.client(wire.url) as asking:
        asking.chat.completions.create(**{**ASKED, "model": "sonar-pro"})
    span = recorded.one()
    assert (span["agentops.cost.amount"], span["agentops.cost.source"]) == (0.0123, "provider")
    assert [part["type"] for part in span.parts] == ["reasoning", "text", "executed_tool"]
    assert span.parts[0]["content"] == "I search."
    assert span.parts[1]["annotations"] == [{"type": "url_citation", **results[0]}]
    assert span.parts[2]["web_search"]["search_keywords"] == ["paris"]


def test_perplexity_has_not_cost_nothing_where_its_stream_was_left(recorded: Any) -> None:
    """The chunks before the last say a cost of nought."""
    client = CLIENTS["perplexity"]
    client.package()
    pieces = [
        event(chunk({"role": "assistant", "content": "Sun"}, model="sonar-pro", usage=told(0))),
        event(chunk({"content": "ny."}, model="sonar-pro", usage=told(0))),
        event(chunk({"content": ""}, finish_reason="stop", model="sonar-pro", usage=told(0.02))),
    ]
    with Wire(client.reply(*pieces, client.finish)) as wire, client.client(wire.url) as asking:
        stream = client.stream(asking)
        next(stream)
        stream.close()
        span = recorded.one()
        # 3 and 15 for a million, 14 for a thousand requests
        assert span["agentops.cost.source"] != "provider"
        assert float(span["agentops.cost.amount"]) == pytest.approx(0.003 + 0.003 + 0.014)
        list(client.stream(asking))
        span = recorded.one()
        assert (span["agentops.cost.amount"], span["agentops.cost.source"]) == (0.02, "provider")


def test_perplexity_tells_the_tokens_of_a_chat_that_goes_on_to_whoever_reads_its_end(recorded: Any) -> None:
    client = CLIENTS["perplexity"]
    client.package()
    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200, "cost": {"total_cost": 0.02}}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Sunny."}, "finish_reason": "stop", "delta": {}}
    reply = {"id": "r1", "created": 1, "model": "sonar-pro", "choices": [choice], "usage": usage}
    job = {"id": "a-job", "created_at": 1, "model": "sonar-pro", "status": "CREATED"}
    done = {**job, "status": "COMPLETED", "response": reply}
    with (
        Wire(Reply(job), Reply({**job, "status": "IN_PROGRESS"}), Reply(done)) as wire,
        client.client(wire.url) as asking,
    ):
        asked = {"model": "sonar-pro", "messages": [{"role": "user", "content": "Paris?"}]}
        asking.async_.chat.completions.create(request=asked)
        for _ in range(3):
            asking.async_.chat.completions.get("a-job")
    begun, pending, first, again = recorded()
    assert begun.name == "async.chat.completions.create"
    assert "whoever reads its end" in begun["agentops.cost.unknown_reason"]
    assert "Paris?" in begun["gen_ai.input.messages"]
    assert [span["agentops.usage.of"] for span in (begun, pending, first, again)] == ["a-job"] * 4
    assert (first.name, first.text, first["agentops.kind"]) == ("async.chat.completions.get", "Sunny.", "llm")
    assert (first["gen_ai.usage.input_tokens"], first["gen_ai.usage.output_tokens"]) == (1000, 200)
    assert (first["agentops.cost.amount"], first["agentops.cost.source"]) == (0.02, "provider")
    for span in (begun, pending, again):
        assert not [name for name in span.attributes if name.startswith("gen_ai.usage.")]
        assert "agentops.cost.amount" not in span.attributes


def test_perplexity_searches(recorded: Any) -> None:
    client = CLIENTS["perplexity"]
    client.package()
    body = {"id": "s1", "results": [{"title": "Weather", "url": "https://weather.example", "snippet": "sunny"}]}
    with Wire(Reply(body)) as wire, client.client(wire.url) as asking:
        asking.search.create(query="weather in Paris", max_results=1)
    span = recorded.one()
    assert span.name == "retrieval"
    assert span["gen_ai.retrieval.query.text"] == "weather in Paris"
    documents = span.json("gen_ai.retrieval.documents")
    assert documents == [{"title": "Weather", "id": "https://weather.example", "content": "sunny"}]


def test_embeddings(recorded: Any) -> None:
    client = CLIENTS["together"]
    client.package()
    body = {
        "object": "list",
        "model": "an-embedder",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 8}],
    }
    with Wire(Reply(body)) as wire, client.client(wire.url) as asking:
        asking.embeddings.create(model="an-embedder", input=["a text"])
    span = recorded.one()
    assert span.name == "embeddings an-embedder"
    assert json.loads(span["agentops.input"]) == ["a text"]
    assert span["gen_ai.embeddings.dimension.count"] == 8


SPOKEN = {"input": "Hi", "voice": "a", "response_format": "wav"}
MEDIA: dict[tuple[str, str], Any] = {
    ("groq", "transcription"): lambda asking: asking.audio.transcriptions.create(model="a-model", file=b"abc"),
    ("together", "speech"): lambda asking: asking.audio.speech.create(model="a-model", **SPOKEN),
    ("together", "transcription"): lambda asking: asking.audio.transcriptions.create(model="a-model", file=b"abc"),
    ("together", "image"): lambda asking: asking.images.generate(model="a-model", prompt="a cat"),
}
"""Models that make and hear: with the reply that each has, in :func:`test_pictures_and_speech_are_model_calls`."""


@pytest.mark.parametrize(("name", "made"), MEDIA)
def test_pictures_and_speech_are_model_calls(name: str, made: str, recorded: Any) -> None:
    client = CLIENTS[name]
    client.package()
    picture = {"id": "1", "object": "list", "model": "a-model", "data": [{"index": 0, "b64_json": "aGk="}]}
    replies = {
        "speech": Reply("sound", content_type="audio/wav"), "transcription": Reply({"text": "Sunny."}),
        "image": Reply(picture),
    }  # fmt: skip
    with Wire(replies[made]) as wire, client.client(wire.url) as asking:
        MEDIA[name, made](asking)
    span = recorded.one()
    assert (span.name, span["agentops.kind"]) == ("generate_content a-model", "llm")
    assert span["gen_ai.operation.name"] == "generate_content"
    assert span["gen_ai.output.type"] == {"speech": "speech", "transcription": "json", "image": "image"}[made]
    assert [part["type"] for part in span.parts] == {"speech": [], "transcription": ["text"], "image": ["blob"]}[made]
    assert "agentops.cost.amount" not in span.attributes

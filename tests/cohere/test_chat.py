"""Chats of both versions, cost, refusals, retries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.cohere.clients import ASKED, MODEL, async_client, client, event, package, whole
from tests.openai_dialect.clients import TOOLS
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def test_a_whole_reply(recorded: Any) -> None:
    body = whole(tool_plan="I will look.", tool_calls=[CALL])
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.chat(**ASKED, tools=TOOLS, temperature=0.5, k=3, p=0.9)
        port = wire.port
    span = recorded.one()
    assert span.name == f"chat {MODEL}"
    assert span["gen_ai.provider.name"] == "cohere"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert (span["gen_ai.request.temperature"], span["gen_ai.request.top_k"]) == (0.5, 3)
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span.output[0]["finish_reason"] == "tool_call"
    assert span["agentops.decision.chosen"] == "weather"
    # billed units: by the million 2.50 in and 10 out
    assert float(span["agentops.cost.amount"]) == pytest.approx((1000 * 2.5 + 200 * 10) / 1e6, rel=1e-9)


def test_calls_of_tools_in_a_stream(recorded: Any) -> None:
    start = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    pieces = [
        event("message-start", id="1", delta={"message": {"role": "assistant"}}),
        event("tool-plan-delta", delta={"message": {"tool_plan": "I will look."}}),
        event("tool-call-start", index=0, delta={"message": {"tool_calls": start}}),
        event("tool-call-delta", index=0, delta={"message": {"tool_calls": {"function": {"arguments": '{"city":'}}}}),
        event("tool-call-delta", index=0, delta={"message": {"tool_calls": {"function": {"arguments": '"Paris"}'}}}}),
        event("message-end", delta={"finish_reason": "TOOL_CALL", "usage": {}}),
    ]
    with Wire(Reply(stream=pieces, content_type="text/event-stream")) as wire, client(wire.url) as asking:
        list(asking.chat_stream(**ASKED, tools=TOOLS))
    span = recorded.one()
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert span.calls == [("weather", {"city": "Paris"})]


def test_the_streams_of_version_1(recorded: Any) -> None:
    final = {"text": "Sunny.", "generation_id": "g", "finish_reason": "COMPLETE", "response_id": "r",
             "meta": {"billed_units": {"input_tokens": 3, "output_tokens": 2}}}  # fmt: skip
    events = [
        {"event_type": "stream-start", "is_finished": False, "generation_id": "g"},
        {"event_type": "text-generation", "is_finished": False, "text": "Sun"},
        {"event_type": "text-generation", "is_finished": False, "text": "ny."},
        {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": final},
    ]
    lines = [json.dumps(each) + "\n" for each in events]
    reply = Reply(stream=lines, content_type="application/stream+json")
    with Wire(reply) as wire, client(wire.url, version="Client") as asking:
        assert len(list(asking.chat_stream(model="command-r", message="Paris?"))) == 4
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")
    assert span["gen_ai.usage.input_tokens"] == 3
    assert list(span["gen_ai.response.finish_reasons"]) == ["COMPLETE"]


def test_a_refused_request(recorded: Any) -> None:
    with Wire(Reply({"message": "no such model"}, 404)) as wire, client(wire.url) as asking:
        with pytest.raises(package().NotFoundError):
            asking.chat(**ASKED)
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "404")
        with pytest.raises(package().NotFoundError):
            list(asking.chat_stream(**ASKED))
        assert recorded.one().outcome == "error"


@pytest.mark.parametrize("body", ["{no json", "", [], {"message": 5}])
def test_a_good_reply_that_the_client_cannot_read(body: Any, recorded: Any) -> None:
    async def ask(url: str) -> None:
        async with async_client(url) as asking:
            await asking.chat(**ASKED)

    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        for attempt in (lambda: asking.chat(**ASKED), lambda: asyncio.run(ask(wire.url))):
            with pytest.raises((package().core.ApiError, TypeError)) as caught:
                attempt()
            span = recorded.one()
            assert (span.outcome, span["error.type"].rpartition(".")[2]) == ("error", caught.type.__name__)


OTHERS: dict[str, Callable[[Any], Any]] = {
    "embeddings embed-v4.0": lambda asking: asking.embed(
        model="embed-v4.0", input_type="search_document", texts=["a text"], embedding_types=["float"]
    ),
    "rerank": lambda asking: asking.rerank(model="rerank-v3.5", query="a", documents=["b"]),
    "classify.create": lambda asking: asking.classify(inputs=["a text"], model="embed-v4.0", examples=[]),
    "detokenize.create": lambda asking: asking.detokenize(tokens=[1], model=MODEL, offline=False),
    "models.retrieve": lambda asking: asking.models.get(MODEL),
    "datasets.list": lambda asking: asking.datasets.list(),
    "connectors.list": lambda asking: asking.connectors.list(),
    "embed-jobs.retrieve": lambda asking: asking.embed_jobs.get("job"),
    "finetuning.finetuned-models.list": lambda asking: asking.finetuning.list_finetuned_models(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_method_ends_as_its_caller_sees_it(name: str, recorded: Any) -> None:
    async def ask(url: str) -> None:
        async with async_client(url) as asking:
            await OTHERS[name](asking)

    for reply, kind in ((Reply("{no json"), "ApiError"), (Reply({"message": "no"}, 400), "400")):
        with Wire(reply) as wire, client(wire.url) as asking:
            for attempt in (lambda: OTHERS[name](asking), lambda: asyncio.run(ask(wire.url))):
                with pytest.raises(package().core.ApiError):
                    attempt()
                span = recorded.one()
                assert (span.name, span.outcome, span["error.type"].rpartition(".")[2]) == (name, "error", kind)


def test_a_retry_is_one_span(recorded: Any) -> None:
    replies = iter((Reply({"message": "busy"}, 503, headers={"retry-after": "0"}), Reply(whole(content=[]))))
    with Wire(lambda _: next(replies)) as wire, client(wire.url) as asking:
        asking.chat(**ASKED, request_options={"max_retries": 1})
    assert recorded.one().outcome == "ok"


def test_what_has_no_row_is_recorded_by_its_path(recorded: Any) -> None:
    with Wire(Reply({"models": []})) as wire, client(wire.url) as asking:
        asking.models.list()
    assert recorded.one().name == "models.list"


def test_nothing_is_left_patched() -> None:
    from cohere.core import http_client
    from cohere.core.http_sse._api import EventSource

    owners = (http_client.HttpClient, http_client.AsyncHttpClient)
    places: list[tuple[Any, str]] = [(owner, name) for owner in owners for name in ("request", "stream")]
    places += [(EventSource, "iter_sse"), (EventSource, "aiter_sse")]
    before = [vars(owner)[name] for owner, name in places]
    agentops.init(exporters=["memory"], integrations=["cohere"])
    assert all(vars(owner)[name] is not then for (owner, name), then in zip(places, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)[name] is then for (owner, name), then in zip(places, before, strict=True))


def test_a_page_in_place_of_a_reply_is_a_failure(recorded: Any) -> None:
    page = Reply("<!DOCTYPE html><html>Log in.</html>", content_type="text/html")
    with Wire(page) as wire, client(wire.url) as asking, pytest.raises(package().core.ApiError):
        asking.chat(**ASKED)
    assert recorded.one().outcome == "error"


def test_the_older_models_and_those_that_hear(recorded: Any) -> None:
    meta = {"api_version": {"version": "1"}, "billed_units": {"input_tokens": 5, "output_tokens": 2}}
    told = {"id": "g1", "prompt": "Hi", "generations": [{"id": "a", "text": "Hello."}], "meta": meta}
    piece = {"event_type": "text-generation", "text": "Hel", "is_finished": False}
    with Wire(
        Reply(told), Reply({"id": "s1", "summary": "Hello.", "meta": meta}), Reply({"text": "Hello."}),
        Reply(stream=[json.dumps(piece).encode() + b"\n"], content_type="application/stream+json"),
    ) as wire, client(wire.url) as asking:  # fmt: skip
        asking.generate(prompt="Hi", model="command")
        asking.summarize(text="Hi", model="command")
        asking.audio.transcriptions.create(model="listens", language="en", file=b"abc")
        for _ in asking.generate_stream(prompt="Hi", model="command"):
            break
    whole, summed, heard, streamed = recorded()
    assert [span.name for span in (whole, summed)] == ["text_completion command"] * 2
    assert {span["agentops.kind"] for span in (whole, summed, heard, streamed)} == {"llm"}
    for span in (whole, summed):
        assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (5, 2)
        assert span.json("gen_ai.input.messages")[0]["parts"][0]["content"] == "Hi"
    assert [span.text for span in (whole, summed, heard, streamed)] == ["Hello."] * 3 + ["Hel"]

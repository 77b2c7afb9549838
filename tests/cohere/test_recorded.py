"""Real traffic of both versions through the real client, in every way to ask: the span says what the raw reply says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cohere.clients import async_client, client, package
from tests.model_clients import recordings
from tests.openai.recorded import Said
from tests.wire.http import Wire

EXCHANGES = recordings.of_provider("cohere")
VERSIONS = {"v1": ("Client", "AsyncClient"), "v2": ("ClientV2", "AsyncClientV2")}


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


@recordings.each(EXCHANGES)
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    with Wire(recordings.reply_of(exchange)) as wire:
        for way in _ways(exchange):
            assert recordings.asked(way, wire.url, exchange) is None
            span = recorded.one()
            left = way in (leave, leave_async)
            recordings.check(
                span,
                said(exchange, LEFT if left else None),
                "cohere",
                exchange["request"]["model"],
                "abandoned" if left else "ok",
            )
            _check_vectors_and_documents(exchange, span)


# --- every way to ask ------------------------------------------------------------------------------

LEFT = 4
"""Items that are read of a stream that is left."""


def _ways(exchange: dict[str, Any]) -> list[Any]:
    return [stream, stream_raw, leave, stream_async, leave_async] if exchange["stream"] else [whole, raw, whole_async]


def _asking(exchange: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    version, _, method = exchange["path"].lstrip("/").partition("/")
    arguments = {name: value for name, value in exchange["request"].items() if name != "stream" and value is not None}
    return version, method, arguments


def whole(url: str, exchange: dict[str, Any]) -> None:
    version, method, arguments = _asking(exchange)
    with client(url, version=VERSIONS[version][0]) as asking:
        getattr(asking, method)(**arguments)


def raw(url: str, exchange: dict[str, Any]) -> None:
    version, method, arguments = _asking(exchange)
    with client(url, version=VERSIONS[version][0]) as asking:
        getattr(asking.with_raw_response, method)(**arguments)


async def whole_async(url: str, exchange: dict[str, Any]) -> None:
    version, method, arguments = _asking(exchange)
    async with async_client(url, version=VERSIONS[version][1]) as asking:
        await getattr(asking, method)(**arguments)


def stream(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        assert list(asking.chat_stream(**_asking(exchange)[2]))


def stream_raw(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking, asking.with_raw_response.chat_stream(**_asking(exchange)[2]) as response:
        assert list(response.data)


def leave(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        recordings.leave(asking.chat_stream(**_asking(exchange)[2]), LEFT)


async def stream_async(url: str, exchange: dict[str, Any]) -> None:
    async with async_client(url) as asking:
        assert [item async for item in asking.chat_stream(**_asking(exchange)[2])]


async def leave_async(url: str, exchange: dict[str, Any]) -> None:
    async with async_client(url) as asking:
        await recordings.leave_async(asking.chat_stream(**_asking(exchange)[2]), LEFT)


# --- what the reply says, worked out by other means than ours ---------------------------------------


def said(exchange: dict[str, Any], items: int | None) -> Said:
    body = exchange["response_body"]
    if exchange["stream"]:
        return _streamed(recordings.objects(body)[:items])
    reply = json.loads(body)
    made = Said(reply.get("id") or reply.get("response_id"))
    made.usage = _figures(reply.get("usage") or reply.get("meta"))
    if reply.get("finish_reason"):
        made.finish = [reply["finish_reason"]]
    message = reply.get("message") or {}
    made.text = reply.get("text") or "".join(block["text"] for block in message.get("content") or ())
    made.thoughts = [message["tool_plan"]] if message.get("tool_plan") else []
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    made.calls = [(call["name"], json.loads(call["arguments"])) for call in calls]
    return made


def _streamed(events: list[dict[str, Any]]) -> Said:
    made = Said(events[0]["id"])
    for event in events:
        if event["type"] in ("content-start", "content-delta"):
            made.text += event["delta"]["message"]["content"]["text"]
        elif event["type"] == "message-end":
            made.finish = [event["delta"]["finish_reason"]]
            made.usage = _figures(event["delta"]["usage"])
    return made


def _figures(usage: dict[str, Any]) -> dict[str, int]:
    billed = usage["billed_units"]
    cached = usage.get("cached_tokens", 0)
    told = {
        "gen_ai.usage.input_tokens": billed.get("input_tokens", 0),
        "gen_ai.usage.output_tokens": billed.get("output_tokens", 0),
        # In tokens: where there are more of them than units that are billed, they are no part of those.
        "gen_ai.usage.cache_read.input_tokens": cached if cached <= billed.get("input_tokens", 0) else 0,
        "agentops.usage.search_units": billed.get("search_units", 0),
    }
    return {name: int(figure) for name, figure in told.items() if figure}


def _check_vectors_and_documents(exchange: dict[str, Any], span: Any) -> None:
    if exchange["stream"]:
        return
    asked, reply = exchange["request"], json.loads(exchange["response_body"])
    if exchange["api"] == "cohere.embed":
        vectors = reply["embeddings"]
        vectors = vectors["float"] if isinstance(vectors, dict) else vectors
        assert span["gen_ai.embeddings.dimension.count"] == len(vectors[0])
        texts = asked["texts"]
        assert span.json("agentops.input") == (texts if len(texts) > 1 else texts[0])
    elif exchange["api"] == "cohere.rerank":
        documents = span.json("gen_ai.retrieval.documents")
        ranked = [(each["index"], each["relevance_score"]) for each in reply["results"]]
        assert [(int(each["id"]), each["score"]) for each in documents] == ranked

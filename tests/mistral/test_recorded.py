"""Real traffic through the real client, in every way to ask: the span says what the raw reply says."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.mistral.clients import client, package
from tests.model_clients import recordings
from tests.openai import recorded as dialect
from tests.openai.recorded import Said
from tests.wire.http import Wire

EXCHANGES = recordings.of_provider("mistral")
LEFT = 2
"""Items that are read of a stream that is left."""


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


@recordings.each(EXCHANGES)
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    ways = [whole, whole_async] if not exchange["stream"] else [stream, leave, drop, stream_async, leave_async]
    with Wire(recordings.reply_of(exchange)) as wire:
        for way in ways:
            assert recordings.asked(way, wire.url, exchange) is None
            span = recorded.one()
            expected, outcome = said(exchange), "ok"
            if way in (leave, drop, leave_async):
                expected, outcome = said({**exchange, "response_body": _first(exchange, LEFT)}), "abandoned"
                if expected.finish:  # all that the model said had been read
                    outcome = "ok"
            recordings.check(span, expected, "mistral_ai", exchange["request"]["model"], outcome)
            if exchange["api"] == "embeddings":
                reply = json.loads(exchange["response_body"])
                assert span["gen_ai.embeddings.dimension.count"] == len(reply["data"][0]["embedding"])
                assert span.json("agentops.input") == exchange["request"]["input"]


def _first(exchange: dict[str, Any], count: int) -> str:
    return "\n\n".join(exchange["response_body"].split("\n\n")[:count])


# --- every way to ask ------------------------------------------------------------------------------


def _asking(method: Any, exchange: dict[str, Any]) -> dict[str, Any]:
    """The arguments that the method of this version has; for embeddings, by their name of its own."""
    body = {"inputs" if name == "input" else name: value for name, value in exchange["request"].items()}
    names = inspect.signature(method).parameters.keys() - {"stream"}
    return {name: value for name, value in body.items() if name in names and value is not None}


def whole(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        method = asking.embeddings.create if exchange["api"] == "embeddings" else asking.chat.complete
        method(**_asking(method, exchange))


async def whole_async(url: str, exchange: dict[str, Any]) -> None:
    async with client(url) as asking:
        embeds = exchange["api"] == "embeddings"
        method = asking.embeddings.create_async if embeds else asking.chat.complete_async
        await method(**_asking(method, exchange))


def stream(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking, asking.chat.stream(**_asking(asking.chat.stream, exchange)) as events:
        assert list(events)


def leave(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking, asking.chat.stream(**_asking(asking.chat.stream, exchange)) as events:
        for _ in range(LEFT):
            next(events)


def drop(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        events = asking.chat.stream(**_asking(asking.chat.stream, exchange))
        for _ in range(LEFT):
            next(events)


async def stream_async(url: str, exchange: dict[str, Any]) -> None:
    async with client(url) as asking:
        method = asking.chat.stream_async
        async with await method(**_asking(method, exchange)) as events:
            assert [event async for event in events]


async def leave_async(url: str, exchange: dict[str, Any]) -> None:
    async with client(url) as asking:
        method = asking.chat.stream_async
        async with await method(**_asking(method, exchange)) as events:
            for _ in range(LEFT):
                await anext(events)


# --- what the reply says, worked out by other means than ours ---------------------------------------


def said(exchange: dict[str, Any]) -> Said:
    if exchange["api"] == "embeddings":
        body = json.loads(exchange["response_body"])
        return Said(body["id"], body["model"], usage=dialect.figures(body["usage"]))
    made = dialect.said(exchange)
    if exchange["stream"]:
        return made
    told = json.loads(exchange["response_body"])["usage"]
    inner = told.get("prompt_tokens_details") or {}
    cached = {"gen_ai.usage.cache_read.input_tokens": inner.get("cached_tokens", told.get("num_cached_tokens"))}
    return replace(made, usage={**made.usage, **{name: value for name, value in cached.items() if value}})

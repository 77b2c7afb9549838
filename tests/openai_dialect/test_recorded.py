"""Real traffic through the real clients, sync and async: the span says what the raw reply says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.openai import recorded as recordings
from tests.openai.spans import Seen
from tests.openai_dialect.clients import CLIENTS, Client
from tests.wire.http import Reply, Wire

EXCHANGES = [
    each for each in recordings.exchanges() if each["provider"] in CLIENTS and each["api"] == "chat.completions"
]
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["id"] for each in EXCHANGES])
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    client = CLIENTS[exchange["provider"]]
    client.package()
    kind = exchange["response_headers"].get("content-type", "application/json")
    reply = Reply(exchange["response_body"], exchange["status"], kind, {"x-request-id": "req-1"})
    with Wire(reply) as wire:
        with client.client(wire.url) as asking:
            problem = attempt(asking, client, exchange)
        check(client, exchange, recorded.one(), problem)
        problem = asyncio.run(attempt_async(wire, client, exchange))
        check(client, exchange, recorded.one(), problem)


def options(client: Client, exchange: dict[str, Any], asynchronous: bool) -> dict[str, Any]:
    """What the client's own resource hands to ``post``, of a body as it was sent."""
    types, library = client.types(), client.package()
    whole = getattr(types, "ChatCompletion", object)
    if not exchange["stream"]:
        return {"body": exchange["request"], "cast_to": whole}
    stream = library.AsyncStream if asynchronous else library.Stream
    return {
        "body": exchange["request"],
        "cast_to": whole,
        "stream": True,
        "stream_cls": stream[types.ChatCompletionChunk],
    }


def attempt(asking: Any, client: Client, exchange: dict[str, Any]) -> Exception | None:
    try:
        reply = asking.post(f"{client.prefix}/chat/completions", **options(client, exchange, asynchronous=False))
        if exchange["stream"]:
            list(reply)
    except Exception as error:
        return error
    return None


async def attempt_async(wire: Wire, client: Client, exchange: dict[str, Any]) -> Exception | None:
    async with client.async_client(wire.url) as asking:
        try:
            chosen = options(client, exchange, asynchronous=True)
            reply = await asking.post(f"{client.prefix}/chat/completions", **chosen)
            if exchange["stream"]:
                async for _ in reply:
                    pass
        except Exception as error:
            return error
    return None


def check(client: Client, exchange: dict[str, Any], span: Seen, problem: Exception | None) -> None:
    assert span["gen_ai.provider.name"] == client.name
    assert span.get("gen_ai.request.model") == exchange["request"].get("model")
    assert span["agentops.request_id"] == "req-1"
    if problem is not None:
        assert exchange["status"] >= 400 or exchange["stream"], repr(problem)
        assert span.outcome == "error"
        assert span["error.type"] == f"{type(problem).__module__.partition('._')[0]}.{type(problem).__name__}"
        return
    expected = recordings.said(exchange)
    assert span.outcome == "ok"
    assert span.get("gen_ai.response.id") == expected.id
    assert span.get("gen_ai.response.model") == expected.model
    assert list(span["gen_ai.response.finish_reasons"]) == expected.finish
    usage = {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.usage.") and value}
    assert usage == expected.usage
    assert span.calls == expected.calls
    assert span.text == expected.text
    thoughts = "".join(part["content"] for part in span.parts if part["type"] == "reasoning")
    assert thoughts == reasoning(exchange)


def reasoning(exchange: dict[str, Any]) -> str:
    if exchange["stream"]:
        chunks = recordings.events(exchange["response_body"])
        deltas = [choice.get("delta") or {} for chunk in chunks for choice in chunk.get("choices") or ()]
        return "".join(delta.get("reasoning") or "" for delta in deltas)
    import json

    message = json.loads(exchange["response_body"])["choices"][0]["message"]
    return str(message.get("reasoning") or "")

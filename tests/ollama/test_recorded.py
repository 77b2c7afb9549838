"""Real traffic of its own API through the real client, in every way to ask: the span says what the raw reply says."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model_clients import recordings
from tests.ollama.clients import async_client, client, package
from tests.openai.recorded import Said
from tests.wire.http import Wire

EXCHANGES = recordings.of_provider("ollama")
LEFT = 5
"""Items that are read of a stream that is left."""


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


@recordings.each(EXCHANGES)
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    ways = [whole, whole_async] if not exchange["stream"] else [stream, leave, stream_async, leave_async]
    lines = recordings.objects(exchange["response_body"])
    with Wire(recordings.reply_of(exchange)) as wire:
        for way in ways:
            assert recordings.asked(way, wire.url, exchange) is None
            left = way in (leave, leave_async)
            expected = said(lines[:LEFT] if left else lines)
            model = exchange["request"]["model"]
            recordings.check(recorded.one(), expected, "ollama", model, "abandoned" if left else "ok")


# --- every way to ask ------------------------------------------------------------------------------


def _asked(asking: Any, exchange: dict[str, Any]) -> Any:
    return getattr(asking, exchange["api"].partition(".")[2])(**exchange["request"])


def whole(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        _asked(asking, exchange)


def stream(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        assert list(_asked(asking, exchange))


def leave(url: str, exchange: dict[str, Any]) -> None:
    with client(url) as asking:
        recordings.leave(_asked(asking, exchange), LEFT)


async def whole_async(url: str, exchange: dict[str, Any]) -> None:
    async with async_client(url) as asking:
        await _asked(asking, exchange)


async def stream_async(url: str, exchange: dict[str, Any]) -> None:
    async with async_client(url) as asking:
        assert [item async for item in await _asked(asking, exchange)]


async def leave_async(url: str, exchange: dict[str, Any]) -> None:
    async with async_client(url) as asking:
        await recordings.leave_async(await _asked(asking, exchange), LEFT)


# --- what the reply says, worked out by other means than ours ---------------------------------------


def said(lines: list[dict[str, Any]]) -> Said:
    last = lines[-1]
    messages = [line.get("message") or line for line in lines]
    made = Said(None, last["model"])
    made.text = "".join(message.get("content", message.get("response", "")) for message in messages)
    thought = "".join(message.get("thinking") or "" for message in messages)
    made.thoughts = [thought] if thought else []
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    made.calls = [(call["name"], call["arguments"]) for call in calls]
    made.finish = [last["done_reason"]] if last["done"] else []
    told = {"input_tokens": last.get("prompt_eval_count"), "output_tokens": last.get("eval_count")}
    made.usage = {f"gen_ai.usage.{name}": count for name, count in told.items() if count}
    return made

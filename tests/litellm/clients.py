"""LiteLLM as the tests call it, and what the servers behind it send."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import pytest
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from tests.model_clients.endings import StreamCase
from tests.openai_dialect.clients import chunk, event

# At its import it would fetch a table of prices, three times, from a server that is not there.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

WARNINGS = (
    "ignore:Item.*`ReadOnly` qualifier:UserWarning",  # of its own types, as they are imported bit by bit
    "ignore:Accessing the 'model_:DeprecationWarning",
    "ignore:Exception ignored in. <(function BaseEv|socket|coroutine.*Logg):pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed (event loop|<socket):ResourceWarning",
    "ignore:coroutine 'Logging.*was never awaited:RuntimeWarning",
)

MODEL = "gpt-4o"
MESSAGES = [{"role": "user", "content": "What is the weather in Paris?"}]
ASKED: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}

CLAUDE = "claude-sonnet-4-20250514"
CLAUDE_USAGE = {
    "input_tokens": 1000, "output_tokens": 200, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 20,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 20},
}  # fmt: skip
CLAUDE_MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "stop_reason": "end_turn",
    "content": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "Sunny."}],
    "usage": CLAUDE_USAGE,
}  # fmt: skip


def package() -> Any:
    litellm = pytest.importorskip("litellm", reason="needs litellm")
    _warm_up(litellm)
    return litellm


@cache
def _warm_up(litellm: Any) -> None:
    """Have LiteLLM import, and warn of, what it does with its first stream: it takes a warning for the provider's."""
    litellm.disable_streaming_logging = True  # for each chunk an event loop, in a thread that no test waits for
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        list(litellm.completion(MODEL, MESSAGES, mock_response="Sunny.", stream=True))
    detach(token)


def whole(message: dict[str, Any], usage: Any = USAGE) -> dict[str, Any]:
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06", "choices": [choice]}
    return body if usage is None else {**body, "usage": usage}


def at(url: str, **options: Any) -> dict[str, Any]:
    """What is said of the server with each call."""
    return {"api_base": url, "api_key": "none", **options}


@contextmanager
def client(url: str, **options: Any) -> Iterator[dict[str, Any]]:
    package()
    yield at(url, **options)


@asynccontextmanager
async def async_client(url: str, **options: Any) -> AsyncIterator[dict[str, Any]]:
    yield at(url, **options)


class OpenAICase(StreamCase):
    """Through OpenAI's client, which is recorded by itself where LiteLLM is not above it."""

    finish = b"data: [DONE]\n\n"
    pieces = (
        event(chunk({"role": "assistant", "content": ""})),
        event(chunk({"content": "Sun"})),
        event(chunk({"content": "ny."})),
        event(chunk({}, finish_reason="stop")),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.")
    model = MODEL

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return async_client(url, **options)

    def stream(self, client: Any) -> Any:
        return package().completion(model=self.model, messages=MESSAGES, stream=True, **client)

    async def stream_async(self, client: Any) -> Any:
        return await package().acompletion(model=self.model, messages=MESSAGES, stream=True, **client)

    async def aclose(self, stream: Any) -> None:
        await stream.aclose()


def claude_event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


def claude_text(text: str) -> bytes:
    return claude_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


CLAUDE_EVENTS = (
    claude_event("message_start", message={**CLAUDE_MESSAGE, "content": [], "stop_reason": None})
    + claude_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    claude_text("Sun"),
    claude_text("ny."),
    claude_event("content_block_stop", index=0)
    + claude_event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 200})
    + claude_event("message_stop"),
)

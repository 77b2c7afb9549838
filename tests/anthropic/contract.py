"""How the contract's tests drive Anthropic's client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-next-20260101",
    "content": [{"type": "text", "text": "Sunny."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "output_tokens": 4},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sun"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ny."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]


class AnthropicDriver(Driver):
    span = "chat claude-next"
    optional = {"anthropic._base_client.start_api_call_span": "older versions make no spans of their own"}
    packages = ("anthropic",)

    def answer(self, request: Request) -> Reply:
        if not request.body.get("stream"):
            return Reply(MESSAGE)
        events = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS]
        return Reply(stream=events, content_type="text/event-stream")

    def client(self, url: str) -> Any:
        import anthropic

        transport = anthropic.DefaultHttpxClient(verify=False)
        return anthropic.Anthropic(
            base_url=url.removesuffix("/v1"), api_key="none", max_retries=0, http_client=transport
        )

    def async_client(self, url: str) -> Any:
        import anthropic

        transport = anthropic.DefaultAsyncHttpxClient(verify=False)
        return anthropic.AsyncAnthropic(
            base_url=url.removesuffix("/v1"), api_key="none", max_retries=0, http_client=transport
        )

    def arguments(self) -> dict[str, Any]:
        return {
            "model": "claude-next",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
            "tools": [{"name": "weather", "description": "tells it", "input_schema": {"type": "object"}}],
        }

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.messages.create(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.messages.create(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        with client.messages.create(**arguments, stream=True) as events:
            yield events

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async with await client.messages.create(**arguments, stream=True) as events:
            yield events


driver = AnthropicDriver()

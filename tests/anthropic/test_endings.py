"""The ways out of a stream."""

from __future__ import annotations

from typing import Any

import pytest
from tests.anthropic.test_messages import ASKED, EVENTS, USAGE, WHOLE, anthropic, event
from tests.model_clients.endings import StreamCase, StreamEndings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Case(StreamCase):
    pieces = (
        event({"type": "message_start", "message": {**WHOLE, "content": [], "stop_reason": None, "usage": USAGE}}),
        event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Sun"}}),
        event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ny."}}),
        event(EVENTS[6]),
        event(EVENTS[7]),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.", "Sunny.")
    error = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

    def client(self, url: str, **options: Any) -> Any:
        return anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return anthropic.AsyncAnthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0, **options)

    def stream(self, client: Any) -> Any:
        return client.messages.create(**ASKED, stream=True)

    async def stream_async(self, client: Any) -> Any:
        return await client.messages.create(**ASKED, stream=True)


class TestEndings(StreamEndings):
    case = Case()

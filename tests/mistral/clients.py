"""How the client is made, and what its server sends."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model_clients.endings import StreamCase
from tests.openai_dialect.clients import chunk, event

MODEL = "mistral-small-latest"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


def whole(message: dict[str, Any], usage: Any = None) -> dict[str, Any]:
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {
        "id": "1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice],
        "usage": usage or USAGE,
    }  # fmt: skip


def package() -> Any:
    return pytest.importorskip("mistralai.client", reason="needs mistralai")


def client(url: str, timeout: float | None = None, **options: Any) -> Any:
    milliseconds = None if timeout is None else int(timeout * 1000)
    return package().Mistral(api_key="none", server_url=url.removesuffix("/v1"), timeout_ms=milliseconds, **options)


class Case(StreamCase):
    finish = b"data: [DONE]\n\n"
    pieces = (
        event(chunk({"role": "assistant", "content": ""})),
        event(chunk({"content": "Sun"})),
        event(chunk({"content": "ny."})),
        event(chunk({"content": ""}, finish_reason="stop", usage=USAGE)),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.")

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def stream(self, client: Any) -> Any:
        return client.chat.stream(**ASKED)

    async def stream_async(self, client: Any) -> Any:
        return await client.chat.stream_async(**ASKED)

    def close(self, stream: Any) -> None:
        stream.response.close()

    async def aclose(self, stream: Any) -> None:
        await stream.response.aclose()

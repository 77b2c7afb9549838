"""How the client is made, and what its server sends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase

MODEL = "command-a-03-2025"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
USAGE = {
    "billed_units": {"input_tokens": 1000, "output_tokens": 200},
    "tokens": {"input_tokens": 1400, "output_tokens": 210},
}


def whole(**message: Any) -> dict[str, Any]:
    reason = "TOOL_CALL" if message.get("tool_calls") else "COMPLETE"
    return {"id": "1", "message": {"role": "assistant", **message}, "finish_reason": reason, "usage": USAGE}


def event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


def text(kind: str, content: str) -> bytes:
    content_type = {"type": "text"} if kind == "content-start" else {}
    return event(kind, index=0, delta={"message": {"content": {**content_type, "text": content}}})


def package() -> Any:
    return pytest.importorskip("cohere", reason="needs cohere")


@contextlib.contextmanager
def client(url: str, timeout: float | None = None, version: str = "ClientV2") -> Iterator[Any]:
    import httpx

    with httpx.Client(timeout=timeout, verify=False) as transport:
        cls = getattr(package(), version)
        yield cls(api_key="none", base_url=url.removesuffix("/v1"), timeout=timeout, httpx_client=transport)


@contextlib.asynccontextmanager
async def async_client(url: str, timeout: float | None = None, version: str = "AsyncClientV2") -> AsyncIterator[Any]:
    import httpx

    async with httpx.AsyncClient(timeout=timeout, verify=False) as transport:
        cls = getattr(package(), version)
        yield cls(api_key="none", base_url=url.removesuffix("/v1"), timeout=timeout, httpx_client=transport)


class Case(StreamCase):
    pieces = (
        event("message-start", id="1", delta={"message": {"role": "assistant"}}),
        text("content-start", "Sun"),
        text("content-delta", "ny."),
        event("message-end", delta={"finish_reason": "COMPLETE", "usage": USAGE}),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.")

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return async_client(url, **options)

    def stream(self, client: Any) -> Any:
        return client.chat_stream(**ASKED)

    async def stream_async(self, client: Any) -> Any:
        return client.chat_stream(**ASKED)

    async def aclose(self, stream: Any) -> None:
        await stream.aclose()

"""How the client is made, and what its server sends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase

MODEL = "gemini-2.5-flash"
USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 200,
    "thoughtsTokenCount": 50,
    "toolUsePromptTokenCount": 100,
    "totalTokenCount": 1350,
}


def reply(*parts: dict[str, Any], finish: str | None = "STOP", usage: Any = USAGE, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": MODEL, "responseId": "r1", "usageMetadata": usage, **more}


def event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\r\n\r\n".encode()


def package() -> Any:
    return pytest.importorskip("google.genai", reason="needs google-genai")


def options(url: str, timeout: float | None = None) -> dict[str, Any]:
    http = {"base_url": url.removesuffix("/v1"), "timeout": None if timeout is None else int(timeout * 1000)}
    return {"api_key": "none", "http_options": http}


@contextlib.contextmanager
def client(url: str, timeout: float | None = None) -> Iterator[Any]:
    from google import genai

    made = genai.Client(**options(url, timeout))
    try:
        yield made
    finally:
        made.close()


@contextlib.asynccontextmanager
async def async_client(url: str, timeout: float | None = None) -> AsyncIterator[Any]:
    from google import genai

    made = genai.Client(**options(url, timeout))
    try:
        yield made.aio
    finally:
        await made.aio.aclose()
        made.close()


class Case(StreamCase):
    pieces = (
        event(reply({"text": ""}, finish=None)),
        event(reply({"text": "Sun"}, finish=None)),
        event(reply({"text": "ny."}, finish=None)),
        event(reply({"text": ""})),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.")
    error = event({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})

    def client(self, url: str, **given: Any) -> Any:
        return client(url, **given)

    def async_client(self, url: str, **given: Any) -> Any:
        return async_client(url, **given)

    def stream(self, client: Any) -> Any:
        return client.models.generate_content_stream(model=MODEL, contents="What is the weather in Paris?")

    async def stream_async(self, client: Any) -> Any:
        return await client.models.generate_content_stream(model=MODEL, contents="What is the weather in Paris?")

    async def aclose(self, stream: Any) -> None:
        await stream.aclose()

"""How the client is made, and what its server sends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase

MODEL = "llama3.1"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "What is the weather in Paris?"}]}


def line(content: str, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **more}


WHOLE = line("Sunny.", done=True, done_reason="stop", prompt_eval_count=21, eval_count=8)


def package() -> Any:
    return pytest.importorskip("ollama", reason="needs ollama")


@contextlib.contextmanager
def client(url: str, **options: Any) -> Iterator[Any]:
    made = package().Client(host=url.removesuffix("/v1"), verify=False, **options)
    try:
        yield made
    finally:
        made._client.close()


@contextlib.asynccontextmanager
async def async_client(url: str, **options: Any) -> AsyncIterator[Any]:
    made = package().AsyncClient(host=url.removesuffix("/v1"), verify=False, **options)
    try:
        yield made
    finally:
        await made._client.aclose()


class Case(StreamCase):
    content_type = "application/x-ndjson"
    pieces = tuple(
        json.dumps(each).encode() + b"\n"
        for each in (line(""), line("Sun"), line("ny."), {**WHOLE, "message": {"role": "assistant", "content": ""}})
    )
    texts = ("", "Sun", "Sunny.", "Sunny.")
    error = b'{"error": "out of memory"}\n'

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return async_client(url, **options)

    def stream(self, client: Any) -> Any:
        return client.chat(**ASKED, stream=True)

    async def stream_async(self, client: Any) -> Any:
        return await client.chat(**ASKED, stream=True)

    async def aclose(self, stream: Any) -> None:
        await stream.aclose()

"""The clients of other providers that speak OpenAI's dialect, and how each is made."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase

ASKED: dict[str, Any] = {
    "model": "a-model",
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "tells it",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "a-model", "choices": [choice], **more}


def event(body: dict[str, Any], name: str | None = None) -> bytes:
    return f"{f'event: {name}' + chr(10) if name else ''}data: {json.dumps(body)}\n\n".encode()


class Client(StreamCase):
    """One of them.

    Args:
        module: import name.
        cls: name of its class; the asynchronous one's has ``Async`` before it.
        prefix: what it puts before the paths that others have.
        usage: where the last chunk of a stream has its usage.
        options: what its constructor takes beside.
        error_event: the name of an error's event in a stream.
    """

    finish = b"data: [DONE]\n\n"
    texts = ("", "Sun", "Sunny.", "Sunny.")

    def __init__(
        self, name: str, module: str, cls: str, *, prefix: str = "/v1", usage: Any = None, options: Any = None,
        error_event: str | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.module = module
        self.prefix = prefix
        self._class = cls
        self._options = options or {}
        self.pieces = [
            event(chunk({"role": "assistant", "content": ""})),
            event(chunk({"content": "Sun"})),
            event(chunk({"content": "ny."})),
            event(chunk({}, finish_reason="stop", **(usage or {"usage": USAGE}))),
        ]
        self.error = event({"error": {"message": "overloaded", "type": "server_error", "code": "busy"}}, error_event)

    def package(self) -> Any:
        return pytest.importorskip(self.module, reason=f"needs {self.module}")

    def client(self, url: str, **options: Any) -> Any:
        transport = self.package().DefaultHttpxClient(verify=False)  # no certificates to load: ten times faster
        return self._create(self._class, url, http_client=transport, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        transport = self.package().DefaultAsyncHttpxClient(verify=False)
        return self._create(f"Async{self._class}", url, http_client=transport, **options)

    def _create(self, name: str, url: str, **options: Any) -> Any:
        cls = getattr(self.package(), name)
        known = inspect.signature(cls).parameters
        options = {"base_url": url.removesuffix("/v1"), "api_key": "none", "max_retries": 0, **self._options, **options}
        return cls(**{name: value for name, value in options.items() if name in known})

    def stream(self, client: Any) -> Any:
        return client.chat.completions.create(**ASKED, stream=True)

    async def stream_async(self, client: Any) -> Any:
        return await client.chat.completions.create(**ASKED, stream=True)

    def types(self) -> Any:
        return importlib.import_module(f"{self.module}.types.chat")


CLIENTS = {
    client.name: client
    for client in (
        Client("groq", "groq", "Groq", prefix="/openai/v1", usage={"x_groq": {"id": "req_1", "usage": USAGE}}),
        Client("cerebras", "cerebras.cloud.sdk", "Cerebras", options={"warm_tcp_connection": False}),
        Client("together", "together", "Together"),
        Client("perplexity", "perplexity", "Perplexity", prefix="", error_event="error"),
    )
}

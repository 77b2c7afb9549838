"""How the client is made, and what its server sends: event streams in the encoding that AWS has for them."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ASKED: dict[str, Any] = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": "What is the weather in Paris?"}]}],
}
TOOL: dict[str, Any] = {
    "toolSpec": {"name": "weather", "description": "Look it up.", "inputSchema": {"json": {"type": "object"}}}
}
USAGE = {"inputTokens": 21, "outputTokens": 8, "totalTokens": 29}


def whole(*content: dict[str, Any], reason: str = "end_turn", usage: dict[str, Any] = USAGE) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 7}}


def encoded(headers: dict[str, str], payload: bytes) -> bytes:
    lines = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(lines) + len(payload), len(lines))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + lines + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(kind: str, body: Any) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return encoded(headers, json.dumps(body).encode())


def failure(kind: str) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return encoded(headers, b'{"message": "too many"}')


def delta(index: int, **what: Any) -> bytes:
    return event("contentBlockDelta", {"delta": what, "contentBlockIndex": index})


def package() -> Any:
    return pytest.importorskip("boto3", reason="needs boto3")


@contextlib.contextmanager
def client(url: str, timeout: float = 30, retries: int = 0, service: str = "bedrock-runtime") -> Iterator[Any]:
    boto3 = package()
    from botocore.config import Config

    made = boto3.session.Session().client(
        service,
        region_name="us-east-1",
        endpoint_url=url.removesuffix("/v1"),
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(read_timeout=timeout, retries={"max_attempts": retries, "mode": "standard"}, proxies={}),
    )
    with contextlib.closing(made):
        yield made


class Events:
    """The event stream of a reply, as an iterator that can be closed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._events = iter(stream)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._events)

    def close(self) -> None:
        self._stream.close()


class Case(StreamCase):
    pieces = (
        event("messageStart", {"role": "assistant"}),
        delta(0, text="Sun"),
        delta(0, text="ny."),
        event("messageStop", {"stopReason": "end_turn"}),
        event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 7}}),
    )
    texts = ("", "Sun", "Sunny.", "Sunny.", "Sunny.")
    error = failure("throttlingException")
    content_type = "application/vnd.amazon.eventstream"

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def stream(self, client: Any) -> Any:
        return Events(client.converse_stream(**ASKED)["stream"])

"""How the client is made; and its server, which speaks gRPC and asks a web server for what it answers, as JSON."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.model_clients.endings import StreamCase
from tests.wire.gateway import asked

MODEL = "grok-4"
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "reasoning_tokens": 7,
    "total_tokens": 22,
    "cached_prompt_text_tokens": 4,
    "cost_in_usd_ticks": 12_345_678,
}


def package() -> Any:
    return pytest.importorskip("xai_sdk", reason="needs xai-sdk")


def whole(**message: Any) -> dict[str, Any]:
    reason = "REASON_TOOL_CALLS" if message.get("tool_calls") else "REASON_STOP"
    output = {"message": {"role": "ROLE_ASSISTANT", **message}, "finish_reason": reason}
    return {"id": "1", "model": MODEL, "outputs": [output], "usage": USAGE}


def chunk(content: str = "", **more: Any) -> bytes:
    output = {"delta": {"content": content, "role": "ROLE_ASSISTANT"}, **more.pop("output", {})}
    return json.dumps({"id": "1", "model": MODEL, "outputs": [output], **more}).encode() + b"\n"


def _servicer(url: str) -> Any:
    from google.protobuf import json_format
    from xai_sdk.proto import chat_pb2, chat_pb2_grpc, deferred_pb2

    def ask(path: str, request: Any, context: Any, **more: Any) -> Any:
        body = {**json_format.MessageToDict(request, preserving_proto_field_name=True), **more}
        return asked(f"{url}/{path}", body, context)

    def answer(path: str, request: Any, context: Any, kind: Any) -> Any:
        with ask(path, request, context) as reply:
            return json_format.Parse(reply.read(), kind())

    class Servicer(chat_pb2_grpc.ChatServicer):
        def GetCompletion(self, request: Any, context: Any) -> Any:
            return answer("chat", request, context, chat_pb2.GetChatCompletionResponse)

        def GetCompletionChunk(self, request: Any, context: Any) -> Iterator[Any]:
            with ask("chat", request, context, stream=True) as reply:
                for line in reply:
                    yield json_format.Parse(line, chat_pb2.GetChatCompletionChunk())

        def StartDeferredCompletion(self, request: Any, context: Any) -> Any:
            return deferred_pb2.StartDeferredResponse(request_id="d1")

        def GetDeferredCompletion(self, request: Any, context: Any) -> Any:
            reply = answer("chat", request, context, chat_pb2.GetChatCompletionResponse)
            return chat_pb2.GetDeferredCompletionResponse(status="DONE", response=reply)

        def CompactContext(self, request: Any, context: Any) -> Any:
            return answer("compact", request, context, chat_pb2.CompactContextResponse)

    return Servicer()


@contextlib.contextmanager
def _gateway(url: str) -> Iterator[str]:
    import grpc
    from xai_sdk.proto import chat_pb2_grpc

    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        chat_pb2_grpc.add_ChatServicer_to_server(_servicer(url), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(0).wait()


@contextlib.contextmanager
def client(url: str, timeout: float | None = None) -> Iterator[Any]:
    package()
    with _gateway(url) as host:
        connected = package().Client("none", api_host=host, timeout=timeout, use_insecure_channel=True)
        try:
            yield connected
        finally:
            connected.close()


@contextlib.asynccontextmanager
async def async_client(url: str, timeout: float | None = None) -> AsyncIterator[Any]:
    package()
    with _gateway(url) as host:
        connected = package().AsyncClient("none", api_host=host, timeout=timeout, use_insecure_channel=True)
        try:
            yield connected
        finally:
            await connected.close()


def chat(client: Any, **options: Any) -> Any:
    from xai_sdk.chat import user

    return client.chat.create(model=MODEL, messages=[user("What is the weather in Paris?")], **options)


class Case(StreamCase):
    pieces = (chunk(), chunk("Sun"), chunk("ny."), chunk(output={"finish_reason": "REASON_STOP"}, usage=USAGE))
    texts = ("", "Sun", "Sunny.", "Sunny.")
    content_type = "application/jsonl"

    def client(self, url: str, **options: Any) -> Any:
        return client(url, **options)

    def async_client(self, url: str, **options: Any) -> Any:
        return async_client(url, **options)

    def stream(self, client: Any) -> Any:
        return chat(client).stream()

    async def stream_async(self, client: Any) -> Any:
        return chat(client).stream()

    async def aclose(self, stream: Any) -> None:
        await stream.aclose()

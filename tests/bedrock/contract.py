"""How the contract's tests drive the client of Amazon Bedrock."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bedrock.clients import ASKED, MODEL, TOOL, Case, Events, client, whole
from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request


class BedrockDriver(Driver):
    span = f"chat {MODEL}"
    packages = ("botocore",)
    modules = ("botocore.client",)
    needs = ("boto3",)
    lacks = {"call_async": "botocore is not asynchronous", "stream_async": "botocore is not asynchronous"}
    refusal = Reply({"message": "refused"}, status=400, headers={"x-amzn-errortype": "ValidationException"})

    def answer(self, request: Request) -> Reply:
        return Case().whole() if request.path.endswith("converse-stream") else Reply(whole({"text": "Sunny."}))

    def client(self, url: str) -> Any:
        return client(url)

    def arguments(self) -> dict[str, Any]:
        options = {"inferenceConfig": {"stopSequences": ["END"]}, "toolConfig": {"tools": [TOOL]}}
        return copy.deepcopy({**ASKED, **options})

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.converse(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        events = Events(client.converse_stream(**arguments)["stream"])
        try:
            yield events
        finally:
            events.close()


driver = BedrockDriver()

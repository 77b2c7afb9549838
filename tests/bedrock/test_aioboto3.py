"""The asynchronous client: whole replies, streams, and bodies that are read."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.bedrock.clients import ASKED, MODEL, Case, whole
from tests.wire.http import CUT, Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

aioboto3 = pytest.importorskip("aioboto3", reason="needs aioboto3")
pytestmark = [  # connections are left to the collector where a stream is left
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore:.*[Uu]nclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

INVOKED = {
    "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Sunny."}], "usage": {"input_tokens": 21, "output_tokens": 8},
}  # fmt: skip


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Any]:
    from botocore.config import Config

    session = aioboto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")
    config = Config(retries={"max_attempts": 0, "mode": "standard"}, proxies={})
    async with session.client("bedrock-runtime", endpoint_url=url.removesuffix("/v1"), config=config) as made:
        yield made


async def converse(asking: Any) -> None:
    reply = await asking.converse(**ASKED)
    assert reply["output"]["message"]["content"] == [{"text": "Sunny."}]


async def stream(asking: Any) -> None:
    reply = await asking.converse_stream(**ASKED)
    assert [event async for event in reply["stream"]]


async def leave(asking: Any) -> None:
    reply = await asking.converse_stream(**ASKED)
    async for _ in reply["stream"]:
        break
    del reply
    gc.collect()


async def invoke(asking: Any) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Paris?"}], "max_tokens": 5})
    reply = await asking.invoke_model(modelId=MODEL, body=body)
    assert json.loads(await reply["body"].read()) == INVOKED


Ask = Callable[[Any], Any]
WHOLE, PIECES = Reply(whole({"text": "Sunny."})), Case().whole()
REFUSED = Reply({"message": "refused"}, status=400, headers={"x-amzn-errortype": "ValidationException"})
CUT_OFF = Reply(stream=[*Case.pieces[:2], CUT], content_type=Case.content_type)


@pytest.mark.parametrize(
    ("ask", "answer", "outcome", "raises"),
    [
        (converse, WHOLE, "ok", False), (stream, PIECES, "ok", False), (invoke, Reply(INVOKED), "ok", False),
        (leave, PIECES, "abandoned", False), (converse, REFUSED, "error", True), (stream, CUT_OFF, "error", True),
    ],
    ids=["converse", "stream", "invoke", "left", "refused", "cut"],
)  # fmt: skip
def test_a_call_is_one_span(ask: Ask, answer: Reply, outcome: str, raises: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    async def run(url: str) -> None:
        async with client(url) as asking:
            await ask(asking)

    with Wire(answer) as wire:
        if raises:
            with pytest.raises(Exception, match=r"."):
                asyncio.run(run(wire.url))
        else:
            asyncio.run(run(wire.url))
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    facts: Any = span.attributes
    assert (span.name, facts["agentops.outcome"]) == (f"chat {MODEL}", outcome)
    assert facts["gen_ai.provider.name"] == "aws.bedrock"
    if outcome == "ok":
        assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (21, 8)
        assert "Sunny." in facts["gen_ai.output.messages"]

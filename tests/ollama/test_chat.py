"""Chats, completions, embeddings, refusals."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.ollama.clients import ASKED, MODEL, WHOLE, async_client, client, line, package
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


TOOLS = [
    {
        "type": "function",
        "function": {"name": "weather", "description": "tells it", "parameters": {"type": "object", "properties": {}}},
    }
]


def test_a_whole_reply(recorded: Any) -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Paris"}}}
    body = {**WHOLE, "message": {"role": "assistant", "content": "", "thinking": "I look.", "tool_calls": [call]}}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.chat(**ASKED, tools=TOOLS, options={"temperature": 0.5, "num_predict": 100})
        port = wire.port
    span = recorded.one()
    assert span.name == f"chat {MODEL}"
    assert span["gen_ai.provider.name"] == "ollama"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert span["gen_ai.request.temperature"] == 0.5
    assert span["gen_ai.request.max_tokens"] == 100
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span["agentops.decision.chosen"] == "weather"
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


def test_calls_of_tools_in_a_stream(recorded: Any) -> None:
    calls = [{"function": {"name": "weather", "arguments": {"city": city}}} for city in ("Paris", "Rome")]
    pieces = [line("", message={"tool_calls": [call]}) for call in calls]
    lines = [json.dumps(each) + "\n" for each in (*pieces, {**WHOLE, "message": {"role": "assistant", "content": ""}})]
    with Wire(Reply(stream=lines, content_type="application/x-ndjson")) as wire, client(wire.url) as asking:
        list(asking.chat(**ASKED, tools=TOOLS, stream=True))
    assert recorded.one().calls == [("weather", {"city": "Paris"}), ("weather", {"city": "Rome"})]


def test_a_refused_request(recorded: Any) -> None:
    with Wire(Reply({"error": "model not found"}, 404)) as wire, client(wire.url) as asking:
        for options in ({}, {"stream": True}):
            with pytest.raises(package().ResponseError):
                list(asking.chat(**ASKED, **options))
            span = recorded.one()
            assert span.outcome == "error"
            assert span["error.type"].endswith(".ResponseError")


def test_embeddings(recorded: Any) -> None:
    body = {"model": MODEL, "embeddings": [[0.5] * 8], "prompt_eval_count": 3}
    with Wire(Reply(body)) as wire, client(wire.url) as asking:
        asking.embed(model=MODEL, input="a text")
    span = recorded.one()
    assert span.name == f"embeddings {MODEL}"
    assert span["gen_ai.embeddings.dimension.count"] == 8
    assert span["gen_ai.usage.input_tokens"] == 3


def test_functions_of_the_module_and_what_has_no_row(recorded: Any) -> None:
    with Wire(Reply({"models": []})) as wire, client(wire.url) as asking:
        asking.list()
    assert recorded.one().name == "tags.list"


def test_nothing_is_left_patched() -> None:
    owners = (package().Client, package().AsyncClient)
    before = [vars(owner)["_request"] for owner in owners]
    agentops.init(exporters=["memory"], integrations=["ollama"])
    assert all(vars(owner)["_request"] is not then for owner, then in zip(owners, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)["_request"] is then for owner, then in zip(owners, before, strict=True))


def test_of_a_stream_that_nobody_reads_nothing_was_asked(recorded: Any) -> None:
    async def ask(url: str) -> None:
        async with async_client(url) as asking:
            await (await asking.chat(**ASKED, stream=True)).aclose()

    with Wire(Reply(WHOLE)) as wire:
        with client(wire.url) as asking:
            asking.chat(**ASKED, stream=True).close()
        asyncio.run(ask(wire.url))
        assert wire.requests == []
    assert recorded() == []

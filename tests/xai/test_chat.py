"""Chats in every style, with the cost that the service tells, its own tools, and none of the client's own spans."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.own_provider import set_provider
from tests.wire.http import Reply, Wire
from tests.xai.clients import MODEL, USAGE, async_client, chat, client, package, whole

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


def test_a_reply_with_a_call(recorded: Any) -> None:
    from xai_sdk.chat import tool

    call = {"id": "c1", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    offered = [tool("weather", "Tells it", {"type": "object"})]
    reply = Reply(whole(reasoning_content="Hm.", tool_calls=[{**call, "type": 1}]))
    with Wire(reply) as wire, client(wire.url) as asking:
        chat(asking, tools=offered, temperature=0.5, reasoning_effort="high").sample()
    span = recorded.one()
    assert (span.name, span["gen_ai.provider.name"]) == (f"chat {MODEL}", "x_ai")
    assert span["server.address"] == "127.0.0.1"
    assert (span["gen_ai.request.temperature"], span["gen_ai.request.reasoning.level"]) == (0.5, "high")
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert span.calls == [("weather", {"city": "Paris"})]
    assert span["agentops.decision.chosen"] == "weather"
    assert '"parameters":{"type":"object"}' in span["gen_ai.tool.definitions"]
    # thinking is counted beside the answer
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (10, 12)
    assert (span["gen_ai.usage.reasoning.output_tokens"], span["gen_ai.usage.cache_read.input_tokens"]) == (7, 4)
    assert span["agentops.cost.source"] == "provider"
    assert float(span["agentops.cost.amount"]) == pytest.approx(0.0012345678, rel=1e-9)


def test_other_styles(recorded: Any) -> None:
    from pydantic import BaseModel

    class Answer(BaseModel):
        warm: bool

    compacted = Reply({"id": "2", "encrypted_content": "x", "usage": USAGE})
    replies = [Reply(whole(content='{"warm": true}'))] * 2 + [compacted]
    with Wire(*replies) as wire, client(wire.url) as asking:
        assert chat(asking).parse(Answer)[1].warm
        assert chat(asking).defer().content
        assert asking.chat.compact_context(MODEL, chat(asking).messages).id == "2"
    parsed, deferred, compact = recorded()
    assert parsed["gen_ai.output.type"] == "json"
    assert {span.name for span in (parsed, deferred, compact)} == {f"chat {MODEL}"}
    assert [span["gen_ai.usage.output_tokens"] for span in (parsed, deferred, compact)] == [12, 12, 12]


def test_what_the_server_runs_is_no_choice_of_ours(recorded: Any) -> None:
    from xai_sdk.tools import web_search

    search = {
        "id": "s1",
        "type": "TOOL_CALL_TYPE_WEB_SEARCH_TOOL",
        "function": {"name": "web_search", "arguments": "{}"},
    }
    steps = whole(tool_calls=[search])
    steps["outputs"] += [{**whole(content="Sunny.")["outputs"][0], "index": 1}]
    with Wire(Reply(steps)) as wire, client(wire.url) as asking:
        assert chat(asking, tools=[web_search()]).sample().content == "Sunny."
    span = recorded.one()
    (message,) = span.output
    assert [part["type"] for part in message["parts"]] == ["text", "executed_tool"]
    assert not span.calls


@pytest.mark.parametrize("later", [False, True])
def test_a_call_counts_once_in_the_programs_own_exporter(recorded: Any, later: bool) -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from xai_sdk.aio import chat as aio
    from xai_sdk.sync import chat as sync

    exported = InMemorySpanExporter()

    async def ask(url: str) -> None:
        async with async_client(url) as asking:
            await chat(asking).sample()

    with pytest.MonkeyPatch.context() as patch, Wire(Reply(whole(content="Sunny."))) as wire:
        if not later:
            agentops.shutdown()
        set_provider(patch, exported)
        for module in (aio, sync):  # which they look for as soon as there is a provider
            patch.setattr(module.tracer, "_real_tracer", None)
        if not later:
            recorded.start()
        with client(wire.url) as asking:
            chat(asking).sample()
        asyncio.run(ask(wire.url))
    assert [span.name for span in recorded()] == ["chat grok-4"] * 2
    assert [span.name for span in exported.get_finished_spans()] == ["chat grok-4"] * 2

"""Tools that the client runs by itself: a span for each of the model's calls, and one for each run of a tool."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import pytest
from tests.anthropic.test_messages import USAGE, Wire, anthropic, how, own_provider, stream
from tests.wire.http import Reply

import agentops_sdk as agentops

if not hasattr(anthropic, "beta_async_tool"):
    pytest.skip(f"anthropic {anthropic.__version__} has no tool runner", allow_module_level=True)

KNOWS_IDS = hasattr(importlib.import_module("anthropic.lib.tools._beta_runner"), "tool_use_span")  # not before 2
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Pydantic serializer:UserWarning"),
]


def message(ident: str, reason: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": ident, "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": list(content),
        "stop_reason": reason, "stop_sequence": None, "usage": USAGE,
    }  # fmt: skip


USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
FAIL = {"type": "tool_use", "id": "toolu_2", "name": "boom", "input": {}}
REPLIES = (message("msg_1", "tool_use", USE, FAIL), message("msg_2", "end_turn", {"type": "text", "text": "Sunny."}))
ASKED: dict[str, Any] = {
    "model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Weather?"}],
}  # fmt: skip


def _weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: where
    """
    return f"sunny in {city}"


def _boom() -> str:
    """Fails."""
    raise KeyError("no")


async def _weather_async(city: str) -> str:
    """Tells the weather."""
    with agentops.span("look"):
        await asyncio.sleep(0)
    return f"sunny in {city}"


async def _boom_async() -> str:
    """Fails."""
    raise KeyError("no")


def tools() -> list[Any]:
    return [anthropic.beta_tool(name="weather")(_weather), anthropic.beta_tool(name="boom")(_boom)]


def async_tools() -> list[Any]:
    tool = anthropic.beta_async_tool
    return [tool(name="weather")(_weather_async), tool(name="boom")(_boom_async)]


def events(body: dict[str, Any]) -> Reply:
    pieces: list[dict[str, Any]] = [{"type": "message_start", "message": {**body, "content": [], "stop_reason": None}}]
    for index, block in enumerate(body["content"]):
        begun = {**block, "input": {}} if block["type"] == "tool_use" else {**block, "text": ""}
        delta = (
            {"type": "input_json_delta", "partial_json": '{"city": "Rome"}' if block["input"] else "{}"}
            if block["type"] == "tool_use"
            else {"type": "text_delta", "text": block["text"]}
        )
        pieces += [
            {"type": "content_block_start", "index": index, "content_block": begun},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    end = {"type": "message_delta", "delta": {"stop_reason": body["stop_reason"]}, "usage": {"output_tokens": 1}}
    return stream(*pieces, end, {"type": "message_stop"})


def check(spans: list[Any]) -> None:
    names = ["chat claude-sonnet-4-5", "execute_tool weather", "execute_tool boom", "chat claude-sonnet-4-5", "user"]
    assert [span.name for span in spans if span.name != "look"] == names
    *inner, user = (span for span in spans if span.name != "look")
    assert {span.span.parent.span_id for span in inner} == {user.span.context.span_id}
    assert [span.get("gen_ai.usage.input_tokens") for span in inner] == [139, None, None, 139]
    first, weather, boom, _ = inner
    assert first.calls == [("weather", {"city": "Rome"}), ("boom", {})]
    if KNOWS_IDS:
        assert [span.get("gen_ai.tool.call.id") for span in (weather, boom)] == ["toolu_1", "toolu_2"]
    assert weather.json("gen_ai.tool.call.arguments") == {"city": "Rome"}
    assert "sunny in Rome" in weather["gen_ai.tool.call.result"]
    assert (weather.outcome, boom.outcome) == ("ok", "error")
    assert boom["error.type"] == "KeyError"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_run(recorded: Any, streamed: bool) -> None:
    replies = map(events, REPLIES) if streamed else map(Reply, REPLIES)
    with Wire(*replies) as wire, anthropic.Anthropic(**how(wire)) as client, agentops.span("user"):
        runner = client.beta.messages.tool_runner(**ASKED, tools=tools(), stream=streamed)
        answers = [each.get_final_message() if streamed else each for each in runner]
    assert [each.id for each in answers] == ["msg_1", "msg_2"]
    check(recorded())


async def test_an_asynchronous_run(recorded: Any) -> None:
    with Wire(*map(Reply, REPLIES)) as wire:
        async with anthropic.AsyncAnthropic(**how(wire)) as client:
            with agentops.span("user"):
                runner = client.beta.messages.tool_runner(**ASKED, tools=async_tools())
                answer = await (runner if hasattr(runner, "until_done") else await runner).until_done()
    assert answer.id == "msg_2"
    spans = recorded()
    check(spans)
    look = next(span for span in spans if span.name == "look")
    weather = next(span for span in spans if span.name == "execute_tool weather")
    assert look.span.parent.span_id == weather.span.context.span_id  # what a tool does is below it


def test_a_tool_that_is_decorated_is_one_span(recorded: Any) -> None:
    decorated = anthropic.beta_tool(agentops.track(kind="tool")(_weather), name="weather")
    with Wire(*map(Reply, REPLIES)) as wire, anthropic.Anthropic(**how(wire)) as client, agentops.span("user"):
        client.beta.messages.tool_runner(**ASKED, tools=[decorated, tools()[1]]).until_done()
    check(recorded())


def test_a_runner_that_is_left(recorded: Any) -> None:
    with Wire(*map(Reply, REPLIES)) as wire, anthropic.Anthropic(**how(wire)) as client:
        for answer in client.beta.messages.tool_runner(**ASKED, tools=tools()):
            assert answer.id == "msg_1"
            break
    assert [span.name for span in recorded()] == ["chat claude-sonnet-4-5"]


def test_a_tool_called_by_hand(recorded: Any) -> None:
    assert tools()[0].call({"city": "Oslo"}) == "sunny in Oslo"
    span = recorded.one()
    assert (span.name, span.outcome) == ("execute_tool weather", "ok")
    assert span.json("gen_ai.tool.call.result") == "sunny in Oslo"


def test_nothing_twice_in_the_programs_own_provider(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agentops.shutdown()
    exporter = own_provider(monkeypatch)
    recorded.start()
    with Wire(*map(Reply, REPLIES)) as wire, anthropic.Anthropic(**how(wire)) as client, agentops.span("user"):
        client.beta.messages.tool_runner(**ASKED, tools=tools()).until_done()
    check(recorded())
    theirs = [span for span in exporter.get_finished_spans() if "anthropic" in span.instrumentation_scope.name]
    assert {span.name for span in theirs} <= {"anthropic.messages.tool_runner"}
    everything = exporter.get_finished_spans()
    assert sum(dict(span.attributes or {}).get("gen_ai.usage.input_tokens", 0) for span in everything) == 2 * 139
    assert [span.name for span in everything].count("execute_tool weather") == 1

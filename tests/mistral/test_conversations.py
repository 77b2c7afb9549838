"""Conversations that the provider keeps: each turn is a model call, whichever way it is asked for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.mistral.clients import MODEL, Case, client, package
from tests.model_clients.endings import SyncStreamEndings
from tests.openai_dialect.clients import TOOLS, event
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
DOLLARS = (1000 * 0.15 + 200 * 0.60) / 1e6
SPOKEN = {"type": "message.output", "id": "m1", "model": MODEL, "content": "Sunny."}
CALLED = {"id": "e1", "tool_call_id": "c1", "name": "weather", "model": MODEL}


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


def turn(*entries: dict[str, Any], **usage: Any) -> Reply:
    reply = {"object": "conversation.response", "conversation_id": "conv_1", "outputs": list(entries)}
    return Reply({**reply, "usage": {**USAGE, **usage}})


def piece(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\n".encode() + event({"type": kind, **fields})


class ConversationCase(Case):
    finish = b""
    pieces = (
        piece("conversation.response.started", conversation_id="conv_1"),
        piece("message.output.delta", id="m1", output_index=0, content="Sun", model=MODEL, role="assistant"),
        piece("message.output.delta", id="m1", output_index=0, content="ny.", model=MODEL, role="assistant"),
        piece("conversation.response.done", usage=USAGE),
    )

    def stream(self, client: Any) -> Any:
        return client.beta.conversations.start_stream(model=MODEL, inputs="What is the weather in Paris?")


class TestConversationEndings(SyncStreamEndings):
    case = ConversationCase()


def _checked(span: Any, asked: list[dict[str, Any]], said: str = "Sunny.") -> None:
    assert (span["agentops.kind"], span["gen_ai.operation.name"]) == ("llm", "chat")
    assert (span["gen_ai.provider.name"], span["gen_ai.conversation.id"]) == ("mistral_ai", "conv_1")
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (1000, 200)
    assert (span["agentops.usage.source"], span["gen_ai.response.model"]) == ("reported", MODEL)
    assert span["agentops.cost.amount"] == pytest.approx(DOLLARS)
    assert span.json("gen_ai.input.messages") == asked
    assert (span.text, span.outcome) == (said, "ok")


USER = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]


def test_each_way_to_take_a_turn(recorded: Any) -> None:
    async def ask(url: str) -> None:
        async with client(url) as mistral:
            asking = mistral.beta.conversations
            await asking.start_async(agent_id="ag_1", inputs="Hi")
            await asking.append_async(conversation_id="conv_1", inputs="Hi")
            await asking.restart_async(conversation_id="conv_1", from_entry_id="m0", inputs="Hi")

    async def stream(url: str) -> None:
        async with client(url) as mistral:
            asking = mistral.beta.conversations
            async with await asking.append_stream_async(conversation_id="conv_1", inputs="Hi") as events:
                assert len([each async for each in events]) == 4

    with Wire(turn(SPOKEN)) as wire, client(wire.url) as mistral:
        asking = mistral.beta.conversations
        asking.start(
            model=MODEL, inputs="Hi", instructions="Be brief.", completion_args={"temperature": 0.5, "random_seed": 3}
        )
        asking.append(conversation_id="conv_1", inputs="Hi")
        asking.restart(conversation_id="conv_1", from_entry_id="m0", inputs="Hi")
        asyncio.run(ask(wire.url))
    whole = recorded()
    with Wire(ConversationCase().whole()) as wire, client(wire.url) as mistral:
        asking = mistral.beta.conversations
        for events in (
            asking.start_stream(model=MODEL, inputs="Hi"),
            asking.append_stream(conversation_id="conv_1", inputs="Hi"),
            asking.restart_stream(conversation_id="conv_1", from_entry_id="m0", inputs="Hi"),
        ):
            assert len(list(events)) == 4
        asyncio.run(stream(wire.url))
    streamed = recorded()
    named = [f"chat {MODEL}", "chat", "chat"]
    assert [span.name for span in (*whole, *streamed)] == [*named, "chat", "chat", "chat", *named, "chat"]
    for span in (*whole, *streamed):
        _checked(span, USER)
    assert (whole[0]["gen_ai.request.temperature"], whole[0]["gen_ai.request.seed"]) == (0.5, 3)
    assert whole[0].json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert whole[3]["gen_ai.agent.id"] == "ag_1"
    assert [span["agentops.stream.chunks"] for span in streamed] == [4] * 4


def test_calls_of_tools_and_what_runs_at_the_provider(recorded: Any) -> None:
    call = {**CALLED, "type": "function.call", "arguments": '{"city": "Paris"}'}
    search = {"type": "tool.execution", "id": "t1", "name": "web_search", "arguments": '{"query": "x"}', "model": MODEL}
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    words = {**SPOKEN, "content": [thought, {"type": "text", "text": "Look: "}]}
    asked = {"model": MODEL, "inputs": "Weather?", "tools": TOOLS}
    with Wire(turn(search, words, call)) as wire, client(wire.url) as mistral:
        mistral.beta.conversations.start(**asked)
        result = {"type": "function.result", "tool_call_id": "c1", "result": "20 degrees"}
        mistral.beta.conversations.append(conversation_id="conv_1", inputs=[result])
    whole, further = recorded()
    with (
        Wire(
            Reply(
                stream=[
                    piece("conversation.response.started", conversation_id="conv_1"),
                    piece("tool.execution.started", id="t1", output_index=0, name="web_search", arguments=""),
                    piece("tool.execution.delta", id="t1", output_index=0, name="web_search", arguments='{"query": '),
                    piece("tool.execution.delta", id="t1", output_index=0, name="web_search", arguments='"x"}'),
                    piece("tool.execution.done", id="t1", output_index=0, name="web_search"),
                    piece("message.output.delta", id="m1", output_index=1, content=thought, model=MODEL),
                    piece("message.output.delta", id="m1", output_index=1, content="Look", model=MODEL),
                    piece("message.output.delta", id="m1", output_index=1, content=": ", model=MODEL),
                    piece("function.call.delta", **CALLED, output_index=2, arguments='{"city":'),
                    piece("conversation.response.done", usage=USAGE),
                ],
                content_type="text/event-stream",
            )
        ) as wire,
        client(wire.url) as mistral,
        mistral.beta.conversations.start_stream(**asked) as events,
    ):
        assert len(list(events)) == 10
    streamed = recorded.one()
    for span in (whole, streamed):
        assert [part["type"] for part in span.parts] == ["server_tool_call", "reasoning", "text", "tool_call"]
        assert span.parts[0]["server_tool_call"] == {"type": "web_search", "arguments": {"query": "x"}}
        assert (span.text, span["gen_ai.usage.input_tokens"]) == ("Look: ", 1000)
    assert whole.calls == [("weather", {"city": "Paris"})]
    assert whole.json("agentops.decision.chosen") == ["web_search", "weather"]
    assert streamed["agentops.decision.chosen"] == "web_search", "the other call was cut short"
    (asked_further,) = further.json("gen_ai.input.messages")
    assert asked_further["role"] == "tool"
    assert asked_further["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "20 degrees"}]


def test_what_no_table_has_a_price_for(recorded: Any) -> None:
    other = {**SPOKEN, "model": "mistral-large-latest"}
    for reply, reason in (
        (turn(SPOKEN, connectors={"web_search": 1}, connector_tokens=300), "no price known for what connectors read"),
        (turn(SPOKEN, other), "tokens of several models were told together"),
    ):
        with Wire(reply) as wire, client(wire.url) as mistral:
            mistral.beta.conversations.start(agent_id="ag_1", inputs="Hi")
        span = recorded.one()
        assert (span["agentops.cost.unknown_reason"], span["gen_ai.usage.input_tokens"]) == (reason, 1000)
        assert "agentops.cost.amount" not in span.attributes


def test_of_what_the_provider_keeps_nobody_guesses_the_tokens(recorded: Any) -> None:
    with Wire(ConversationCase().whole()) as wire, client(wire.url) as mistral:
        asking = mistral.beta.conversations
        for stream in (
            asking.append_stream(conversation_id="conv_1", inputs="Hi"),
            asking.start_stream(agent_id="ag_1", inputs="Hi"),
        ):
            with stream as events:
                next(events)
                next(events)
    for span in recorded():
        assert (span.outcome, span["agentops.usage.source"], span.text) == ("abandoned", "estimated", "Sun")
        assert span["gen_ai.usage.output_tokens"] > 0
        assert "gen_ai.usage.input_tokens" not in span.attributes
        assert span["agentops.cost.unknown_reason"] == "what the provider keeps and read was not told"
    refused = pytest.raises(package().errors.MistralError)
    with Wire(Reply({"message": "no such conversation"}, 404)) as wire, client(wire.url) as mistral, refused:
        mistral.beta.conversations.append(conversation_id="conv_2", inputs="Hi")
    assert "agentops.cost.unknown_reason" not in recorded.one().attributes, "it was refused"


def test_an_error_that_a_stream_tells(recorded: Any) -> None:
    """The client hands it on as an event, and raises nothing."""
    pieces = [*ConversationCase.pieces[:2], piece("conversation.response.error", code=3000, message="overloaded")]
    with Wire(Reply(stream=pieces, content_type="text/event-stream")) as wire, client(wire.url) as mistral:
        assert len(list(mistral.beta.conversations.start_stream(model=MODEL, inputs="Hi"))) == 3
    span = recorded.one()
    assert (span.outcome, span["error.type"], span.text) == ("error", "3000", "Sun")


def test_limits_are_asked_before_a_turn() -> None:
    agentops.init(exporters=["memory"])
    with Wire(turn(SPOKEN)) as wire, client(wire.url) as mistral, agentops.limits(model_calls=1):
        mistral.beta.conversations.start(model=MODEL, inputs="Hi")
        with pytest.raises(agentops.LimitExceeded):
            mistral.beta.conversations.append(conversation_id="conv_1", inputs="Hi")
        assert len(wire.requests) == 1
    agentops.shutdown()


def test_an_agents_completion(recorded: Any) -> None:
    body = {
        "id": "1", "object": "chat.completion", "created": 1, "model": MODEL, "usage": USAGE,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Sunny."}, "finish_reason": "stop"}],
    }  # fmt: skip
    with Wire(Reply(body)) as wire, client(wire.url) as mistral:
        mistral.agents.complete(agent_id="ag_1", messages=[{"role": "user", "content": "Hi"}])
    span = recorded.one()
    assert (span["agentops.kind"], span["gen_ai.agent.id"], span["gen_ai.response.model"]) == ("llm", "ag_1", MODEL)
    assert (span["agentops.cost.amount"], span.text) == (pytest.approx(DOLLARS), "Sunny.")


def test_responses(recorded: Any) -> None:
    if not hasattr(package().Mistral, "responses") and "responses" not in package().Mistral.__annotations__:
        pytest.skip("this version of mistralai has no responses")
    said = {"type": "output_text", "text": "Sunny.", "annotations": []}
    item = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": [said]}
    usage = {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200}
    body = {"id": "r1", "object": "response", "model": MODEL, "status": "completed", "output": [item], "usage": usage}
    given = {"created_at": 1, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    with Wire(Reply({**body, **given})) as wire, client(wire.url) as mistral:
        mistral.responses.create(model=MODEL, input="Hi")
        assert json.loads(wire.requests[0].raw)["model"] == MODEL
    span = recorded.one()
    assert (span.name, span.text, span.get("gen_ai.response.id")) == (f"chat {MODEL}", "Sunny.", "r1")
    assert span["agentops.cost.amount"] == pytest.approx(DOLLARS)

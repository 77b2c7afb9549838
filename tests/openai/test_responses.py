"""The Responses API: items of every kind, streams, background replies fetched later, ways out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.openai.bodies import RESPONSE, RESPONSE_EVENTS
from tests.openai.test_chat import aclient, client
from tests.wire.http import CUT, Reply, Wire, event_of, sse

openai = pytest.importorskip("openai", reason="openai is not installed")
if not hasattr(openai.OpenAI, "responses"):
    pytest.skip(f"openai {openai.__version__} has no Responses API", allow_module_level=True)

TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": {}, "strict": False}
ASK: dict[str, Any] = {"model": "gpt-5", "input": "Weather?", "instructions": "Be brief.", "tools": [TOOL]}


def _complete(span: Any, source: str = "reported") -> None:
    assert span.name == "chat gpt-5"
    assert span["gen_ai.operation.name"] == "chat"
    assert span["openai.api.type"] == "responses"
    assert span["gen_ai.response.id"] == "resp_1"
    assert span["gen_ai.response.model"] == "gpt-5-2025-08-07"
    assert span["gen_ai.response.status"] == "completed"
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("tool_calls",)
    assert span["gen_ai.usage.input_tokens"] == 30
    assert span["gen_ai.usage.cache_read.input_tokens"] == 10
    assert span["gen_ai.usage.output_tokens"] == 12
    assert span["gen_ai.usage.reasoning.output_tokens"] == 5
    assert span["agentops.usage.source"] == source
    assert span.text == "Hello"
    assert span.calls == [("weather", {"city": "Rome"})]
    assert span.parts[0]["type"] == "reasoning"
    assert span.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert span["agentops.decision.chosen"] == "weather"
    assert span["agentops.decision.reason"] == "They ask for weather."
    assert span.outcome == "ok"


def test_create_and_stream(recorded: Any) -> None:
    with Wire(Reply(RESPONSE), sse(*RESPONSE_EVENTS, done=False)) as wire:
        asking = client(wire)
        asking.responses.create(**ASK)
        _complete(recorded.one())
        events = list(asking.responses.create(**ASK, stream=True))
        assert len(events) == len(RESPONSE_EVENTS)
        assert "stream_options" not in wire.requests[1].body
        span = recorded.one()
        _complete(span)
        assert span["agentops.stream.chunks"] == len(RESPONSE_EVENTS)


async def test_async(recorded: Any) -> None:
    with Wire(Reply(RESPONSE), sse(*RESPONSE_EVENTS, done=False)) as wire:
        async with aclient(wire) as asking:
            await asking.responses.create(**ASK)
            _complete(recorded.one())
            async with await asking.responses.create(**ASK, stream=True) as stream:
                assert len([event async for event in stream]) == len(RESPONSE_EVENTS)
            _complete(recorded.one())


def test_left_early_and_cut(recorded: Any) -> None:
    before_the_end = [event_of(event) for event in RESPONSE_EVENTS[:10]]
    cut = Reply(stream=[*before_the_end, 0.05, CUT], content_type="text/event-stream")
    with Wire(sse(*RESPONSE_EVENTS, done=False), cut) as wire:
        asking = client(wire)
        with asking.responses.create(**ASK, stream=True) as stream:
            for event in stream:
                if event.type == "response.function_call_arguments.delta":
                    break
        span = recorded.one()
        assert span.outcome == "abandoned"
        assert span.calls == [("weather", '{"city": ')]
        assert span.parts[0]["content"] == "They ask for weather."
        with pytest.raises(Exception):  # noqa: B017 - the HTTP client's own before openai 3
            list(asking.responses.create(**ASK, stream=True))
        span = recorded.one()
        assert span.outcome == "error"
        assert span.text == "Hel"
        assert span.calls == [("weather", {"city": "Rome"})]


def test_left_early_of_a_conversation_that_the_provider_keeps(recorded: Any) -> None:
    with Wire(sse(*RESPONSE_EVENTS, done=False)) as wire:
        for more in ({"previous_response_id": "resp_0"}, {}):
            with client(wire).responses.create(**ASK, **more, stream=True) as stream:
                next(event for event in stream if event.type == "response.function_call_arguments.delta")
            list(client(wire).responses.create(**ASK, **more, stream=True))
    left, read, left_alone, _ = recorded()
    assert "gen_ai.usage.input_tokens" not in left.attributes, "which would be those of the last question alone"
    assert left["agentops.cost.unknown_reason"] == "what the provider keeps and read was not told"
    assert left["gen_ai.usage.output_tokens"] > 0
    assert left_alone["gen_ai.usage.input_tokens"] > 0
    assert (read["agentops.usage.source"], "agentops.cost.unknown_reason" in read.attributes) == ("reported", False)


def test_break_after_the_last_event_is_ok(recorded: Any) -> None:
    with Wire(sse(*RESPONSE_EVENTS, done=False)) as wire:
        with client(wire).responses.create(**ASK, stream=True) as stream:
            for event in stream:
                if event.type == "response.completed":
                    break
        _complete(recorded.one())


def test_a_response_that_failed(recorded: Any) -> None:
    failed = {**RESPONSE, "status": "failed", "output": [], "error": {"code": "server_error", "message": "no"}}
    event = {"type": "response.failed", "sequence_number": 1, "response": failed}
    told = {"type": "error", "sequence_number": 1, "code": "rate_limit_exceeded", "message": "no", "param": None}
    with Wire(Reply(failed), sse(RESPONSE_EVENTS[0], event, done=False), sse(told, done=False)) as wire:
        asking = client(wire)
        asking.responses.create(**ASK)
        assert (recorded.one())["error.type"] == "server_error"
        list(asking.responses.create(**ASK, stream=True))
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "server_error")
        list(asking.responses.create(**ASK, stream=True))
        span = recorded.one()
        assert (span.outcome, span["error.type"]) == ("error", "rate_limit_exceeded")


def test_incomplete(recorded: Any) -> None:
    short = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    with Wire(Reply(short)) as wire:
        client(wire).responses.create(**ASK)
    span = recorded.one()
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("max_output_tokens",)
    assert span.outcome == "ok"


def test_background_and_retrieve_count_the_tokens_once(recorded: Any) -> None:
    queued = {**RESPONSE, "id": "resp_bg", "status": "queued", "output": [], "usage": None}
    done = {**RESPONSE, "id": "resp_bg"}
    with Wire(Reply(queued), Reply(queued), Reply(done), Reply(done), Reply({"id": "resp_bg"})) as wire:
        asking = client(wire)
        asking.responses.create(**ASK, background=True)
        for _ in range(3):
            asking.responses.retrieve("resp_bg")
    first, second, third, fourth = recorded()
    assert first.name == "chat gpt-5"
    assert "gen_ai.usage.input_tokens" not in second.attributes
    assert [each.name for each in (second, third, fourth)] == ["fetch_response"] * 3
    assert third["gen_ai.operation.name"] == "fetch_response"
    assert third["gen_ai.usage.input_tokens"] == 30
    assert third.text == "Hello"
    assert "gen_ai.usage.input_tokens" not in fourth.attributes
    assert fourth["gen_ai.response.status"] == "completed"


def _said(recorded: Any, *output: dict[str, Any]) -> Any:
    with Wire(Reply({**RESPONSE, "output": output})) as wire:
        client(wire).responses.create(model="gpt-5", input="?")
    return recorded.one()


def test_each_part_of_a_summary_is_a_part(recorded: Any) -> None:
    summary = [{"type": "summary_text", "text": text} for text in ("**First**\n\nA.", "**Then**\n\nB.")]
    item = {"type": "reasoning", "id": "rs", "summary": summary, "encrypted_content": "gAAA"}
    span = _said(recorded, item)
    thoughts = [{"type": "reasoning", "content": part["text"], "id": "rs", "encrypted": True} for part in summary]
    assert span.parts == thoughts
    pieces = [
        {"type": "response.reasoning_summary_text.delta", "item_id": "rs", "output_index": 0, "summary_index": index,
         "delta": text, "sequence_number": 0}
        for index, text in ((0, "Fir"), (0, "st"), (1, "Then"))
    ]  # fmt: skip
    with Wire(sse(*pieces, done=False)) as wire:
        list(client(wire).responses.create(**ASK, stream=True))
    assert [part["content"] for part in recorded.one().parts] == ["First", "Then"]


def test_who_runs_a_call_is_what_its_item_says(recorded: Any) -> None:
    search = {"type": "tool_search_call", "id": "ts", "call_id": "c1", "status": "completed", "arguments": {"q": 1}}
    span = _said(recorded, {**search, "execution": "client"})
    assert span.parts == [{"type": "tool_call", "id": "c1", "name": "tool_search", "arguments": {"q": 1}}]
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("tool_calls",)
    output = {"type": "tool_search_output", "id": "to", "call_id": None, "status": "completed", "tools": [TOOL]}
    span = _said(
        recorded, {**search, "call_id": None, "execution": "server"}, {**output, "execution": "server"}
    )  # fmt: skip
    assert [part["type"] for part in span.parts] == ["server_tool_call", "server_tool_call_response"]
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("stop",)
    shell = {"type": "shell_call", "id": "sh", "call_id": "c2", "status": "completed", "action": {"commands": ["ls"]}}
    hosted = {"type": "container_reference", "container_id": "cntr"}
    for environment, kind in ((None, "tool_call"), ({"type": "local"}, "tool_call"), (hosted, "server_tool_call")):
        span = _said(recorded, {**shell, "environment": environment})
        assert [(part["type"], part["name"]) for part in span.parts] == [(kind, "shell")]
    with Wire(Reply(RESPONSE)) as wire:
        given: list[Any] = [{**search, "execution": "client"}, {**output, "call_id": "c1", "execution": "client"}]
        client(wire).responses.create(model="gpt-5", input=given)
    call, result = recorded.one().json("gen_ai.input.messages")
    assert (call["role"], call["parts"][0]["type"]) == ("assistant", "tool_call")
    assert (result["role"], result["parts"][0]["type"]) == ("tool", "tool_call_response")
    assert result["parts"][0]["id"] == "c1"


def test_items_of_every_kind(recorded: Any) -> None:
    image = "data:image/png;base64,iVBORw0KGgo="
    given: list[Any] = [
        {"role": "developer", "content": "Rules."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": image, "detail": "low"},
                {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
                {"type": "input_image", "file_id": "file-1", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ],
        },
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "sql", "input": "select 1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "1"}]},
        {"type": "computer_call", "call_id": "c3", "id": "cu", "action": {"type": "click", "x": 1, "y": 2}},
        {
            "type": "computer_call_output",
            "call_id": "c3",
            "output": {"type": "computer_screenshot", "image_url": image},
        },
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "item_reference", "id": "msg_0"},
        {"type": "something_new", "id": "x", "payload": [1, 2]},
    ]
    output = [
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "file_search_call", "id": "fs", "status": "completed", "queries": ["q"], "results": [{"text": "t"}]},
        {"type": "code_interpreter_call", "id": "ci", "code": "1+1", "container_id": "c", "outputs": [{"logs": "2"}]},
        {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo="},
        {"type": "mcp_list_tools", "id": "ml", "server_label": "docs", "tools": []},
        {"type": "mcp_call", "id": "mc", "name": "ask", "server_label": "docs", "arguments": '{"q": 1}', "output": "a"},
        {"type": "mcp_approval_request", "id": "ma", "name": "ask", "server_label": "docs", "arguments": "{}"},
        {"type": "local_shell_call", "id": "ls", "call_id": "c5", "status": "completed", "action": {"type": "exec"}},
        {"type": "compaction", "id": "cp", "encrypted_content": "gAAA"},
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "refusal", "refusal": "I will not."}]},
        {"type": "brand_new_call", "id": "bn", "status": "completed", "payload": 1},
    ]
    tools = [
        TOOL,
        {"type": "custom", "name": "sql", "description": "SQL"},
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs"]},
        {"type": "mcp", "server_label": "docs", "server_url": "https://x", "headers": {"Authorization": "Bearer s3"}},
    ]
    with Wire(Reply({**RESPONSE, "output": output})) as wire:
        client(wire).responses.create(model="gpt-5", input=given, tools=tools)  # type: ignore[arg-type]  # plain data in place of typed dictionaries
    span = recorded.one()
    messages = span.json("gen_ai.input.messages")
    assert [message["role"] for message in messages] == [
        "developer", "user", "assistant", "tool", "assistant", "tool", "assistant", "tool", "assistant", "user",
        "assistant",
    ]  # fmt: skip
    assert [part["type"] for part in messages[1]["parts"]] == ["text", "blob", "uri", "file", "blob", "uri"]
    assert messages[3]["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]
    assert [part["type"] for part in span.parts] == [
        "server_tool_call", "server_tool_call", "server_tool_call_response", "server_tool_call",
        "server_tool_call_response", "server_tool_call", "server_tool_call_response", "mcp_list_tools",
        "server_tool_call", "server_tool_call_response", "mcp_approval_request", "tool_call", "compaction", "refusal",
        "server_tool_call",
    ]  # fmt: skip
    assert span["gen_ai.conversation.compacted"] is True
    offered = span.json("gen_ai.tool.definitions")
    assert [tool["name"] for tool in offered] == ["weather", "sql", "web_search", "file_search", "docs"]
    assert "s3" not in span["gen_ai.tool.definitions"]


def test_helper_and_parse(recorded: Any) -> None:
    with Wire(sse(*RESPONSE_EVENTS, done=False), Reply(RESPONSE)) as wire:
        asking = client(wire)
        if hasattr(asking.responses, "stream"):
            with asking.responses.stream(**ASK) as stream:
                list(stream)
            _complete(recorded.one())
        wire.replies = [Reply(RESPONSE)]
        if hasattr(asking.responses, "parse"):
            asking.responses.parse(**ASK)
            _complete(recorded.one())

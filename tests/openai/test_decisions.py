"""A reply that was left, that died, or that somebody else ended decides nothing; tool calls that are whole do."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import openai
import pytest
from tests.openai.bodies import CALL, MESSAGES, RESPONSE, RESPONSE_EVENTS, TOOLS, chunk, completion
from tests.openai.test_chat import aclient, client
from tests.wire.http import CUT, Reply, Wire, event_of, sse

TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": {}, "strict": False}
RESPONSES: dict[str, Any] = {"model": "gpt-5", "input": "Weather?", "tools": [TOOL]}
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES, "tools": TOOLS, "stream": True}


def _call(arguments: str | None, **head: Any) -> dict[str, Any]:
    return chunk(
        {"tool_calls": [{"index": 0, "function": {"arguments": arguments, **head.pop("function", {})}, **head}]}
    )


TORN: dict[str, Any] = {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": '{"zone": "Eu'}}
"""A call in whose middle the limit on tokens was reached."""
ODD: dict[str, Any] = {**CALL, "function": {"name": "weather", "arguments": "{city}"}}
"""A call whose arguments the model wrote to their end, though they are no JSON."""
BEGUN = _call("", id="call_1", type="function", function={"name": "weather"})
CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    BEGUN,
    _call('{"city": "Ro'),
    _call('me"}'),
    chunk({}, "tool_calls"),
]
TALK = [chunk({"role": "assistant", "content": "I will "}), chunk({"content": "see"}), chunk({}, "stop")]


def _read(stream: Any, items: int | None) -> None:
    for number, _ in enumerate(stream, 1):
        if number == items:
            break


def _decided(span: Any) -> str | None:
    if "agentops.decision.chosen" not in span.attributes:
        assert not [name for name in span.attributes if name.startswith("agentops.decision.")]
        return None
    return str(span["agentops.decision.chosen"])


@pytest.mark.parametrize(
    ("chunks", "read", "chosen"),
    [(CHUNKS, 1, None), (CHUNKS, 2, None), (CHUNKS, 3, None), (CHUNKS, 4, "weather"), (CHUNKS, 5, "weather"),
     (TALK, 1, None), (TALK, 2, None), (TALK, 3, "answer")],
)  # fmt: skip
@pytest.mark.parametrize("way", ["left", "cut", "ended without a word", "error event"])
def test_chat_streams(recorded: Any, chunks: list[Any], read: int, chosen: str | None, way: str) -> None:
    pieces = [event_of(piece) for piece in chunks[:read]]
    replies = {
        "left": sse(*chunks),
        "cut": Reply(stream=[*pieces, 0.05, CUT], content_type="text/event-stream"),
        "ended without a word": Reply(stream=pieces, content_type="text/event-stream"),
        "error event": sse(*pieces, event_of({"error": {"message": "overloaded", "type": "server_error"}})),
    }
    with Wire(replies[way]) as wire:
        stream = client(wire).chat.completions.create(**ASK)
        dies = pytest.raises(Exception) if way in ("cut", "error event") else nullcontext()
        with dies:
            _read(stream, read if way == "left" else None)
        stream.close()
    assert _decided(recorded.one()) == chosen


async def test_async_stream_left(recorded: Any) -> None:
    with Wire(sse(*CHUNKS)) as wire:
        async with aclient(wire) as asking:
            stream = await asking.chat.completions.create(**ASK)
            async for _ in stream:
                break
            await stream.close()
    assert _decided(recorded.one()) is None


def test_several_choices_are_finished_each_on_its_own(recorded: Any) -> None:
    second = chunk({"role": "assistant", "content": "Let"}, index=1)
    with Wire(sse(chunk({"content": "Yes"}), second, chunk({}, "stop")), sse(*CHUNKS, second)) as wire:
        list(client(wire).chat.completions.create(**ASK, n=2))
        list(client(wire).chat.completions.create(**ASK, n=2))
    first, then = recorded()
    assert _decided(first) is None
    assert _decided(then) == "weather"


@pytest.mark.parametrize(
    ("finish", "message", "chosen"),
    [
        ("stop", {"content": "Hello"}, "answer"),
        ("length", {"content": "Hel"}, "answer"),
        ("length", {"content": None, "reasoning_content": "Well"}, None),
        ("stop", {"content": None}, None),
        (None, {"content": "Hello"}, "answer"),  # a server that never says why; the reply is whole
        ("content_filter", {"content": "Hel"}, None),
        ("content_filter", {"content": None, "tool_calls": [CALL]}, "weather"),
        ("error", {"content": "Hel"}, None),
        ("length", {"content": None, "tool_calls": [TORN]}, None),
        ("length", {"content": "Let me", "tool_calls": [CALL, TORN]}, "weather"),
        ("tool_calls", {"content": None, "tool_calls": [ODD]}, "weather"),
    ],
)
def test_replies_in_one_piece(recorded: Any, finish: Any, message: Any, chosen: str | None) -> None:
    with Wire(Reply(completion({"role": "assistant", **message}, finish))) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, tools=TOOLS)
    assert _decided(recorded.one()) == chosen


responses = pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this openai has no Responses API")


@responses
@pytest.mark.parametrize(
    ("read", "chosen"), [(1, None), (3, None), (4, None), (5, None), (7, "weather"), (10, "weather")]
)
@pytest.mark.parametrize("way", ["left", "cut", "error event"])
def test_responses_streams(recorded: Any, read: int, chosen: str | None, way: str) -> None:
    pieces = [event_of(piece) for piece in RESPONSE_EVENTS[:read]]
    told = {"type": "error", "sequence_number": 1, "code": "server_error", "message": "no", "param": None}
    replies = {
        "left": sse(*RESPONSE_EVENTS, done=False),
        "cut": Reply(stream=[*pieces, 0.05, CUT], content_type="text/event-stream"),
        "error event": sse(*pieces, told, done=False),
    }
    with Wire(replies[way]) as wire:
        stream = client(wire).responses.create(**RESPONSES, stream=True)
        with pytest.raises(Exception) if way == "cut" else nullcontext():
            _read(stream, read if way == "left" else None)
        stream.close()
    span = recorded.one()
    assert _decided(span) == chosen
    if chosen:
        assert span["agentops.decision.reason"] == "They ask for weather."


@responses
@pytest.mark.parametrize(("read", "chosen"), [(1, None), (2, None), (4, "answer")])
def test_a_stream_that_is_taken_up_again_and_left(recorded: Any, read: int, chosen: str | None) -> None:
    events = RESPONSE_EVENTS[9:]  # without the first one, which has the status
    message = {**RESPONSE, "output": RESPONSE["output"][2:]}
    events = [*events[:3], {**events[-1], "response": message}]
    with Wire(sse(*events, done=False)) as wire:
        stream = client(wire).get(
            "/responses/resp_1", options={"params": {"stream": True}}, cast_to=object, stream=True,
            stream_cls=openai.Stream[object],
        )  # fmt: skip
        _read(stream, read)
        stream.close()
    assert _decided(recorded.one()) == chosen


@responses
@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "answer"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, None),
        ({"status": "failed", "error": {"code": "server_error", "message": "no"}}, None),
        ({"status": "cancelled"}, None),
        ({"status": "in_progress"}, None),
        ({}, "answer"),
    ],
)
def test_responses_in_one_piece(recorded: Any, changes: dict[str, Any], chosen: str | None) -> None:
    message = {**RESPONSE["output"][2], "status": "incomplete"}
    with Wire(Reply({**RESPONSE, "output": [message], **changes})) as wire:
        client(wire).responses.create(**RESPONSES)
    assert _decided(recorded.one()) == chosen


def test_a_moderation_of_nothing_lets_nothing_pass(recorded: Any) -> None:
    with Wire(Reply({"error": {"message": "down"}}), Reply({"id": "modr-1", "results": []})) as wire:
        for _ in range(2):
            client(wire).moderations.create(input="hm", model="omni-moderation-latest")
    assert [_decided(span) for span in recorded()] == [None, None]

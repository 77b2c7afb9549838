"""Chat completions, sync and async, whole and streamed: one span each, complete, and the caller's object untouched."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from tests.openai.bodies import CHAT, CHAT_CHUNKS, MESSAGES, TOOLS, USAGE_CHUNK
from tests.wire.http import Reply, Wire, sse


def client(wire: Wire, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=wire.url, api_key="none", **{"max_retries": 0, **options})


def aclient(wire: Wire, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=wire.url, api_key="none", **{"max_retries": 0, **options})


def known(wire: Wire, **options: Any) -> openai.OpenAI:
    """A client of a provider that takes the question for usage; the wire is the proxy on the way to it."""
    transport = openai.DefaultHttpxClient(proxy=wire.url.removesuffix("/v1"), verify=False)
    return openai.OpenAI(
        base_url="http://api.openai.com/v1", api_key="none", http_client=transport, **{"max_retries": 0, **options}
    )


def aknown(wire: Wire, **options: Any) -> openai.AsyncOpenAI:
    transport = openai.DefaultAsyncHttpxClient(proxy=wire.url.removesuffix("/v1"), verify=False)
    return openai.AsyncOpenAI(
        base_url="http://api.openai.com/v1", api_key="none", http_client=transport, **{"max_retries": 0, **options}
    )


def test_what_is_known_of_one_request_is_told_of_no_other(recorded: Any) -> None:
    with Wire(Reply(CHAT)) as wire, Wire(Reply(CHAT)) as other:
        one = client(wire)
        for model in ("gpt-4o", "gpt-4o-mini", "gpt-4o"):
            one.chat.completions.create(model=model, messages=MESSAGES)
        one.base_url = other.url
        one.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        one.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_body={"stream": False})
        one.completions.create(model="gpt-4o", prompt="Hi")
        told = [(span.name, span["gen_ai.request.model"], span["server.port"]) for span in recorded()]
    assert told == [
        ("chat gpt-4o", "gpt-4o", wire.port),
        ("chat gpt-4o-mini", "gpt-4o-mini", wire.port),
        ("chat gpt-4o", "gpt-4o", wire.port),
        ("chat gpt-4o", "gpt-4o", other.port),
        ("chat gpt-4o", "gpt-4o", other.port),
        ("text_completion gpt-4o", "gpt-4o", other.port),
    ]


def test_one_call_is_one_span_with_everything(recorded: Any) -> None:
    with Wire(Reply(CHAT, headers={"x-request-id": "req-7"})) as wire:
        reply = client(wire).chat.completions.create(
            model="gpt-4o", messages=MESSAGES, tools=TOOLS, temperature=0, max_tokens=50, seed=3, stop="END", n=2
        )
    assert isinstance(reply, openai.types.chat.ChatCompletion)
    span = recorded.one()
    assert span.name == "chat gpt-4o"
    assert span.span.kind.name == "CLIENT"
    assert span["gen_ai.operation.name"] == "chat"
    assert span["gen_ai.provider.name"] == "openai"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", wire.port)
    assert span["gen_ai.request.temperature"] == 0.0
    assert span["gen_ai.request.max_tokens"] == 50
    assert span["gen_ai.request.seed"] == 3
    assert tuple(span["gen_ai.request.stop_sequences"]) == ("END",)
    assert span["gen_ai.request.choice.count"] == 2
    assert span["gen_ai.response.id"] == "chatcmpl-1"
    assert span["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("tool_calls",)
    assert span["gen_ai.usage.input_tokens"] == 20
    assert span["gen_ai.usage.output_tokens"] == 7
    assert span["agentops.usage.source"] == "reported"
    assert span["agentops.request_id"] == "req-7"
    assert span.calls == [("weather", {"city": "Rome"})]
    assert span.outcome == "ok"
    assert span.json("agentops.decision.options") == [{"name": "weather", "description": "Now"}, {"name": "answer"}]
    assert span["agentops.decision.chosen"] == "weather"
    assert span["agentops.decision.by"] == "model"
    assert "gen_ai.request.stream" not in span.attributes


async def test_async_call(recorded: Any) -> None:
    with Wire(Reply(CHAT)) as wire:
        async with aclient(wire) as asking:
            await asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert recorded.one().calls == [("weather", {"city": "Rome"})]


def test_stream_asks_for_usage_on_a_copy_and_hides_the_chunk(recorded: Any) -> None:
    messages = list(MESSAGES)
    with Wire(sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
        stream = known(wire).chat.completions.create(model="gpt-4o", messages=messages, stream=True)
        assert isinstance(stream, openai.Stream)
        chunks = list(stream)
        assert wire.requests[0].body["stream_options"] == {"include_usage": True}
    assert messages == list(MESSAGES)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "Hel", "lo", None]
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    span = recorded.one()
    assert span.text == "Hello"
    assert span["agentops.usage.source"] == "injected"
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (20, 7)
    assert span["gen_ai.request.stream"] is True
    assert span["gen_ai.response.time_to_first_chunk"] > 0
    assert span["agentops.stream.chunks"] == 4
    assert span.outcome == "ok"


def test_callers_own_stream_options_are_left_alone(recorded: Any) -> None:
    with Wire(sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
        asking = known(wire)
        options = {"include_usage": True}
        chunks = list(
            asking.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, stream_options=options)
        )
        assert len(chunks) == 5
        assert recorded.one()["agentops.usage.source"] == "reported"
        list(asking.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": False}
        ))  # fmt: skip
        assert wire.requests[1].body["stream_options"] == {"include_usage": False}


def test_usage_is_not_asked_for_when_switched_off(recorded: Any) -> None:
    recorded.start(stream_usage=False)
    with Wire(sse(*CHAT_CHUNKS)) as wire:
        list(known(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        assert "stream_options" not in wire.requests[0].body


def test_large_chunks_and_small_ones_make_the_same_stream(recorded: Any) -> None:
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in [*CHAT_CHUNKS, USAGE_CHUNK])
    body += b"data: [DONE]\n\n"
    for size in (1, 7, 100, 10_000):
        reply = Reply(stream=[body[i : i + size] for i in range(0, len(body), size)], content_type="text/event-stream")
        with Wire(reply) as wire:
            chunks = list(known(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello"
        assert len(chunks) == 4
        assert recorded.one().text == "Hello"


async def test_async_stream_and_helper(recorded: Any) -> None:
    with Wire(sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
        async with aknown(wire) as asking:
            stream = await asking.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
            assert isinstance(stream, openai.AsyncStream)
            assert len([chunk async for chunk in stream]) == 4
            assert recorded.one().text == "Hello"
            helper = getattr(asking.chat.completions, "stream", None)
            if helper is None:
                return
            async with helper(model="gpt-4o", messages=MESSAGES) as events:
                final = await events.get_final_completion()
            assert final.choices[0].message.content == "Hello"
            assert recorded.one().text == "Hello"


def test_content_off_keeps_figures_and_names(recorded: Any) -> None:
    recorded.start(capture_content=False)
    with Wire(Reply(CHAT)) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, tools=TOOLS)
    span = recorded.one()
    assert "gen_ai.input.messages" not in span.attributes
    assert "gen_ai.output.messages" not in span.attributes
    assert span["gen_ai.usage.input_tokens"] == 20
    assert span["agentops.decision.chosen"] == "weather"


@pytest.mark.parametrize("prepare", ["options", "copy", "subclass", "before", "module"])
def test_every_kind_of_client_is_captured(recorded: Any, prepare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(openai.OpenAI):
        """A subclass."""

    with Wire(Reply(CHAT)) as wire:
        if prepare == "before":
            import agentops_sdk as agentops

            agentops.shutdown()
            asking: Any = client(wire)
            recorded.start()
        elif prepare == "subclass":
            asking = Own(base_url=wire.url, api_key="none")
        elif prepare == "module":
            monkeypatch.setattr(openai, "base_url", wire.url)
            monkeypatch.setattr(openai, "api_key", "none")
            asking = openai
        else:
            asking = client(wire).with_options(timeout=5) if prepare == "options" else client(wire).copy()
        asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        if prepare == "module":
            openai._reset_client()
    assert recorded.one().name == "chat gpt-4o"


def test_inside_another_model_call_it_is_part_of_it(recorded: Any) -> None:
    from agentops_sdk.integration import start

    with Wire(Reply(CHAT)) as wire:
        outer = start("llm", "gpt-4o", attributes={"agentops.metadata.by": "framework"})
        with outer.attached():
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert not outer.ended
        outer.finish()
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    inside, after = recorded()
    assert inside["agentops.metadata.by"] == "framework"
    assert inside["gen_ai.usage.input_tokens"] == 20
    assert inside["server.port"] == wire.port
    assert inside.calls == [("weather", {"city": "Rome"})]
    assert "agentops.metadata.by" not in after.attributes

"""The caller notices nothing: every case run without and with us gives the same values, types, errors and requests."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest
from tests.openai import bodies
from tests.openai.styles import fitting
from tests.wire.http import CUT, Reply, Wire, event_of, sse

import agentops_sdk as agentops

CHAT = {"model": "gpt-4o", "messages": bodies.MESSAGES}
STREAM = {**CHAT, "stream": True}
UNASKED = [{name: value for name, value in each.items() if name != "usage"} for each in bodies.CHAT_CHUNKS]
ERROR = {"error": {"message": "no", "type": "bad", "code": "nope", "param": None}}


def _usage_if_asked(request: Any) -> Reply:
    """As OpenAI does: a usage chunk, and ``usage: null`` on the others, only where asked for."""
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    return sse(*bodies.CHAT_CHUNKS, bodies.USAGE_CHUNK) if asked else sse(*UNASKED)


CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "chat": ("chat.completions", CHAT, Reply(bodies.CHAT)),
    "chat with extras": ("chat.completions", {**CHAT, "top_k": 3, "stream_options": None}, Reply(bodies.CHAT)),
    "chat stream": ("chat.completions", STREAM, _usage_if_asked),
    "chat stream asked": (
        "chat.completions",
        {**STREAM, "stream_options": {"include_usage": True}},
        _usage_if_asked,
    ),
    "chat stream cut": (
        "chat.completions",
        STREAM,
        Reply(stream=[event_of(UNASKED[1]), 0.03, CUT], content_type="text/event-stream"),
    ),
    "chat stream error": ("chat.completions", STREAM, sse(UNASKED[1], ERROR)),
    "chat stream refused": ("chat.completions", STREAM, Reply(ERROR, 429)),
    "chat refused": ("chat.completions", CHAT, Reply(ERROR, 400)),
    "chat malformed": ("chat.completions", CHAT, Reply("{no")),
    "chat empty": ("chat.completions", CHAT, Reply("", content_type="text/plain")),
    "chat odd": ("chat.completions", CHAT, Reply([1, {"choices": "x"}])),
    "chat odd choices": ("chat.completions", CHAT, Reply({"choices": [None, 3, {"message": 5, "delta": []}]})),
    "chat odd stream": ("chat.completions", STREAM, sse({"choices": None}, {"choices": [{"delta": 3}]}, {"x": 1})),
    "responses": ("responses", {"model": "gpt-5", "input": "Hi"}, Reply(bodies.RESPONSE)),
    "responses stream": (
        "responses",
        {"model": "gpt-5", "input": "Hi", "stream": True},
        sse(*bodies.RESPONSE_EVENTS, done=False),
    ),
    "embeddings": ("embeddings", {"model": "text-embedding-3-small", "input": "Hi"}, Reply(bodies.EMBEDDINGS)),
    "completions": ("completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"}, Reply(bodies.COMPLETION)),
    "completions stream": (
        "completions",
        {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi", "stream": True},
        sse(*bodies.COMPLETION_CHUNKS),
    ),
}


def plain(value: Any) -> Any:
    """A result as data, with every type in it by name."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, pydantic.BaseModel):
        return kind, value.model_dump(exclude_unset=True), getattr(value, "_request_id", None)
    if isinstance(value, list):
        return kind, [plain(item) for item in value]
    return kind, value


def _problem(error: Exception) -> Any:
    told = str(error) if isinstance(error, openai.OpenAIError) else ""  # the system words a reset now so, now so
    return type(error).__qualname__, told, str(getattr(error, "body", None)), getattr(error, "status_code", None)


@pytest.mark.parametrize("case", CASES)
def test_same_with_and_without(case: str, recorded: Any) -> None:
    api, body, reply = CASES[case]
    if api == "responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip(f"openai {openai.__version__} has no Responses API")
    agentops.shutdown()
    without = _run(api, body, reply, lambda: None)
    recorded.start()
    once: list[int] = []
    with_us = _run(api, body, reply, lambda: once.append(len(recorded())))
    assert with_us == without
    assert once == [1] * len(once)


def _run(api: str, body: dict[str, Any], reply: Any, after: Callable[[], None]) -> list[Any]:
    outcomes: list[Any] = []
    with Wire(reply) as wire:
        common: Any = {"base_url": wire.url, "api_key": "none", "max_retries": 0}
        with openai.OpenAI(**common, http_client=openai.DefaultHttpxClient(verify=False)) as client:
            sync, asynchronous = fitting(api, body, client)
            for style in sync:
                given = copy.deepcopy(body)
                try:
                    outcomes.append((style.__name__, plain(style(client, api, given))))
                except Exception as error:
                    outcomes.append((style.__name__, _problem(error)))
                assert given == body
                after()
        outcomes += asyncio.run(_run_async(common, api, body, asynchronous, after))
        sent = [{**request.body} for request in wire.requests]
        for request in sent:
            if "stream_options" not in body and request.get("stream"):
                request.pop("stream_options", None)
    return [*outcomes, sent]


async def _run_async(common: Any, api: str, body: Any, styles: list[Any], after: Callable[[], None]) -> list[Any]:
    outcomes: list[Any] = []
    async with openai.AsyncOpenAI(**common, http_client=openai.DefaultAsyncHttpxClient(verify=False)) as client:
        for style in styles:
            given = copy.deepcopy(body)
            try:
                outcomes.append((style.__name__, plain(await style(client, api, given))))
            except Exception as error:
                outcomes.append((style.__name__, _problem(error)))
            assert given == body
            after()
    return outcomes


def test_stream_keeps_type_and_behaviour(recorded: Any) -> None:
    with Wire(_usage_if_asked) as wire, openai.OpenAI(base_url=wire.url, api_key="none") as client:
        stream = client.chat.completions.create(**STREAM)
        assert type(stream) is openai.Stream
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert iter(stream) is not stream
        assert not stream.response.is_closed
        list(stream)
        assert stream.response.is_closed
        assert {"iter_bytes", "close"}.isdisjoint(vars(stream.response))
        with client.chat.completions.create(**STREAM) as again:
            next(again)
        assert again.response.is_closed


def test_hostile_arguments_do_no_more_harm_than_before(recorded: Any) -> None:
    class Hostile(dict):  # type: ignore[type-arg]  # of anything
        def __deepcopy__(self, memo: Any) -> Any:
            raise AssertionError("copied")

        def __repr__(self) -> str:
            raise AssertionError("shown")

    once = ({"role": "user", "content": text} for text in ("a", "b"))
    with Wire(Reply(bodies.CHAT)) as wire, openai.OpenAI(base_url=wire.url, api_key="none") as client:
        client.chat.completions.create(model="gpt-4o", messages=[Hostile(role="user", content="Hi")])  # type: ignore[list-item]  # hostile on purpose
        client.chat.completions.create(model="gpt-4o", messages=once)  # type: ignore[arg-type]  # an iterator on purpose
        assert [message["content"] for message in wire.requests[1].body["messages"]] == ["a", "b"]
    first, second = recorded()
    assert first.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Hi"}]
    assert [message["parts"][0]["content"] for message in second.json("gen_ai.input.messages")] == ["a", "b"]

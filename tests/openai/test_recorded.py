"""Real traffic through the real client in every calling style: the span says what the raw reply says."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from tests.openai import recorded as recordings
from tests.openai.spans import Seen
from tests.openai.styles import fitting
from tests.wire.http import Reply, Wire

EXCHANGES = recordings.exchanges()
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


EACH = pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["id"] for each in EXCHANGES])


@EACH
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    turn = EXCHANGES.index(exchange)  # each way to ask has its turn
    _replay(exchange, recorded, turn)


@pytest.mark.slow
@pytest.mark.long
@EACH
def test_span_says_what_the_reply_says_in_every_style(exchange: dict[str, Any], recorded: Any) -> None:
    _replay(exchange, recorded, None)


def _replay(exchange: dict[str, Any], recorded: Any, turn: int | None) -> None:
    if exchange["api"] == "responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip(f"openai {openai.__version__} has no Responses API")
    if exchange["request"] is None:
        pytest.skip("the request's body was not recorded")
    kind = exchange["response_headers"].get("content-type", "application/json")
    reply = Reply(exchange["response_body"], exchange["status"], kind, {"x-request-id": "req-1"})
    with Wire(reply) as wire:
        asyncio.run(_all(wire, exchange, recorded, turn))


def _whose_turn(styles: list[Any], turn: int | None) -> list[Any]:
    return styles if turn is None or not styles else [styles[turn % len(styles)]]


async def _all(wire: Wire, exchange: dict[str, Any], recorded: Any, turn: int | None) -> None:
    api, body = exchange["api"], exchange["request"]
    with openai.OpenAI(**_given(wire, openai.DefaultHttpxClient)) as client:
        sync, asynchronous = fitting(api, body, client)
        for style in _whose_turn(sync, turn):
            problem = _attempt(style, client, api, body)
            _check(exchange, recorded.one(), problem, style.__name__)
    async with openai.AsyncOpenAI(**_given(wire, openai.DefaultAsyncHttpxClient)) as asking:
        for style in _whose_turn(asynchronous, turn):
            problem = None
            try:
                await style(asking, api, body)
            except Exception as error:
                problem = error
            _check(exchange, recorded.one(), problem, style.__name__)


def _given(wire: Wire, transport: Any) -> dict[str, Any]:
    # Without certificates to load, a client is made ten times faster; the server speaks plain HTTP.
    return {"base_url": wire.url, "api_key": "none", "max_retries": 0, "http_client": transport(verify=False)}


def _attempt(style: Any, client: Any, api: str, body: Any) -> Exception | None:
    try:
        style(client, api, body)
    except Exception as error:
        return error
    return None


def _check(exchange: dict[str, Any], span: Seen, problem: Exception | None, style: str) -> None:
    __tracebackhide__ = False
    assert span.get("gen_ai.request.model") == exchange["request"].get("model"), style
    if exchange["status"] >= 400:
        assert span.outcome == "error"
        assert span["error.type"] == f"openai.{type(problem).__name__}"
        assert span["agentops.request_id"] == "req-1"
        return
    if isinstance(problem, openai.APIError):  # an error event in a stream that began well
        assert span.outcome == "error"
        assert span["error.type"] == f"openai.{type(problem).__name__}"
    expected = recordings.said(exchange)
    if not isinstance(problem, openai.APIError) and problem is not None and span.outcome != "ok":
        # The client's own helper gave up (strict tools, length): the reply was fine.
        assert style in ("helper", "ahelper", "parse", "aparse"), repr(problem)
        return
    usage = {name: value for name, value in span.attributes.items() if ".usage." in name and value}
    assert span.get("gen_ai.response.id") == (expected.id or None), style
    assert span.get("gen_ai.response.model") == (expected.model or None), style
    assert {**usage, **expected.usage} == usage, style
    assert span.calls == expected.calls, style
    thoughts = [part["content"] for part in span.parts if part["type"] == "reasoning" and part["content"]]
    assert thoughts == expected.thoughts, style
    assert [part["name"] for part in span.parts if part["type"] == "server_tool_call"] == expected.server_calls, style
    if exchange["api"] == "embeddings":
        assert span.json("agentops.input") == exchange["request"]["input"], style
    if exchange["api"] in ("chat.completions", "completions"):
        assert list(span.get("gen_ai.response.finish_reasons") or ()) == expected.finish, style
        assert span.text == expected.text, style
    elif exchange["api"] == "responses":
        assert span.text == expected.text, style

"""Real traffic through the real client, whole and streamed, sync and async: the span says what the raw reply says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.anthropic.recordings import exchanges, final
from tests.openai.spans import Seen
from tests.wire.http import Reply, Wire

anthropic = pytest.importorskip("anthropic", reason="needs the anthropic client")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Pydantic serializer:UserWarning")


EXCHANGES = exchanges()
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["id"] for each in EXCHANGES])
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    if exchange["api"] == "complete" and not hasattr(anthropic.types, "Completion"):
        pytest.skip(f"anthropic {anthropic.__version__} has no text completions")
    kind = exchange["response_headers"].get("content-type", "application/json")
    with Wire(Reply(exchange["response_body"], exchange["status"], kind, {"request-id": "req-1"})) as wire:
        how: dict[str, Any] = {"base_url": wire.url.removesuffix("/v1"), "api_key": "none", "max_retries": 0}
        with anthropic.Anthropic(**how) as client:
            problem = attempt(client, exchange)
            check(exchange, recorded.one(), problem)
        problem = asyncio.run(attempt_async(how, exchange))
        check(exchange, recorded.one(), problem)


# --- every way that a user has of asking -----------------------------------------------------------


def arguments(exchange: dict[str, Any]) -> dict[str, Any]:
    """The few arguments that the client insists on, and all the rest as it would be sent."""
    body = exchange["request"]
    known = {name: body.get(name, default) for name, default in (("model", ""), ("max_tokens", 1), ("messages", []))}
    extra = {name: value for name, value in body.items() if name not in (*known, "stream")}
    return {**known, "extra_body": extra}


def create(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    reply = client.messages.create(**arguments(exchange), **streamed)
    if streamed:
        list(reply)


def beta(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    reply = client.beta.messages.create(**arguments(exchange), **streamed)
    if streamed:
        for _ in reply:
            pass


def raw(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    reply = client.messages.with_raw_response.create(**arguments(exchange), **streamed).parse()
    if streamed:
        list(reply)


def read(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    with client.messages.with_streaming_response.create(**arguments(exchange), **streamed) as response:
        response.read()


def lines(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    with client.messages.with_streaming_response.create(**arguments(exchange), **streamed) as response:
        list(response.iter_lines())


def helper(client: Any, exchange: dict[str, Any], streamed: dict[str, Any]) -> None:
    with client.messages.stream(**arguments(exchange)) as stream:
        stream.get_final_message()


@pytest.mark.slow
@pytest.mark.parametrize(
    "exchange",
    [each for each in EXCHANGES if each["api"] == "messages"],
    ids=[each["id"] for each in EXCHANGES if each["api"] == "messages"],
)
def test_span_says_what_the_reply_says_in_every_style(exchange: dict[str, Any], recorded: Any) -> None:
    kind = exchange["response_headers"].get("content-type", "application/json")
    streamed: dict[str, Any] = {"stream": True} if exchange["stream"] else {}
    with Wire(Reply(exchange["response_body"], exchange["status"], kind, {"request-id": "req-1"})) as wire:
        how: dict[str, Any] = {"base_url": wire.url.removesuffix("/v1"), "api_key": "none", "max_retries": 0}
        with anthropic.Anthropic(**how, http_client=anthropic.DefaultHttpxClient(verify=False)) as client:
            for style in (create, beta, raw, read, lines, *([helper] if streamed else [])):
                problem = None
                try:
                    style(client, exchange, streamed)
                except Exception as error:
                    problem = error
                span = recorded.one()
                if exchange["status"] < 400 and span.outcome == "ok":
                    problem = None  # the client's own helper gave up: the reply was fine
                check(exchange, span, problem)


def attempt(client: Any, exchange: dict[str, Any]) -> Exception | None:
    try:
        reply = client.post(exchange["path"], body=exchange["request"], **cast(exchange, "Stream"))
        if exchange["stream"]:
            list(reply)
    except Exception as error:
        return error
    return None


async def attempt_async(how: dict[str, Any], exchange: dict[str, Any]) -> Exception | None:
    async with anthropic.AsyncAnthropic(**how) as client:
        try:
            reply = await client.post(path(exchange), body=exchange["request"], **cast(exchange, "AsyncStream"))
            if exchange["stream"]:
                async for _ in reply:
                    pass
        except Exception as error:
            return error
    return None


def path(exchange: dict[str, Any]) -> str:
    """Recordings of other platforms were made at paths of their own, which their clients write when they send."""
    return "/v1/complete" if exchange["api"] == "complete" else "/v1/messages"


def cast(exchange: dict[str, Any], stream: str) -> dict[str, Any]:
    """How the client's own resource calls ``post``: its doors are tried by themselves in test_messages."""
    if exchange["api"] == "complete":
        return {"cast_to": anthropic.types.Completion}
    if not exchange["stream"]:
        return {"cast_to": anthropic.types.Message}
    events = getattr(anthropic, stream)[anthropic.types.RawMessageStreamEvent]
    return {"cast_to": anthropic.types.Message, "stream": True, "stream_cls": events}


def check(exchange: dict[str, Any], span: Seen, problem: Exception | None) -> None:
    assert span["gen_ai.provider.name"] in ("anthropic", "aws.bedrock", "gcp.vertex_ai")
    assert span.get("gen_ai.request.model") == exchange["request"].get("model")
    assert span["agentops.request_id"] == "req-1"
    if exchange["status"] >= 400:
        assert span.outcome == "error"
        assert span["error.type"] == f"anthropic.{type(problem).__name__}"
        return
    assert problem is None, repr(problem)
    assert span.outcome == "ok"
    reply = final(exchange)
    assert span["gen_ai.response.id"] == reply["id"]
    assert span["gen_ai.response.model"] == reply["model"]
    assert list(span["gen_ai.response.finish_reasons"]) == [reply["stop_reason"]]
    if exchange["api"] == "complete":
        assert span.text == reply["completion"]
        return
    check_usage(span, reply["usage"])
    blocks = reply["content"]
    assert span.text == "".join(block["text"] for block in blocks if block["type"] == "text")
    assert span.calls == [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    thoughts = [part["content"] for part in span.parts if part["type"] == "reasoning"]
    kinds = ("thinking", "redacted_thinking")
    assert thoughts == [block.get("thinking", "") for block in blocks if block["type"] in kinds]
    compacted = any(block["type"] == "compaction" for block in blocks)
    assert span.get("gen_ai.conversation.compacted") is (True if compacted else None)
    server = [part["name"] for part in span.parts if part["type"] == "server_tool_call"]
    assert server == [block["name"] for block in blocks if block["type"] in ("server_tool_use", "mcp_tool_use")]


def check_usage(span: Seen, usage: dict[str, Any]) -> None:
    if usage.get("iterations") and any(each.get("type") != "message" for each in usage["iterations"]):
        return  # compactions are billed beside; tests/usage has them
    read, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    assert span["gen_ai.usage.input_tokens"] == usage["input_tokens"] + read + written
    assert span["gen_ai.usage.output_tokens"] == usage["output_tokens"]
    assert (span.get("gen_ai.usage.cache_read.input_tokens") or 0) == read
    assert (span.get("gen_ai.usage.cache_creation.input_tokens") or 0) == written

"""The programs of the scenarios with other clients: Anthropic's, Google's and Bedrock's."""

from __future__ import annotations

import json
from typing import Any

from tests.bedrock import clients as bedrock
from tests.conformance.scenarios import Scenario, opened
from tests.google_genai import clients as google
from tests.wire.http import Reply

__all__ = ["CLIENT_SCENARIOS"]

_SHAPE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_QUESTION = "Weather in Rome?"

# --- Anthropic ------------------------------------------------------------------------------------

CLAUDE = "claude-sonnet-5"
_USED = {"input_tokens": 25, "output_tokens": 12, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3}
_TOOL_USE = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}


def _message(*content: Any, reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "content": list(content),
        "stop_reason": reason, "stop_sequence": None, "usage": _USED, **more,
    }  # fmt: skip


def _events(*events: dict[str, Any]) -> Reply:
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return Reply(stream=lines, content_type="text/event-stream")


CLAUDE_SAID = _message({"type": "text", "text": "Rain."})
CLAUDE_CALLED = _message(_TOOL_USE, reason="tool_use")
CLAUDE_STREAMED = _events(
    {"type": "message_start", "message": _message(reason=None)},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Rain"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 12},
    },
    {"type": "message_stop"},
)
CLAUDE_SETTINGS: dict[str, Any] = {"max_tokens": 100, "stop_sequences": ["END"]}
"""The others of the conventions' are none of this client any more."""
_CLAUDE_TOOL = {"name": "weather", "description": "Now", "input_schema": _SHAPE}


def _anthropic(url: str) -> Any:
    import anthropic

    return opened(anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="k", max_retries=0)).messages


def _claude(url: str) -> None:
    messages = [{"role": "user", "content": _QUESTION}]
    _anthropic(url).create(model=CLAUDE, messages=messages, system="Be brief.", **CLAUDE_SETTINGS)


def _claude_stream(url: str) -> None:
    messages = [{"role": "user", "content": _QUESTION}]
    for _ in _anthropic(url).create(model=CLAUDE, messages=messages, stream=True, **CLAUDE_SETTINGS):
        pass


def _claude_tools(url: str) -> None:
    client = _anthropic(url)
    messages: list[Any] = [{"role": "user", "content": _QUESTION}]
    asked = client.create(model=CLAUDE, messages=messages, max_tokens=100, tools=[_CLAUDE_TOOL])
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}
    messages += [{"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
    client.create(model=CLAUDE, messages=messages, max_tokens=100, tools=[_CLAUDE_TOOL])


# --- Google ---------------------------------------------------------------------------------------

_GEMINI_SETTINGS: dict[str, Any] = {
    "temperature": 0.7, "top_p": 0.9, "top_k": 5, "max_output_tokens": 100, "presence_penalty": 0.25,
    "frequency_penalty": 0.5, "stop_sequences": ["END"], "seed": 42,
}  # fmt: skip
_GEMINI_TOOL = {"name": "weather", "description": "Now", "parameters": {"type": "OBJECT", "properties": {}}}
_GEMINI_CALL = {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Rome"}}}
_VECTOR = {"embeddings": [{"values": [0.1] * 8}]}


def _google(url: str) -> Any:
    from google import genai

    return opened(genai.Client(**google.options(url))).models


def _gemini(url: str) -> None:
    config = {**_GEMINI_SETTINGS, "system_instruction": "Be brief."}
    _google(url).generate_content(model=google.MODEL, contents=_QUESTION, config=config)


def _gemini_stream(url: str) -> None:
    for _ in _google(url).generate_content_stream(model=google.MODEL, contents=_QUESTION, config=_GEMINI_SETTINGS):
        pass


def _gemini_tools(url: str) -> None:
    client = _google(url)
    config = {"tools": [{"function_declarations": [_GEMINI_TOOL]}]}
    asked = client.generate_content(model=google.MODEL, contents=_QUESTION, config=config)
    result = {"role": "user", "parts": [{"function_response": {"name": "weather", "response": {"rain": True}}}]}
    contents = [{"role": "user", "parts": [{"text": _QUESTION}]}, asked.candidates[0].content, result]
    client.generate_content(model=google.MODEL, contents=contents, config=config)


def _gemini_structured(url: str) -> None:
    config = {"response_mime_type": "application/json", "response_schema": {"type": "OBJECT", "properties": {}}}
    _google(url).generate_content(model=google.MODEL, contents=_QUESTION, config=config)


def _gemini_embed(url: str) -> None:
    _google(url).embed_content(model="gemini-embedding-001", contents="a fox", config={"output_dimensionality": 8})


# --- Bedrock --------------------------------------------------------------------------------------

_CONVERSE_USED = {**bedrock.USAGE, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 3}
_CONVERSE: dict[str, Any] = {
    "modelId": bedrock.MODEL, "messages": [{"role": "user", "content": [{"text": _QUESTION}]}],
    "inferenceConfig": {"maxTokens": 100, "temperature": 0.7, "topP": 0.9, "stopSequences": ["END"]},
}  # fmt: skip
_CONVERSE_STREAM = Reply(
    stream=[
        bedrock.event("messageStart", {"role": "assistant"}), bedrock.delta(0, text="Rain"), bedrock.delta(0, text="."),
        bedrock.event("messageStop", {"stopReason": "end_turn"}),
        bedrock.event("metadata", {"usage": _CONVERSE_USED, "metrics": {"latencyMs": 7}}),
    ],
    content_type="application/vnd.amazon.eventstream",
)  # fmt: skip


def _converse(url: str) -> None:
    with bedrock.client(url) as client:
        client.converse(system=[{"text": "Be brief."}], **_CONVERSE)


def _converse_stream(url: str) -> None:
    with bedrock.client(url) as client:
        for _ in client.converse_stream(**_CONVERSE)["stream"]:
            pass


def _converse_tools(url: str) -> None:
    with bedrock.client(url) as client:
        asked = client.converse(toolConfig={"tools": [bedrock.TOOL]}, **_CONVERSE)["output"]["message"]
        result = {"toolUseId": "call_1", "content": [{"text": "rain"}], "status": "success"}
        messages = [*_CONVERSE["messages"], asked, {"role": "user", "content": [{"toolResult": result}]}]
        client.converse(**{**_CONVERSE, "messages": messages}, toolConfig={"tools": [bedrock.TOOL]})


_WRITES = ("usage.cache_creation.input_tokens", "usage.cache_write.input_tokens", "usage.cache_read.input_tokens")
"""The first is a name of the one state, the second of the other."""
_THINKS = ("usage.cache_read.input_tokens", "usage.reasoning.output_tokens")
_FIRST = ("stream", "response.time_to_first_chunk")
_CLAUDE_SET = ("max_tokens", "stop_sequences")
_CONVERSE_SET = (*_CLAUDE_SET, "temperature", "top_p")
_GEMINI_SET = (*_CONVERSE_SET, "top_k", "presence_penalty", "frequency_penalty", "seed")
_NO_ID = ("response.id", "response.model")
"""Bedrock calls a reply by its request, and does not repeat the model."""


def _said(**more: Any) -> dict[str, Any]:
    return bedrock.whole({"text": "Rain."}, usage=_CONVERSE_USED, **more)


_CONVERSE_CALL = {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Rome"}}}
CLIENT_SCENARIOS = (
    Scenario(
        "inference", "anthropic", _claude, (CLAUDE_SAID,), {"chat": 1},
        {"chat": (*_CLAUDE_SET, *_WRITES, "system_instructions")},
    ),
    Scenario(
        "streaming", "anthropic", _claude_stream, (CLAUDE_STREAMED,), {"chat": 1},
        {"chat": (*_CLAUDE_SET, *_WRITES, *_FIRST)},
    ),
    Scenario(
        "tool_calling", "anthropic", _claude_tools, (CLAUDE_CALLED, CLAUDE_SAID), {"chat": 2},
        {"chat": ("max_tokens", *_WRITES, "tool.definitions")},
    ),
    Scenario(
        "inference", "google_genai", _gemini, (google.reply({"text": "Rain."}),), {"generate_content": 1},
        {"generate_content": (*_GEMINI_SET, *_THINKS, "system_instructions")},
    ),
    Scenario(
        "streaming", "google_genai", _gemini_stream,
        (
            Reply(
                stream=[
                    google.event(google.reply({"text": "Rain"}, finish=None)),
                    google.event(google.reply({"text": "."})),
                ],
                content_type="text/event-stream",
            ),
        ),
        {"generate_content": 1}, {"generate_content": (*_GEMINI_SET, *_THINKS, *_FIRST)},
    ),
    Scenario(
        "tool_calling", "google_genai", _gemini_tools, (google.reply(_GEMINI_CALL), google.reply({"text": "Rain."})),
        {"generate_content": 2}, {"generate_content": (*_THINKS, "tool.definitions")},
    ),
    Scenario(
        "structured_output", "google_genai", _gemini_structured, (google.reply({"text": "{}"}),),
        {"generate_content": 1}, {"generate_content": (*_THINKS, "output.type")},
    ),
    Scenario(
        "embeddings", "google_genai", _gemini_embed, (_VECTOR,), {"embeddings": 1},
        {"embeddings": ("embeddings.dimension.count",)}, ("usage.input_tokens", "response.model"),
    ),
    Scenario(
        "inference", "bedrock", _converse, (_said(),), {"chat": 1},
        {"chat": (*_CONVERSE_SET, *_WRITES, "system_instructions")}, _NO_ID,
    ),
    Scenario(
        "streaming", "bedrock", _converse_stream, (_CONVERSE_STREAM,), {"chat": 1},
        {"chat": (*_CONVERSE_SET, *_WRITES, *_FIRST)}, _NO_ID,
    ),
    Scenario(
        "tool_calling", "bedrock", _converse_tools,
        (bedrock.whole(_CONVERSE_CALL, reason="tool_use", usage=_CONVERSE_USED), _said()), {"chat": 2},
        {"chat": (*_CONVERSE_SET, *_WRITES, "tool.definitions")}, _NO_ID,
    ),
)  # fmt: skip

"""Hand-written bodies in OpenAI's wire format."""

from __future__ import annotations

from typing import Any

MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Rome?"}]
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "weather", "description": "Now", "parameters": {"type": "object"}}}
]
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


def completion(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": finish, "logprobs": None, "message": message}],
        "usage": USAGE,
        **more,
    }


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
        "usage": None,
        **more,
    }


CHAT = completion({"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}, "tool_calls")
CHAT_CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
]
USAGE_CHUNK = {**chunk({}), "choices": [], "usage": USAGE}

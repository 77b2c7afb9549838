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

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": "Be brief.",
    "model": "gpt-5-2025-08-07",
    "output": [
        {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "They ask for weather."}]},
        {
            "id": "fc_1",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city": "Rome"}',
        },
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}],
        },
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [{"type": "function", "name": "weather", "description": "Now", "parameters": {}, "strict": False}],
    "top_p": 1.0,
    "metadata": {},
    "usage": {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 10},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 42,
    },
}
_STARTED = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
_MESSAGE = RESPONSE["output"][2]
_EMPTY = {**_MESSAGE, "status": "in_progress", "content": []}
_CALL = RESPONSE["output"][1]
_WHERE = {"item_id": "msg_1", "output_index": 2, "content_index": 0}
_BLOCK = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
RESPONSE_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "sequence_number": 0, "response": _STARTED},
    {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": RESPONSE["output"][0]},
    {"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": RESPONSE["output"][0]},
    {
        "type": "response.output_item.added",
        "sequence_number": 3,
        "output_index": 1,
        "item": {**_CALL, "status": "in_progress", "arguments": ""},
    },
    {
        "type": "response.function_call_arguments.delta",
        "sequence_number": 4,
        "item_id": "fc_1",
        "output_index": 1,
        "delta": '{"city": ',
    },
    {
        "type": "response.function_call_arguments.delta",
        "sequence_number": 5,
        "item_id": "fc_1",
        "output_index": 1,
        "delta": '"Rome"}',
    },
    {"type": "response.output_item.done", "sequence_number": 6, "output_index": 1, "item": _CALL},
    {"type": "response.output_item.added", "sequence_number": 7, "output_index": 2, "item": _EMPTY},
    {"type": "response.content_part.added", "sequence_number": 8, **_WHERE, "part": _BLOCK},
    {"type": "response.output_text.delta", "sequence_number": 9, **_WHERE, "delta": "Hel", "logprobs": []},
    {"type": "response.output_text.delta", "sequence_number": 10, **_WHERE, "delta": "lo", "logprobs": []},
    {"type": "response.output_text.done", "sequence_number": 11, **_WHERE, "text": "Hello", "logprobs": []},
    {"type": "response.output_item.done", "sequence_number": 12, "output_index": 2, "item": _MESSAGE},
    {"type": "response.completed", "sequence_number": 13, "response": RESPONSE},
]

EMBEDDINGS: dict[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEAAAEBA"}],  # 1.0, 2.0, 3.0
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}
COMPLETION: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [{"index": 0, "text": "Hello", "finish_reason": "stop", "logprobs": None}],
    "usage": USAGE,
}
_PIECE = {name: value for name, value in COMPLETION.items() if name != "usage"}
COMPLETION_CHUNKS = [
    {**_PIECE, "choices": [{"index": 0, "text": text, "finish_reason": end, "logprobs": None}]}
    for text, end in (("Hel", None), ("lo", None), ("", "stop"))
]

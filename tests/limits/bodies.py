"""Replies of OpenAI's shape whose price is known: each uses 1,000 tokens each way of gpt-4o-mini, 0.00075 dollars."""

from __future__ import annotations

import itertools
from typing import Any

from tests.wire.http import Reply, Request, sse

USAGE = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
COST = 0.00075
_HEAD = {"id": "c", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
_ids = itertools.count()


def body(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE, **more}


def stream() -> Reply:
    head = {**_HEAD, "object": "chat.completion.chunk"}
    pieces = [({"role": "assistant", "content": "hi"}, None), ({}, "stop")]
    return sse(
        *({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in pieces),
        {**head, "choices": [], "usage": USAGE},
    )


def answer(request: Request) -> Reply:
    return stream() if request.body.get("stream") else Reply(body({"content": "hi"}))


def asks_for_search(request: Request) -> Reply:
    function = {"name": "search", "arguments": '{"q": "x"}'}
    call = {"id": f"call_{next(_ids)}", "type": "function", "function": function}
    return Reply(body({"content": None, "tool_calls": [call]}, "tool_calls"))

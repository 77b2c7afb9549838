"""Answers in the form of Anthropic's messages, which Bedrock's models of Anthropic speak as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from agentops_sdk._genai import anthropic_messages
from agentops_sdk.testing.recordings.reply_form import Reply, ReplyForm, asked, calls_in

__all__ = ["ANTHROPIC"]


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in reply.parts:
        if part.get("type") == "text":
            blocks.append({"type": "text", "text": str(part.get("content") or "")})
        elif part.get("type") == "reasoning":
            blocks.append({"type": "thinking", "thinking": str(part.get("content") or ""), "signature": ""})
        elif part.get("type") == "tool_call":
            given = part.get("arguments")
            blocks.append({"type": "tool_use", "id": part.get("id"), "name": part.get("name"),
                           "input": given if isinstance(given, dict) else {}})  # fmt: skip
    return blocks


def body_of(reply: Reply) -> dict[str, Any]:
    given, said = reply.usage
    length = bool(reply.messages) and reply.messages[0].get("finish_reason") == "length"
    reason = "tool_use" if calls_in(reply.parts) else "max_tokens" if length else "end_turn"
    return {"id": reply.id, "type": "message", "role": "assistant", "model": reply.model, "content": _blocks(reply),
            "stop_reason": reason, "stop_sequence": None,
            "usage": {"input_tokens": given, "output_tokens": said}}  # fmt: skip


def events_of(reply: Reply) -> Iterator[tuple[str, Any]]:
    whole = body_of(reply)
    blocks = whole["content"]
    yield "message_start", {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(blocks):
        kind = block["type"]
        empty = {
            "text": {**block, "text": ""},
            "thinking": {**block, "thinking": ""},
            "tool_use": {**block, "input": {}},
        }[kind]
        delta = {
            "text": {"type": "text_delta", "text": block.get("text")},
            "thinking": {"type": "thinking_delta", "thinking": block.get("thinking")},
            "tool_use": {"type": "input_json_delta", "partial_json": json.dumps(block.get("input"))},
        }[kind]
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ending, "usage": whole["usage"]}
    yield "message_stop", {"type": "message_stop"}


def _with_system(body: dict[str, Any], text: str) -> None:
    body["system"] = text


ANTHROPIC: Final = ReplyForm("/messages", asked(anthropic_messages.request), body_of, events_of, _with_system)

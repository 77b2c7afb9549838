"""Anthropic's text completions of old: a prompt in, a text out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._genai import anthropic_messages
from agentops_sdk._genai import message_parts as parts

Json = Mapping[str, Any]


def request(body: Json) -> dict[str, Any]:
    prompt = body.get("prompt")
    return {
        **anthropic_messages.request(body),
        semconv.REQUEST_MAX_TOKENS: body.get("max_tokens_to_sample"),
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": [parts.text(prompt)]}] if isinstance(prompt, str) else None,
    }


def response(body: Json, asked: Json) -> dict[str, Any]:
    content = [{"type": "text", "text": body["completion"]}] if body.get("completion") else []
    return anthropic_messages.response({**body, "content": content}, asked)


def assemble(events: Iterable[Json]) -> dict[str, Any]:
    """Each event brings the next piece of the text, and the last why it ended."""
    body: dict[str, Any] = {}
    for event in events:
        text = str(body.get("completion") or "") + str(event.get("completion") or "")
        body.update((name, value) for name, value in event.items() if value is not None)
        body["completion"] = text
    return body

"""Answers in the form of Google's ``generateContent``, of Gemini and of Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from agentops_sdk._pipeline.registry import request_attributes
from agentops_sdk.testing.recordings.reply_form import Reply, ReplyForm, asked

__all__ = ["GEMINI"]

_REASONS: Final = {"length": "MAX_TOKENS", "content_filter": "SAFETY", "error": "MALFORMED_FUNCTION_CALL"}


def _parts(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part in message.get("parts") or ():
        kind = part.get("type")
        if kind in ("text", "reasoning"):
            yield {"text": str(part.get("content") or ""), **({"thought": True} if kind == "reasoning" else {})}
        elif kind == "tool_call":
            arguments = part.get("arguments")
            call = {"name": part.get("name"), "args": arguments if isinstance(arguments, dict) else {}}
            yield {"functionCall": {**call, **({"id": part["id"]} if part.get("id") else {})}}


def _body(reply: Reply) -> dict[str, Any]:
    candidates = [
        {"index": index, "content": {"role": "model", "parts": list(_parts(message))},
         "finishReason": _REASONS.get(str(message.get("finish_reason")), "STOP")}
        for index, message in enumerate(reply.messages)
    ]  # fmt: skip
    given, said = reply.usage
    usage = {"promptTokenCount": given, "candidatesTokenCount": said, "totalTokenCount": given + said}
    return {"candidates": candidates, "modelVersion": reply.model, "responseId": reply.id, "usageMetadata": usage}


def _events(reply: Reply) -> Iterator[tuple[str, Any]]:
    """A chunk is an answer of its own: one with everything."""
    yield "", _body(reply)


def _failure(reply: Reply) -> dict[str, Any]:
    return {"error": {"code": reply.status, "message": reply.error, "status": "UNKNOWN"}}


def _with_system(body: dict[str, Any], text: str) -> None:
    body["systemInstruction"] = {"parts": [{"text": text}]}


def _with_model(url: str, body: dict[str, Any], model: str) -> str:
    return re.sub(r"(/models/)[^/:]+(:\w+)", lambda match: f"{match[1]}{quote(model)}{match[2]}", url, count=1)


GEMINI: Final = ReplyForm(
    ":(?:streamG|g)enerateContent",
    asked(request_attributes("google_genai", "model:generateContent")),
    _body,
    _events,
    _with_system,
    streams=lambda path, _: path.endswith(":streamGenerateContent"),
    with_model=_with_model,
    failure=_failure,
)

"""Messages of a live session, of both sides, and the request and reply that they stand for. On the consumer thread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentops_integrations.google_genai import content
from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import Attributes, Endpoint, Events, Json


def _contents(messages: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Messages of both sides as a request would tell them, pieces put together."""
    last: dict[str, Any] = {}
    for message in messages:
        for role, part in _said(message) if isinstance(message, Mapping) else ():
            if role != last.get("role"):
                if last:
                    yield last
                last = {"role": role, "parts": []}
            content.add(last["parts"], part)
    if last:
        yield last


def _said(message: Json) -> Iterator[tuple[str, Json]]:
    for turn in content.mappings(content.get(content.get(message, "clientContent"), "turns") or []):
        yield from ((str(turn.get("role") or "user"), part) for part in content.mappings(turn.get("parts") or []))
    for result in content.mappings(content.get(content.get(message, "toolResponse"), "functionResponses") or []):
        yield "user", {"functionResponse": result}
    if isinstance(text := content.get(content.get(message, "realtimeInput"), "text"), str):
        yield "user", {"text": text}
    server = message.get("serverContent") or {}
    if text := content.get(server.get("inputTranscription"), "text"):
        yield "user", {"text": text}
    yield from (("model", part) for part in _answered(message))


def _answered(message: Json) -> Iterator[Json]:
    server = message.get("serverContent") or {}
    yield from content.mappings(content.get(server.get("modelTurn"), "parts") or [])
    if text := content.get(server.get("outputTranscription"), "text"):
        yield {"text": text}
    for call in content.mappings(content.get(message.get("toolCall"), "functionCalls") or []):
        yield {"functionCall": call}


def _request(body: Json) -> Attributes:
    setup = content.get(body.get("setup"), "setup") or {}
    asked = content.request({**setup, "contents": list(_contents(body.get("messages") or []))})
    modalities = content.get(content.get(setup, "generationConfig"), "responseModalities") or ["AUDIO"]
    return {**asked, semconv.OUTPUT_TYPE: "speech"} if "AUDIO" in modalities else asked


def _fold(events: Events) -> dict[str, Any]:
    """The messages of an answer to the reply that they stand for."""
    said: list[dict[str, Any]] = []
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": said}}
    body: dict[str, Any] = {"candidates": [candidate]}
    for event in events:
        server = event.get("serverContent") or {}
        for part in _answered(event):
            content.add(said, part)
        if event.get("toolCall") or server.get("turnComplete"):
            reason = server.get("turnCompleteReason")
            candidate.setdefault(
                "finishReason", "STOP" if reason in (None, "TURN_COMPLETE_REASON_UNSPECIFIED") else reason
            )
        if server.get("interrupted"):
            candidate["finishReason"] = "INTERRUPTED"
        if server.get("groundingMetadata"):
            candidate["groundingMetadata"] = server["groundingMetadata"]
        if event.get("usageMetadata"):
            body["usageMetadata"] = event["usageMetadata"]
    return body


ROW = Endpoint(
    path="live", operation="generate_content", request=_request, fold=_fold, usage=content.usage,
    response=lambda body, asked: content.response(body, content.get(asked.get("setup"), "setup") or {}),
    usage_shape="gemini.generate", end_mark=re.compile(rb'"turnComplete"\s*:\s*true|"toolCall"'),
)  # fmt: skip

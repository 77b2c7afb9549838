"""One response of a Realtime session, assembled from its events on the consumer thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from agentops_sdk.integration import guard, semconv, usage_attributes
from agentops_sdk.integration.dialects import openai_items as items
from agentops_sdk.integration.dialects import openai_responses as responses
from agentops_sdk.integration.dialects import openai_tools as tools

_SITE = "openai.realtime.reading"
# The beta's names and the audio's transcript, as the deltas of the Responses API they stand for.
_SAME = {
    "response.text.delta": "response.output_text.delta",
    "response.audio_transcript.delta": "response.output_text.delta",
    "response.output_audio_transcript.delta": "response.output_text.delta",
}


class Spoken:
    """Holds a response's events as bytes while it is under way; called with attributes, it fills them in."""

    __slots__ = ("_conversation", "_first_ns", "_settings", "_started", "events")

    def __init__(self, conversation: tuple[bytes, ...], settings: bytes | None) -> None:
        self.events: list[bytes] = []
        self._conversation = conversation
        self._settings = settings
        self._started = time.perf_counter_ns()
        self._first_ns = 0

    def began(self, now_ns: int) -> None:
        """A first piece came."""
        self._first_ns = self._first_ns or now_ns

    def __call__(self, attributes: dict[str, Any]) -> None:
        settings = _inner(self._settings, "session")
        with guard(_SITE):
            attributes.update(self._asked(settings))
        with guard(_SITE):
            events = [orjson.loads(event) for event in self.events]
            for event in events:
                event["type"] = _SAME.get(event.get("type"), event.get("type"))
            body = _plain(responses.assemble(events))
            reply = responses.response(body, {**settings, "stream": True})  # it comes in pieces, and may be cut off
            reply[semconv.STREAM_CHUNKS] = sum(1 for event in events if str(event["type"]).endswith(".delta"))
            if self._first_ns:
                reply[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = (self._first_ns - self._started) / 1e9
            usage = body.get("usage")
            if isinstance(usage, Mapping) and (counts := usage_attributes("openai.responses", usage)):
                reply |= {**counts, semconv.USAGE_SOURCE: "reported"}
            attributes.update((name, value) for name, value in reply.items() if value is not None)

    def _asked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        spoken = [item for event in self._conversation if (item := _inner(event, "item"))]
        if spoken:
            attributes[semconv.INPUT_MESSAGES] = items.messages([_item(item) for item in spoken])
        if settings.get("instructions"):
            attributes[semconv.SYSTEM_INSTRUCTIONS] = items.instructions(settings["instructions"])
        if offered := tools.definitions(settings):
            attributes[semconv.TOOL_DEFINITIONS] = offered
        return attributes


def _inner(event: bytes | None, name: str) -> dict[str, Any]:
    member = orjson.loads(event).get(name) if event else None
    return member if isinstance(member, dict) else {}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "output": [_item(item) for item in body.get("output") or ()]}


def _item(item: Any) -> Any:
    """A Realtime item as the Responses API would write it: of audio, what was said."""
    if not isinstance(item, dict) or not isinstance(item.get("content"), list):
        return item
    return {**item, "content": [_block(block) for block in item["content"]]}


def _block(block: Any) -> Any:
    if isinstance(block, dict) and block.get("transcript") is not None:
        return {"type": "text", "text": block["transcript"]}
    return block

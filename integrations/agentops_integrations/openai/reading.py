"""The bytes of one exchange, kept as they were, and what they say once the consumer thread looks into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agentops_integrations.openai import background, sse
from agentops_integrations.openai.endpoints import Endpoint
from agentops_sdk.integration import guard, semconv, usage_attributes

_SITE = "openai.reading"


class Reading:
    """Holds bytes while the exchange lives; called with a span's attributes, it fills them in."""

    __slots__ = (
        "chunks", "counted", "endpoint", "event_stream", "first_chunk", "injected", "limit", "method", "outcome",
        "path", "query", "request", "streamed",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, method: str, path: str) -> None:
        self.endpoint = endpoint
        self.method = method.upper()
        self.path = path.partition("?")[0]
        self.request: bytes | None = None
        self.query: str | None = None
        self.chunks: list[bytes] = []
        self.streamed = False
        self.event_stream = False
        self.injected = False
        self.first_chunk: float | None = None
        self.counted: int | None = None
        self.limit: int | None = None
        self.outcome = "ok"

    def __call__(self, attributes: dict[str, Any]) -> None:
        """Read the bodies into ``attributes``. Each part is guarded on its own: one bad body spoils no other."""
        asked: Mapping[str, Any] = {}
        with guard(_SITE):
            asked = _object(self.request) or {}
            _fill(attributes, self.endpoint.request(asked))
            if self.query:
                attributes.setdefault(semconv.INPUT, self.query)
        with guard(_SITE):
            body = self._body(attributes)
            if body is not None:
                if semconv.STREAM_CHUNKS in attributes:  # asked for in the query, or given unasked
                    asked = {**asked, "stream": True}
                self._reply(attributes, body, asked)

    def _body(self, attributes: dict[str, Any]) -> Mapping[str, Any] | None:
        if not self.streamed:
            whole = b"".join(self.chunks)
            body = _object(whole)
            if body is not None or not self.event_stream:
                return body
        events = sse.decode(b"".join(self.chunks), self.limit)
        if self.first_chunk is not None:
            attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = self.first_chunk
        attributes[semconv.STREAM_CHUNKS] = len(events) if self.counted is None else self.counted
        return self.endpoint.assemble(events)

    def _reply(
        self,
        attributes: dict[str, Any],
        body: Mapping[str, Any],
        asked: Mapping[str, Any],
    ) -> None:
        _fill(attributes, self.endpoint.response(body, asked))
        error = body.get("error")
        if self.outcome == "error" and isinstance(error, Mapping):
            told = error.get("code") or error.get("type")
            if told and attributes.get(semconv.ERROR_TYPE) in (None, "_OTHER"):
                attributes[semconv.ERROR_TYPE] = str(told)
        usage = self.endpoint.usage(body)
        figures = usage_attributes(self.endpoint.usage_shape, usage) if usage else {}
        counts = background.settle(attributes, figures, body, asked, method=self.method, path=self.path)
        if figures and counts:
            _fill(attributes, figures)
            attributes[semconv.USAGE_SOURCE] = "injected" if self.injected else "reported"

    def failed(self) -> bool:
        """Whether a reply in one piece says itself that the operation failed."""
        body = _object(b"".join(self.chunks))
        if body is None:
            return False
        if body.get("status") == "failed" and body.get("object") == "response":
            return self.method == "POST" and self.endpoint.kind == "llm"
        return bool(body.get("error")) and "choices" not in body and "output" not in body and "id" not in body


def _object(body: bytes | None) -> Mapping[str, Any] | None:
    if not body:
        return None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _fill(attributes: dict[str, Any], told: Mapping[str, Any]) -> None:
    attributes.update((name, value) for name, value in told.items() if value is not None)

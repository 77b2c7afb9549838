"""The bytes of one exchange, kept as they were, and what they say once the consumer thread looks into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._http import sse
from agentops_sdk._http.endpoint import Attributes, Endpoint, Exchanged, Json
from agentops_sdk._snapshot.json_text import json_text

__all__ = ["Bodies"]

_SITE = "http.bodies"
_WHOLE = (semconv.INPUT, semconv.OUTPUT)
"""What holds JSON text also where that is but a text or a number."""


class Bodies:
    """Holds bytes while the exchange lives; called with a span's attributes, it fills them in.

    Attributes:
        request: the request's body.
        chunks: the reply's body as it came.
        streamed: whether the reply was asked for as a stream.
        event_stream: whether the server called it one.
        counted: how many events the caller was given, where somebody counted.
        limit: how many events to read, where the caller left the stream.
        first_chunk: seconds from the request to the first byte of a stream.
        status: the HTTP status of the reply, where that is looked at.
        injected: whether the usage in the reply was asked for by us.
    """

    __slots__ = (
        "chunks", "counted", "endpoint", "event_stream", "first_chunk", "injected", "limit", "method", "outcome",
        "path", "query", "request", "status", "streamed",
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
        self.status = 0

    def __call__(self, attributes: Attributes) -> None:
        """Read the bodies into ``attributes``. Each part is guarded on its own: one bad body spoils no other."""
        request: Json = {}
        with guard(_SITE):
            request = _object(self.request) or {}
            if self.query and self.endpoint.method == "GET":  # a row that knows what is asked there
                request = dict(parse_qsl(self.query))
            if self.endpoint.ends_with is not None:
                attributes.setdefault(self.endpoint.ends_with, self.path.rstrip("/").rpartition("/")[2])
            _fill(attributes, self.endpoint.request(request))
            if self.query:
                attributes.setdefault(semconv.INPUT, self.query)
        with guard(_SITE):
            reply = self._reply(attributes)
            if reply is not None:
                if semconv.STREAM_CHUNKS in attributes:  # asked for in the query, or given unasked
                    request = {**request, "stream": True}
                self._read(attributes, reply, request)
        if self.status >= 400 and attributes.get(semconv.ERROR_TYPE) in (None, "_OTHER"):
            attributes[semconv.ERROR_TYPE] = str(self.status)

    def _reply(self, attributes: Attributes) -> Json | None:
        if not self.streamed:
            whole = _object(b"".join(self.chunks))
            if whole is not None or not self.event_stream:
                return whole
        body = b"".join(self.chunks)
        endpoint = self.endpoint
        events, count = sse.decode_joined(
            body, self.limit, silent=endpoint.silent_events, text_of=endpoint.text_of, retold=endpoint.retold
        )
        if not events and not self.event_stream:
            events = sse.decode_lines(body, self.limit)
            count = len(events)
        if self.first_chunk is not None:
            attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = self.first_chunk
        attributes[semconv.STREAM_CHUNKS] = count if self.counted is None else self.counted
        return endpoint.fold(events)

    def _read(self, attributes: Attributes, reply: Json, request: Json) -> None:
        endpoint = self.endpoint
        _fill(attributes, endpoint.response(reply, request))
        error = reply.get("error")
        if self.outcome == "error" and isinstance(error, Mapping):
            code = error.get("code") or error.get("type")
            if code and attributes.get(semconv.ERROR_TYPE) in (None, "_OTHER"):
                attributes[semconv.ERROR_TYPE] = str(code)
        elif self.outcome == "error" and endpoint.failure_mark is not None and endpoint.failed(reply):
            reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS)
            if reasons and attributes.get(semconv.ERROR_TYPE) in (None, "_OTHER"):
                attributes[semconv.ERROR_TYPE] = str(reasons[0])
        usage = endpoint.usage(reply)
        figures = usage_attributes(endpoint.usage_shape, usage) if usage else {}
        if endpoint.settle(attributes, Exchanged(self.method, self.path, request, reply, figures)) and figures:
            _fill(attributes, figures)
            attributes[semconv.USAGE_SOURCE] = "injected" if self.injected else "reported"

    def failed(self) -> bool:
        """Whether a reply in one piece says itself that the operation failed."""
        reply = _object(b"".join(self.chunks))
        return reply is not None and self.endpoint.failed(reply)


def usage_attributes(shape: str, usage: Any) -> Attributes:
    """Token attributes from a provider's raw usage object; loaded with the first one."""
    return _conversion()(shape, usage)


@cache  # of each call, an import would take a microsecond or two
def _conversion() -> Callable[[str, Any], Attributes]:
    from agentops_sdk._usage.provider_usage import usage_attributes as convert

    return convert


_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some servers begin with; the clients read over it."""


def _object(body: bytes | None) -> Json | None:
    if not body:
        return None
    try:
        value = orjson.loads(body.removeprefix(_MARK))
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _fill(attributes: Attributes, values: Json) -> None:
    for name, value in values.items():
        if value is None:
            continue
        whole = name in _WHOLE and not isinstance(value, dict | list)
        attributes[name] = json_text(value) if whole else value

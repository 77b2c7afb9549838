"""One request of the client's from its first attempt to the last byte of its reply, and the call that records it.

Long because it is one object: whatever may happen to a request, in whichever order, meets here.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import SplitResult, urlsplit

from opentelemetry.context import Context

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call, outcome_of
from agentops_sdk._host.guard import guard
from agentops_sdk._http import sse
from agentops_sdk._http.bodies import Bodies
from agentops_sdk._http.endpoint import ByteFilter, Endpoint
from agentops_sdk._http.event_stream import CONTENT_TYPE, EventStreamText
from agentops_sdk._http.last_events import are_without, last_events
from agentops_sdk._http.stream import LiveReply
from agentops_sdk._snapshot.snapshot import snapshot_source

__all__ = ["Exchange", "address", "current"]

current: ContextVar[Exchange | None] = ContextVar("agentops-exchange", default=None)
"""The exchange whose request is under way here; the client's inner methods report to it."""

_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}
_TEXT = ("application/json", "text/")
_FAILED = re.compile(rb'"status"\s*:\s*"failed"')
_ERROR = re.compile(rb'"error"\s*:\s*(?!null)')
_ERROR_EVENT = re.compile(
    rb"(?:\A|[\r\n])event:\s*(?:(?:\w+\.)?response\.(?:failed|error)|error)\s*(?:[\r\n]|\Z)"
    rb'|(?:\A|[\r\n])data:\s*\{\s*(?:"type"\s*:\s*"error"|"error"\s*:\s*\{)'
    rb'|"type"\s*:\s*"(?:\w+\.)?response\.(?:failed|error)"'
)
"""An event that says that the operation failed. In a text, the quotes would be escaped."""
_ERROR_WORDS = (b"error", b"failed")
"""One of them is in whatever these find."""
_MODELS = ("llm", "embedding")
_KIND = "content-type"
_REQUEST_IDS = ("x-request-id", "apim-request-id", "x-ms-request-id", "request-id", "x-amzn-requestid")
_ASKED = {name.encode(): name for name in (*_REQUEST_IDS, _KIND)}
"""The headers of a reply that are looked at, as they are on the wire."""
_PAGE = re.compile(rb"\s*<(?:!doctype|html)", re.IGNORECASE)
"""A page in place of a model's reply, with a good status: of a proxy, or of who wants to be logged in to."""
_MAYBE_ERROR = re.compile(rb'"type"\s*:\s*"error"')


class Exchange:
    """A live request. It stands in for its call where :func:`agentops_sdk.integration.around` wants one.

    Args:
        call: the call to fill and finish, or one around us to contribute to.
        method: the HTTP method, or what stands for it.
        path: the path, or the URL, that was asked for.
        body: the request as its caller gave it: looked at when the call ends, where nobody has seen its bytes.
        contributes: the call is not ours: it is filled and left alive.
        hide: takes out of a stream what was added to its request.
    """

    __slots__ = (
        "_attempts",
        "_body",
        "_contributes",
        "_done",
        "_held",
        "_hide",
        "bodies",
        "call",
        "endpoint",
        "live",
        "read_later",
        "started",
    )

    def __init__(
        self,
        call: Call,
        endpoint: Endpoint,
        *,
        method: str,
        path: str,
        body: Any,
        contributes: bool,
        hide: ByteFilter | None = None,
    ) -> None:
        self.call = call
        self.endpoint = endpoint
        self._body = body
        self._hide = hide
        self.live: LiveReply | None = None
        self.bodies = Bodies(endpoint, method, path)
        self.started = time.perf_counter_ns()
        self._contributes = contributes
        self._attempts: list[dict[str, Any]] = []
        self._done = False
        self._held = False
        self.read_later = False
        """Whether the client has yet to read the reply, and may refuse it."""

    # --- what ``around`` does with a call --------------------------------------------------------

    def attach(self) -> Any:
        return None if self._contributes else self.call.attach()

    def detach(self, token: Any) -> None:
        if not self._contributes:
            self.call.detach(token)

    @property
    def asked_for(self) -> Any:
        """The request, as far as it is known before anything is sent: a structure of the caller's, or JSON text."""
        return self._body if self._body is not None else self.bodies.request

    @property
    def context(self) -> Context | None:
        """What the client's work runs in; ``None`` where it is the call around us that it runs in already."""
        return None if self._contributes else self.call.context

    def fail(self, error: BaseException) -> None:
        with guard("http.failure"):
            self._note_failure(error)
        with guard("http.fail"):
            outcome = outcome_of(error)
            self.end(outcome, error if outcome in ("error", "interrupted") else None)

    def finish(self, outcome: str = "ok", error: BaseException | None = None) -> bool:
        self.end(outcome, error)
        return True

    def asked(self, body: Any) -> None:
        """Keep the request: JSON text as it is, anything else as a copy of now."""
        if isinstance(body, bytes | str):
            self.bodies.request = body.encode() if isinstance(body, str) else body
            return
        source = snapshot_source(body)
        self.bodies.request = source.data
        if source.cut:
            self._cut(semconv.INPUT_MESSAGES)

    def _cut(self, name: str) -> None:
        """The attribute ``name`` will tell less than there was."""
        known = self.call.span.attributes.get(semconv.TRUNCATED, ())
        self.call.set(semconv.TRUNCATED, [*known, name])

    # --- what the client's inner methods report --------------------------------------------------

    def sent(self, request: Any) -> None:
        """An attempt's HTTP request has been built."""
        self._attempts.append({"status": None})
        if len(self._attempts) > 1:
            return
        kind = request.headers.get("content-type", "")
        if kind.startswith("application/json"):
            self.bodies.request = request.content
        elif isinstance(self._body, Mapping):  # a form with files: its fields are taken, its files are not
            self.asked(self._body)
        elif request.url.query:
            self.bodies.query = str(request.url.params)
        url, known = request.url, self.call.span.attributes
        # Where it goes has been set from the client's own address; few requests go elsewhere.
        if (url.host, url.port or _PORTS.get(url.scheme)) != (
            known.get(semconv.SERVER_ADDRESS),
            known.get(semconv.SERVER_PORT),
        ):
            self.call.update(address(url))

    def refused(self, status: int) -> None:
        """The last attempt was answered with an error status."""
        if self._attempts:
            self._attempts[-1]["status"] = status

    def waits(self, seconds: float) -> None:
        """The client will wait and try again."""
        if not self._attempts:
            return
        attempt = self._attempts[-1]
        attempt["wait"] = round(seconds, 3)
        error = sys.exc_info()[1]
        if attempt["status"] is None and error is not None:
            attempt["error"] = type(error).__name__

    def received(self, response: Any, *, streamed: bool, cast_to: Any) -> None:
        """The final response is here: read already, or still to be read by the caller.

        How it is read is what was asked for, ``streamed`` and ``cast_to``, as in the client: servers name other content
        types, or none.
        """
        bodies, status = self.bodies, response.status_code
        bodies.status = status
        if self._attempts:
            self._attempts[-1]["status"] = status
        bodies.streamed = streamed and status < 400
        kind = self._note_headers(response.headers)
        bodies.event_stream = "event-stream" in kind
        keep = (
            streamed or _is_model(cast_to) or any(mark in kind for mark in _TEXT) or not (kind or _is_binary(cast_to))
        )
        if response.is_closed:
            if keep:
                bodies.chunks = [response.content]
            return
        live = self._reading(keep)
        if CONTENT_TYPE in kind:
            live.text = EventStreamText().feed
        live.attach(response)

    def answered(self, body: Any) -> None:
        """The whole reply is here: JSON text as it is, anything else as a copy of now."""
        self.bodies.chunks = [body if isinstance(body, bytes) else snapshot_source(body).data]

    def streaming(self) -> LiveReply:
        """The reply is a stream of JSON texts, each to be handed to :meth:`LiveReply.received` in an event."""
        self.bodies.streamed = True
        self.call.set(semconv.REQUEST_STREAM, True)
        return self._reading(True)

    def _reading(self, keep: bool) -> LiveReply:
        self.live = LiveReply(
            self.stream_ended, self._is_over, keep=keep, hide=self._hide, silent=self.endpoint.silent_events
        )
        self.bodies.chunks = self.live.chunks
        if self._contributes:
            self.call.reading = self._left
        self.measure()
        return self.live

    def measure(self) -> None:
        """Limits have been asked: one that ends the stream is told what comes."""
        operation = getattr(self.call, "operation", self.call)
        if self.live is not None and operation.admission is not None and operation.admission.is_cut:
            self.live.meter = operation.admission.meter(operation, self.asked_for)

    # --- the end ---------------------------------------------------------------------------------

    def accept(self, _result: Any) -> bool:
        """The request has returned: it ends here, or later where its reply is still being read. Nobody else ends it."""
        if self.live is None and not self._done:
            self.end("error" if self._failed_body() else "ok", None)
        return False

    def stream_ended(self, outcome: str, error: BaseException | None, complete: bool) -> None:
        live, self.live = self.live, None  # each holds the other
        if live is None:
            return
        bodies = self.bodies
        if live.first_ns:
            bodies.first_chunk = (live.first_ns - self.started) / 1e9
        if live.cut:
            self._cut(semconv.OUTPUT_MESSAGES)
        if live.watched and not complete:
            bodies.limit = live.delivered + live.raised  # an event that says what failed may tell what it used
        bodies.counted = live.delivered if live.watched else None
        if outcome == "ok" and self._failed_body():
            outcome = "error"
        self.end(outcome, error)

    def _left(self, outcome: str) -> None:
        """The operation around ends first, as its reader raises: the stream is one that was left."""
        self.stream_ended("abandoned" if outcome == "error" else outcome, None, self._is_over())

    def end(self, outcome: str, error: BaseException | None) -> None:
        """Hand over what was kept and finish the call; only the first time counts."""
        if self._done:
            return
        self._done = True
        if self.read_later and outcome == "ok":
            self._held = True
            return
        call, bodies = self.call, self.bodies
        bodies.outcome = outcome
        bodies.injected = self._hide is not None
        if len(self._attempts) > 1:
            call.set(semconv.ATTEMPTS, self._attempts)
        if bodies.request is None and isinstance(self._body, Mapping):
            self.asked(self._body)
        call.defer(bodies)
        self._body = None
        if self._contributes:
            call.reading = None
            self._settle(outcome == "error" and error is None)
        if not self._contributes:
            call.finish(outcome, error)

    def _settle(self, failed: bool) -> None:
        """What the reply says of itself, for the operation around: whoever began that one was given no exception."""
        operation = getattr(self.call, "operation", self.call)
        if failed or operation.settled == "error":  # which was said of an attempt before
            operation.settled = "error" if failed else None

    def read(self, error: BaseException | None) -> None:
        """The client has read the reply, or has raised instead: so ends what has ended well so far."""
        self.read_later = False
        if self._held:
            self._held = self._done = False
            if error is None:
                self.finish()
        if error is not None:
            self.fail(error)

    def _failed_body(self) -> bool:
        """Whether a reply failed, by its status or in spite of it: parsed only where its bytes look like that."""
        if self.bodies.status >= 400:
            return True
        chunks = self.bodies.chunks
        if not chunks:
            return False
        mark = self.endpoint.failure_mark
        if self.bodies.streamed:
            if are_without(chunks, 3, _ERROR_WORDS, mark):
                return False
            events = b"\n\n".join(last_events(chunks, 3))
            if _ERROR_EVENT.search(events):
                return True
            # Servers that write the type last.
            if _MAYBE_ERROR.search(events) and any(event.get("type") == "error" for event in sse.decode(events)):
                return True
            if mark is None:
                return False
            events = events or b"".join(chunks[-2:])  # lines of JSON
            return bool(mark.search(events)) and any(
                map(self.endpoint.failed, sse.decode(events) or sse.decode_lines(events))
            )
        whole = chunks[0]
        if whole[:1] != b"{" and self.endpoint.kind in _MODELS and _PAGE.match(whole):
            return True
        suspicious = mark is not None and mark.search(whole) is not None
        # Not "in", which raises and clears an error for bytes in bytes.
        if not suspicious and max(whole.find(b'"failed"'), whole.find(b'"error"')) >= 0:
            suspicious = (_FAILED.search(whole) or _ERROR.search(whole[:64])) is not None
        return suspicious and self.bodies.failed()

    def _is_over(self) -> bool:
        """Whether what the caller got of a stream includes its end."""
        live = self.live
        if live is None:
            return True
        return any(self.endpoint.end_mark.search(event) for event in live.last_delivered(2))

    def _note_failure(self, error: BaseException) -> None:
        response: Any = getattr(error, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(status, int):
            self.refused(status)
            self._note_headers(response.headers)
        elif self._attempts and self._attempts[-1]["status"] is None:
            self._attempts[-1]["error"] = type(error.__cause__ or error).__name__

    def _note_headers(self, headers: Any) -> str:
        """Take the id that the server gave the request; returns the content type of its reply."""
        if type(raw := getattr(headers, "raw", None)) is list:  # httpx's, which go through them all for each question
            found = [(_ASKED[known], value) for name, value in raw if (known := name.lower()) in _ASKED]
            headers = {name: value.decode("latin-1") for name, value in found}
        for name in _REQUEST_IDS:
            # Asked first whether it is there: of one that is missing, get() takes twice as long.
            if name in headers and (value := headers.get(name)):
                self.call.set(semconv.REQUEST_ID, str(value))
                break
        kind: str = headers.get(_KIND, "")
        return kind


def _is_model(cast_to: Any) -> bool:
    """Whether the client will make one of its models, and so take any reply for JSON."""
    return isinstance(cast_to, type) and hasattr(cast_to, "to_dict")


def _is_binary(cast_to: Any) -> bool:
    return "Binary" in getattr(cast_to, "__name__", "")  # HttpxBinaryResponseContent, BinaryAPIResponse, …


def address(url: Any) -> dict[str, Any]:
    """``server.address`` and ``server.port`` of a URL (text or httpx's); the scheme's own port where it names none."""
    if isinstance(url, str):
        url = urlsplit(url)
    host = url.hostname if isinstance(url, SplitResult) else url.host
    port = url.port or _PORTS.get(url.scheme)
    return {semconv.SERVER_ADDRESS: host or "", semconv.SERVER_PORT: port}

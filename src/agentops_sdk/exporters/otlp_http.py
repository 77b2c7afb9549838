"""One OTLP request over HTTP and what its answer means."""

from __future__ import annotations

import email.utils
import gzip
import math
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentops_sdk._version import DISTRIBUTION, VERSION
from agentops_sdk.exporters.otlp_proxy import ProxyError, proxy_for
from agentops_sdk.exporters.otlp_segment import Piece

if TYPE_CHECKING:
    from httpx2 import HTTPTransport

    from agentops_sdk.exporters.otlp_endpoint import Endpoint

__all__ = ["Reply", "Sender", "halves"]

Verdict = Literal["accepted", "too_large", "retry", "misconfigured", "refused"]
_SETTING_WRONG = frozenset({300, 301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407, 411, 415, 426, 431, 501, 511})
_LONGEST_PAUSE = 3600.0
_ANSWER_BYTES = 1_048_576


@dataclass(frozen=True)
class Reply:
    """What came back. ``reason`` is empty when all is well."""

    verdict: Verdict
    reason: str = ""
    status: int = 0
    rejected: int = 0
    retry_after: float | None = None


class Sender:
    """A connection that is kept open; for one thread. Opens with the first request, again after a failure."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._transport: HTTPTransport | None = None
        self._compression = endpoint.compression
        self._known = False
        self._context = _not_traced()

    def post(self, body: bytes) -> Reply:
        """Send one serialized request; every failure becomes a :class:`Reply`."""
        reply = self._once(body, self._compression)
        if reply.status in (400, 415, 422) and not self._known and self._compression != "none":
            # Some backends cannot unpack what they get: the same once more, as it is.
            plain = self._once(body, "none")
            if plain.verdict == "accepted":
                self._compression, reply = "none", plain
        self._known = self._known or reply.verdict == "accepted"
        return reply

    def _once(self, body: bytes, compression: str) -> Reply:
        import httpx2

        endpoint = self._endpoint
        headers = {"content-type": "application/x-protobuf", "user-agent": _agent(), **endpoint.headers}
        if compression == "gzip":
            body, headers["content-encoding"] = gzip.compress(body, 3, mtime=0), "gzip"
        elif compression == "deflate":
            body, headers["content-encoding"] = zlib.compress(body, 3), "deflate"
        limits = httpx2.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 5.0)).as_dict()
        deadline = time.monotonic() + endpoint.timeout
        try:
            if self._transport is None:
                self._transport = _transport(endpoint)
            request = httpx2.Request("POST", endpoint.url, headers=headers, content=body,
                                     extensions={"timeout": limits})  # fmt: skip
            response = self._transport.handle_request(request)
            try:
                answer = b""
                for chunk in response.stream:  # type: ignore[union-attr]
                    answer += chunk
                    if len(answer) > _ANSWER_BYTES or time.monotonic() > deadline:
                        raise httpx2.ReadTimeout("the answer does not end")
            finally:
                response.close()
        except ProxyError as error:
            return Reply("misconfigured", str(error))
        except (httpx2.HTTPError, OSError, httpx2.InvalidURL) as error:
            self.close()
            return Reply("retry", f"{type(error).__name__}: {str(error)[:200] or 'no answer'}")
        if response.headers.get("content-encoding") == "gzip":
            try:
                answer = gzip.decompress(answer)
            except (OSError, EOFError, zlib.error):
                answer = b""
        return _judge(response.status_code, response.headers, answer)

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _transport(endpoint: Endpoint) -> HTTPTransport:
    # The bare transport: a client would log each request on the host's log and follow cookies.
    import httpx2

    return httpx2.HTTPTransport(verify=endpoint.tls(), proxy=proxy_for(endpoint.url), retries=0)


def _judge(status: int, headers: Any, answer: bytes) -> Reply:
    if 200 <= status < 300:
        return _accepted(status, answer)
    reason = f"HTTP {status}: {_words(headers, answer)}"
    if status == 413:
        return Reply("too_large", reason, status)
    if status in _SETTING_WRONG:
        return Reply("misconfigured", reason, status, retry_after=_pause(headers))
    if status in (408, 421, 425, 429) or status >= 500 or status < 200:
        return Reply("retry", reason, status, retry_after=_pause(headers))
    return Reply("refused", reason, status)


def _accepted(status: int, answer: bytes) -> Reply:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:  # "{}" and other courtesies
        return Reply("accepted", status=status)
    return Reply("accepted", partial.error_message[:300], status, rejected=max(0, partial.rejected_spans))


def _words(headers: Any, answer: bytes) -> str:
    if "protobuf" in headers.get("content-type", ""):
        answer = bytes(byte for byte in answer if 32 <= byte < 127)
    text = " ".join(answer[:600].decode("utf-8", "replace").split())
    return text[:300] or headers.get("location", "") or "no explanation"


def _pause(headers: Any) -> float | None:
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None


def _agent() -> str:
    return f"{DISTRIBUTION}/{VERSION} OTel-OTLP-Exporter-Python"


def _not_traced() -> object:
    """Tell HTTP instrumentations on this thread that our own requests are not the program's."""
    from opentelemetry import context

    current = context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True)  # noqa: SLF001 - no public name
    current = context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True, current)  # noqa: SLF001 - the same
    return context.attach(current)


def halves(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Two lists of about the same size; a single request is taken apart into its spans. The second may be empty."""
    if len(pieces) > 1:
        middle = len(pieces) // 2
        return pieces[:middle], pieces[middle:]
    return _split_spans(pieces[0])


def _split_spans(piece: Piece) -> tuple[list[Piece], list[Piece]]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        whole = ExportTraceServiceRequest.FromString(piece.payload)
    except DecodeError:
        return [piece], []
    places = [
        (at, within, number)
        for at, resource in enumerate(whole.resource_spans)
        for within, scope in enumerate(resource.scope_spans)
        for number in range(len(scope.spans))
    ]
    if len(places) < 2:
        return [piece], []
    middle = len(places) // 2
    result = []
    for wanted in (set(places[:middle]), set(places[middle:])):
        part = ExportTraceServiceRequest()
        for at, resource in enumerate(whole.resource_spans):
            kept = part.resource_spans.add()
            kept.resource.CopyFrom(resource.resource)
            kept.schema_url = resource.schema_url
            for within, scope in enumerate(resource.scope_spans):
                spans = [span for number, span in enumerate(scope.spans) if (at, within, number) in wanted]
                if spans:
                    group = kept.scope_spans.add(schema_url=scope.schema_url)
                    group.scope.CopyFrom(scope.scope)
                    group.spans.extend(spans)
            if not kept.scope_spans:
                del part.resource_spans[-1]
        result.append([Piece(part.SerializeToString(), len(wanted))])
    return result[0], result[1]

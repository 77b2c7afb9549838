"""One OTLP request over HTTP, bounded in time and in what is read of the answer."""

from __future__ import annotations

import gzip
import time
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from agentops_sdk._version import DISTRIBUTION, VERSION
from agentops_sdk.exporters.otlp.answer import ANSWER_BYTES, Answer, Reply, judge
from agentops_sdk.exporters.otlp.proxy import ProxyError, proxy_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import HTTPTransport
    from opentelemetry.context import Context

    from agentops_sdk.exporters.otlp.destination import Endpoint

__all__ = ["Sender"]

_WRITE_BYTES: Final = 16_384
_GRPC_PORT: Final = 4317


class Sender:
    """A connection that is kept open; for one thread. Opens with the first request, again after a failure.

    The endpoint's timeout bounds a request as a whole: connecting, sending, and the answer with its head,
    however slowly it trickles in. Redirects are never followed: the headers are for this endpoint alone.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._transport: HTTPTransport | None = None
        self._compression = endpoint.compression
        self._known = False
        self._deadline = 0.0

    def post(self, body: bytes) -> Reply:
        """Send one serialized request; every failure becomes a :class:`Reply`."""
        from opentelemetry import context

        token = context.attach(_not_traced())
        try:
            return self._post(body)
        finally:
            context.detach(token)

    def _post(self, body: bytes) -> Reply:
        if self._endpoint.json:
            from agentops_sdk.exporters.otlp.json_request import json_request

            body = json_request(body, self._endpoint.signal)
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
        headers = {
            "content-type": "application/json" if endpoint.json else "application/x-protobuf",
            "accept": "application/json" if endpoint.json else "application/x-protobuf, application/json",
            "accept-encoding": "identity",
            "user-agent": f"{DISTRIBUTION}/{VERSION} OTel-OTLP-Exporter-Python",
            **endpoint.headers,
        }
        if compression == "gzip":
            body, headers["content-encoding"] = gzip.compress(body, 3, mtime=0), "gzip"
        elif compression == "deflate":
            body, headers["content-encoding"] = zlib.compress(body, 3), "deflate"
        limits = httpx2.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 5.0)).as_dict()
        self._deadline = time.monotonic() + endpoint.timeout
        try:
            if self._transport is None:
                self._transport = _transport(endpoint)
            request = httpx2.Request("POST", endpoint.url, headers=headers, content=body,
                                     extensions={"timeout": limits, "trace": self._connected})  # fmt: skip
            response = self._transport.handle_request(request)
            try:
                answer = _beginning(response.status_code, response.headers, response.stream)  # type: ignore[arg-type]  # a transport's stream is a synchronous one
            finally:
                response.close()
        except ProxyError as error:
            return Reply("misconfigured", str(error))
        except (httpx2.HTTPError, OSError, httpx2.InvalidURL) as error:
            self.close()
            return Reply("retry", self._trouble(error))
        if not answer.whole:
            self.close()  # what is left of the answer shall not be read
        return judge(answer, endpoint)

    def _connected(self, event: str, info: dict[str, Any]) -> None:
        """A new connection: its reads and writes end at the deadline of the request that they are for."""
        stream = info.get("return_value")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")) and stream is not None:
            stream.read = partial(self._read, stream.read)
            stream.write = partial(self._write, stream.write)

    def _read(self, read: Any, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = read(max_bytes, self._left(timeout))
        return data

    def _write(self, write: Any, data: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(data), _WRITE_BYTES):
            write(data[start : start + _WRITE_BYTES], self._left(timeout))

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no complete response within {self._endpoint.timeout:g} s")
        return left if timeout is None else min(left, timeout)

    def _trouble(self, error: Exception) -> str:
        reason = f"{type(error).__name__}: {str(error)[:200] or 'no answer'}"
        if urlsplit(self._endpoint.url).port == _GRPC_PORT:
            reason += f" (port {_GRPC_PORT} is usually OTLP over gRPC; OTLP over HTTP is on 4318)"
        return reason

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _beginning(status: int, headers: Any, chunks: Iterator[bytes]) -> Answer:
    """The first kilobytes of an answer, unpacked if need be. A few hundred bytes are what OTLP's own take."""
    encoding = headers.get("content-encoding", "").strip().lower()
    unpack = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
    body, whole = b"", encoding in ("", "identity") or unpack is not None
    try:
        for chunk in chunks if whole else ():
            body += chunk if unpack is None else unpack.decompress(chunk, ANSWER_BYTES + 1 - len(body))
            if len(body) > ANSWER_BYTES:
                whole = False
                break
    except zlib.error:
        whole = False
    return Answer(status, headers, body[:ANSWER_BYTES], whole and (unpack is None or unpack.eof or not body))


def _transport(endpoint: Endpoint) -> HTTPTransport:
    # The bare transport: a client would log each request on the host's log and follow cookies.
    import httpx2

    return httpx2.HTTPTransport(verify=endpoint.tls(), proxy=proxy_for(endpoint.url), retries=0)


def _not_traced() -> Context:
    """Tells HTTP instrumentations that our own requests are not the program's."""
    from opentelemetry import context

    current = context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True)  # noqa: SLF001 - no public name
    current = context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True, current)  # noqa: SLF001 - the same
    return current

"""One OTLP request over HTTP, bounded in time and in what is read of the answer."""

from __future__ import annotations

import time
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from agentops_sdk._version import DISTRIBUTION, VERSION
from agentops_sdk.exporters.otlp.answer import ANSWER_BYTES, Answer, NoAnswerError, Reply, judge
from agentops_sdk.exporters.otlp.compression import deflated, gzipped, is_packed, unpacked
from agentops_sdk.exporters.otlp.proxy import ProxyError, is_direct, proxy_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from httpcore2 import ConnectionPool
    from opentelemetry.context import Context

    from agentops_sdk.exporters.otlp.destination import Endpoint
    from agentops_sdk.exporters.otlp.plain_connection import PlainConnection

__all__ = ["Sender"]

_WRITE_BYTES: Final = 16_384
_CONNECT: Final = 5.0
"""Seconds that connecting may take, at most."""
_GRPC_PORT: Final = 4317
_IN_A_PATH: Final = "!$%&'()*+,/:;=@~"
"""What stays as it is in the path of an address, beside letters and digits."""


class Sender:
    """A connection that is kept open; for one thread. Opens with the first request, again after a failure.

    The endpoint's timeout bounds a request as a whole: connecting, sending, and the answer with its head,
    however slowly it trickles in. Redirects are never followed: the headers are for this endpoint alone.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._pool: ConnectionPool | None = None
        self._plain: PlainConnection | None = None
        self._is_direct = False
        self._address: dict[str, Any] = {}
        self._host = ""
        self._compression = endpoint.compression
        self._known = False
        self._deadline = 0.0

    def post(self, body: bytes) -> Reply:
        """Send one serialized request, which may be compressed; every failure becomes a :class:`Reply`."""
        from opentelemetry import context

        token = context.attach(_not_traced())
        try:
            return self._post(body)
        finally:
            context.detach(token)

    def _post(self, body: bytes) -> Reply:
        if self._endpoint.json:
            from agentops_sdk.exporters.otlp.json_request import json_request

            body = json_request(unpacked(body), self._endpoint.signal)
        reply = self._once(body, self._compression)
        if reply.status in (400, 415, 422) and not self._known and self._compression != "none":
            # Some backends cannot unpack what they get: the same once more, as it is.
            plain = self._once(body, "none")
            if plain.verdict == "accepted":
                self._compression, reply = "none", plain
        self._known = self._known or reply.verdict == "accepted"
        return reply

    def _once(self, body: bytes, compression: str) -> Reply:
        endpoint = self._endpoint
        headers = {
            "content-type": "application/json" if endpoint.json else "application/x-protobuf",
            "accept": "application/json" if endpoint.json else "application/x-protobuf, application/json",
            "accept-encoding": "identity",
            "user-agent": f"{DISTRIBUTION}/{VERSION} OTel-OTLP-Exporter-Python",
            **endpoint.headers,
        }
        if compression == "gzip":
            body, headers["content-encoding"] = body if is_packed(body) else gzipped(body), "gzip"
        elif compression == "deflate":
            body, headers["content-encoding"] = deflated(unpacked(body)), "deflate"
        else:
            body = unpacked(body)
        headers["content-length"] = str(len(body))
        self._deadline = time.monotonic() + endpoint.timeout
        try:
            if self._pool is None and self._plain is None:  # a proxy that is set is used with the next connection
                self._address, self._host = _address(endpoint.url)
                self._is_direct = is_direct(endpoint.url)
            headers = {"host": self._host, **headers}
            answer = self._directly(headers, body) if self._is_direct else self._by_pool(headers, body)
        except ProxyError as error:
            return Reply("misconfigured", str(error))
        except (NoAnswerError, OSError, UnicodeError) as error:
            self.close()
            return Reply("retry", self._trouble(error))
        if not answer.whole:
            self.close()  # what is left of the answer shall not be read
        return judge(answer, endpoint)

    def _directly(self, headers: dict[str, str], body: bytes) -> Answer:
        from agentops_sdk.exporters.otlp.plain_connection import PlainConnection

        if self._plain is None:
            address = self._address["host"].decode(), self._address["port"] or 80
            self._plain = PlainConnection(address, self._left)
        connect = min(self._endpoint.timeout, _CONNECT)
        status, names, chunks = self._plain.post(self._address["target"], headers.items(), body, connect)
        return _beginning(status, _by_name(names), chunks)

    def _by_pool(self, headers: dict[str, str], body: bytes) -> Answer:
        import httpcore2

        endpoint = self._endpoint
        limits = dict.fromkeys(("read", "write", "pool"), endpoint.timeout)
        limits["connect"] = min(endpoint.timeout, _CONNECT)
        if self._pool is None:
            self._pool = _pool(endpoint)
        request = httpcore2.Request("POST", httpcore2.URL(**self._address), content=body, headers=list(headers.items()),
                                    extensions={"timeout": limits, "trace": self._connected})  # fmt: skip
        try:
            response = self._pool.handle_request(request)
            try:
                return _beginning(response.status, _by_name(response.headers), response.iter_stream())
            finally:
                response.close()
        except (
            httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError,
            httpcore2.UnsupportedProtocol,
        ) as error:  # fmt: skip
            raise NoAnswerError(type(error).__name__, error) from error

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
            raise TimeoutError
        return left if timeout is None else min(left, timeout)

    def _trouble(self, error: Exception) -> str:
        kind = error.kind if isinstance(error, NoAnswerError) else type(error).__name__
        if kind in ("ReadTimeout", "WriteTimeout", "TimeoutError"):
            reason = f"{kind}: no complete response within {self._endpoint.timeout:g} s"
        else:
            reason = f"{kind}: {str(error)[:200] or 'no answer'}"
        if urlsplit(self._endpoint.url).port == _GRPC_PORT:
            reason += f" (port {_GRPC_PORT} is usually OTLP over gRPC; OTLP over HTTP is on 4318)"
        return reason

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        for connection in (self._pool, self._plain):
            if connection is not None:
                connection.close()
        self._pool = self._plain = None


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


def _address(url: str) -> tuple[dict[str, Any], str]:
    """The parts of an endpoint's address, and what ``Host`` says."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("ascii" if (parts.hostname or "").isascii() else "idna")
    target = quote(parts.path or "/", _IN_A_PATH) + (f"?{quote(parts.query, _IN_A_PATH + '?')}" if parts.query else "")
    shown = f"[{host.decode()}]" if b":" in host else host.decode()
    usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
    address = {"scheme": parts.scheme.encode(), "host": host, "port": parts.port, "target": target.encode()}
    return address, shown if usual else f"{shown}:{parts.port}"


def _by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        named[key] = f"{named[key]}, {text}" if key in named else text
    return named


def _pool(endpoint: Endpoint) -> ConnectionPool:
    # The bare connections: a client would log each request on the host's log and follow cookies, and takes ten times
    # as long to load. They are what httpx2 itself is made on, and so are the words of their errors.
    import httpcore2

    tls: ssl.SSLContext | None = None
    if endpoint.url.startswith("https:"):
        tls = endpoint.tls() or httpcore2.default_ssl_context()
    proxy = proxy_for(endpoint.url)
    if proxy is None:
        return httpcore2.ConnectionPool(ssl_context=tls, retries=0)
    address = httpcore2.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/")
    if proxy.scheme.startswith(b"socks"):
        return httpcore2.SOCKSProxy(proxy_url=address, proxy_auth=proxy.auth, ssl_context=tls)
    return httpcore2.HTTPProxy(proxy_url=address, proxy_auth=proxy.auth, ssl_context=tls)


def _not_traced() -> Context:
    """Tells HTTP instrumentations that our own requests are not the program's."""
    from opentelemetry import context

    current = context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True)  # noqa: SLF001 - no public name
    current = context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True, current)  # noqa: SLF001 - the same
    return current

"""A loopback OTLP receiver that can be told to misbehave, and a way to make spans by the dozen."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

RESOURCE = Resource({"service.name": "test"})
SCOPE = InstrumentationScope("test", "1")
Answer = tuple[int, dict[str, str], bytes]


def spans(count: int, *, start: int = 0, size: int = 10, **attributes: str) -> list[ReadableSpan]:
    """``count`` finished spans named ``s0``, ``s1`` … with ids to match."""
    return [
        ReadableSpan(
            f"s{number}",
            context=SpanContext(number + 1, number + 1, False, TraceFlags(1)),
            resource=RESOURCE,
            attributes={"text": "x" * size, **attributes},
            start_time=1_700_000_000_000_000_000,
            end_time=1_700_000_000_500_000_000,
            instrumentation_scope=SCOPE,
        )
        for number in range(start, start + count)
    ]


class Receiver:
    """Accepts OTLP/HTTP on a free port. ``behave`` looks at each decoded request and may answer otherwise."""

    def __init__(self) -> None:
        self.behave: Callable[[list[str], int], Answer | None] = lambda _names, _size: None
        self.unpacks = True
        self.names: list[str] = []
        self.ids: list[bytes] = []
        """The id of each span in ``names``."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.requests = 0
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                encoding = self.headers.get("content-encoding")
                if encoding and not outer.unpacks:
                    body = b""
                elif encoding == "gzip":
                    body = gzip.decompress(body)
                elif encoding == "deflate":
                    body = zlib.decompress(body)
                request = ExportTraceServiceRequest.FromString(body)
                spans = [
                    span
                    for resource in request.resource_spans
                    for scope in resource.scope_spans
                    for span in scope.spans
                ]
                names = [span.name for span in spans]
                answer = outer.behave(names, len(body))
                if encoding and not outer.unpacks:
                    answer = (400, {}, b"cannot decode")
                with outer.changed:
                    outer.requests += 1
                    outer.paths.append(self.path)
                    outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                    if answer is None:
                        outer.names += names
                        outer.ids += [span.span_id for span in spans]
                    outer.changed.notify_all()
                status, headers, text = answer or (200, {}, ExportTraceServiceResponse().SerializeToString())
                self.send_response(status)
                for name, value in {"content-length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait_for(self, condition: Callable[[], bool], timeout: float = 20.0) -> bool:
        """Wait until a request has made ``condition`` true."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.2))
        return True

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

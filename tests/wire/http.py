"""A threaded HTTP server that replays bodies, streams at a controlled pace, cuts, fails and hangs."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

CUT = object()
"""In a stream: reset the connection here."""

HANG = object()
"""In a stream, or as a body: send nothing more until the server stops."""


@dataclass
class Reply:
    """What to answer. ``stream`` holds bytes, texts, seconds to wait, events to wait for, ``CUT`` and ``HANG``."""

    body: Any = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Sequence[Any] | None = None

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def sse(*events: Any, done: bool = True) -> Reply:
    """A stream of server-sent events: objects become ``data:`` lines, everything else is passed on."""
    made = [event_of(event) if isinstance(event, dict) else event for event in events]
    if done:
        made.append(b"data: [DONE]\n\n")
    return Reply(stream=made, content_type="text/event-stream; charset=utf-8")


def event_of(event: dict[str, Any]) -> bytes:
    name = f"event: {event['type']}\n" if str(event.get("type", "")).count(".") else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Wire:
    """The server. Replies are given out in order; the last one is repeated."""

    def __init__(self, *replies: Reply | Callable[[Request], Reply]) -> None:
        self.replies: list[Reply | Callable[[Request], Reply]] = list(replies)
        self.requests: list[Request] = []
        self.disconnected = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(request) if callable(reply) else reply

    def send(self, handler: BaseHTTPRequestHandler, pieces: Iterable[Any]) -> bool:
        """Write a stream chunk by chunk; whether it went through to its end."""
        for piece in pieces:
            if piece is CUT:
                # A reset instead of a farewell: what a dying server or proxy leaves behind.
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                return False
            if piece is HANG:
                self._stopping.wait(30)
                return False
            if isinstance(piece, threading.Event):
                piece.wait(30)
            elif isinstance(piece, int | float):
                time.sleep(piece)
            else:
                data = piece.encode() if isinstance(piece, str) else piece
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a small body waits 40 ms for the acknowledgement of the headers

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length) if length else self._chunked()
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = wire.answer(Request(self.command, self.path, headers, raw))
            if reply.body is HANG:
                wire.send(self, [HANG])
                self.close_connection = True
                return
            if reply.body is CUT:
                wire.send(self, [CUT])
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("content-type", reply.content_type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.stream is None:
                content = reply.content()
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                if not wire.send(self, reply.stream):
                    self.close_connection = True
            except OSError:
                wire.disconnected.set()
                self.close_connection = True

        def _chunked(self) -> bytes:
            if self.headers.get("transfer-encoding", "") != "chunked":
                return b""
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve

        def date_time_string(self, timestamp: float | None = None) -> str:
            return "Sat, 28 Nov 2026 00:00:00 GMT"  # two replies are the same, whenever they are made

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler

"""A small HTTP server for the status pages: few threads, a bound on every connection, silent towards the program."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import sys
import threading
import time
import weakref
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import urlsplit

from agentops_sdk._host.guard import note
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.status_access import Access, page_of

__all__ = ["MOST_BYTES", "StatusServer"]

Answer = tuple[int, str, bytes]
_SECONDS = 10.0  # that a connection may last, whatever it does meanwhile
_CONNECTIONS = 16
MOST_BYTES = 65_536  # of a request that changes something
POSTED = ("configure", "feedback")
"""What may be posted, with the token."""
_TEXT = "text/plain; charset=utf-8"


class StatusServer:
    """A running status server; ``close()`` ends it. Usable in a ``with`` statement.

    Attributes:
        host: the address it listens on.
        port: the port; the one taken where 0 was asked for.
    """

    def __init__(
        self,
        family: socket.AddressFamily,
        host: str,
        port: int,
        access: Access,
        answer: Callable[[str, str], Answer],
        change: Callable[[str, bytes, str], Answer],
    ) -> None:
        self._server = _Server(family, (host, port), access, answer, change)
        self._pid = os.getpid()
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = OwnThread("status", self._server.serve_forever, (0.2,))
        self._thread.start()
        if hasattr(os, "register_at_fork"):
            listener = weakref.ref(self._server.socket)

            def let_go() -> None:  # a child must not keep the port of its parent taken
                held = listener()
                if held is not None:
                    held.close()

            os.register_at_fork(after_in_child=let_go)

    @property
    def token(self) -> str:
        """What readers must send: the token that was given, else the one that is kept in the folder of the traces."""
        return self._server.access.token()

    def close(self) -> None:
        """Stop serving and free the port."""
        if os.getpid() == self._pid:  # a child has no thread to wait for
            self._server.shutdown()
            self._thread.join(1.0)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = os.name != "nt"  # there it would let two servers have one port
    daemon_threads = True
    block_on_close = False
    request_queue_size = _CONNECTIONS

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str, int],
        access: Access,
        answer: Callable[[str, str], Answer],
        change: Callable[[str, bytes, str], Answer],
    ) -> None:
        self.change = change
        self.address_family = family
        self.access, self.answer = access, answer
        self._open: dict[socket.socket, float] = {}  # in the order they came
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            for oldest in list(self._open)[: max(0, len(self._open) - _CONNECTIONS + 1)]:
                _cut(oldest)  # whoever has been here longest without being done makes room
            room = len(self._open) < 2 * _CONNECTIONS
            if room:
                self._open[request] = time.monotonic() + _SECONDS
        if room:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called by the serving loop, several times a second: ends what lasts too long."""
        now = time.monotonic()
        with self._lock:
            late = [request for request, deadline in self._open.items() if deadline < now]
        for request in late:
            _cut(request)

    def server_close(self) -> None:
        super().server_close()
        for request in list(self._open):
            _cut(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing on the program's stderr. A reader that left is no error of ours."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError | ValueError):  # ValueError: an answer for a connection that was cut
            note("serve", error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS / 2  # for one read or write
    server_version, sys_version = "agentops", ""

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        if not posts(path):
            self.send_error(405)
            return
        length = self.headers.get("content-length") or ""
        if not length.isdigit() or len(length) > 6 or int(length) > MOST_BYTES:
            self.send_error(413 if length.isdigit() else 411)
            return
        body = self.rfile.read(int(length))
        self._respond(lambda path: self.server.change(path, body, f"POST {path} from {self.client_address[0]}"))

    def do_HEAD(self) -> None:
        self._respond()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be understood, in plain words and without quoting it."""
        code = 405 if code == 501 else code
        headers = {"allow": "GET, HEAD"} if code == 405 else {}
        with contextlib.suppress(OSError, ValueError):
            self._send(code, _TEXT, str(code).encode(), headers)

    def _respond(self, answer: Callable[[str], Answer] | None = None) -> None:
        hosts = self.headers.get_all("host") or []
        if len(hosts) > 1 or (not hosts and self.request_version >= "HTTP/1.1"):
            self.send_error(400)
            return
        try:
            address = urlsplit(self.path).netloc if "://" in self.path.partition("/")[0] + "//" else ""
        except ValueError:  # http://[::1/livez
            self.send_error(400)
            return
        if address:  # a whole address instead of a path
            hosts = [*hosts, address]
        path = self.path.partition("?")[0]
        refusal = self.server.access.refusal(path, hosts, self.headers.get("authorization"))
        if refusal is not None:
            code, reason = refusal
            self._send(code, _TEXT, reason.encode(), {"www-authenticate": "Bearer"} if code == 401 else {})
            return
        self._send(*(answer(path) if answer else self.server.answer(path, self.headers.get("accept") or "")), {})

    def _send(self, code: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.close_connection = True
        self.send_response(code)
        for name, value in {
            "content-type": kind,
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Write nothing to the host's stderr."""


def posts(path: str) -> bool:
    """Whether something may be posted there."""
    return page_of(path) in POSTED


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)

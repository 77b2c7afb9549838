"""The SDK's state over HTTP: a small server on loopback, and the same as an ASGI application to mount."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from agentops_sdk._capture.guard import note
from agentops_sdk._version import DISTRIBUTION
from agentops_sdk.errors import ConfigError
from agentops_sdk.health import health
from agentops_sdk.status import status

__all__ = ["StatusServer", "serve_status", "status_app"]

Answer = tuple[int, str, bytes]
_TEXT = "text/plain; charset=utf-8"


def answer(path: str) -> Answer:
    """Status code, content type and body for one of ``/livez /readyz /healthz /status /metrics``."""
    try:
        return _answer(path.rstrip("/").rpartition("/")[2])
    except Exception as error:  # noqa: BLE001 - a page about trouble must not be trouble
        note("serve", error)
        return 500, _TEXT, type(error).__name__.encode()


def _answer(page: str) -> Answer:
    if page == "livez":
        return 200, _TEXT, b"ok"
    if page == "readyz":
        ready = status().enabled
        return (200, _TEXT, b"ok") if ready else (503, _TEXT, b"init() has not been called")
    if page == "healthz":
        now = health()
        return (503 if now.status == "failing" else 200), "application/json", now.model_dump_json().encode()
    if page == "status":
        return 200, "application/json", json.dumps(status().model_dump(mode="json"), default=str).encode()
    if page == "metrics":
        from agentops_sdk.metrics import CONTENT_TYPE
        from agentops_sdk.metrics import page as metrics

        try:
            return 200, CONTENT_TYPE, metrics()
        except ImportError:
            return 501, _TEXT, f'metrics need prometheus-client: pip install "{DISTRIBUTION}[prometheus]"'.encode()
    return 404, _TEXT, b"/livez /readyz /healthz /status /metrics"


class StatusServer:
    """A running status server; ``close()`` ends it. Usable in a ``with`` statement."""

    def __init__(self, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _Handler)
        self._server.daemon_threads = True
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="agentops-status", daemon=True
        )
        self._thread.start()
        if hasattr(os, "register_at_fork"):
            mine = weakref.ref(self._server.socket)

            def let_go() -> None:  # a child must not keep the port of its parent taken
                held = mine()
                if held is not None:
                    held.close()

            os.register_at_fork(after_in_child=let_go)

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    timeout = 10.0

    def do_GET(self) -> None:
        code, kind, body = answer(self.path.partition("?")[0])
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Write nothing to the host's stderr."""


def serve_status(port: int = 9464, *, host: str = "127.0.0.1") -> StatusServer:
    """Serve ``/livez``, ``/readyz``, ``/healthz``, ``/status`` and ``/metrics`` from a daemon thread.

    Args:
        port: 0 takes a free one (see ``.port`` of the result).
        host: loopback unless you say otherwise; the pages show settings, never content or secrets.

    Raises:
        ConfigError: the port is taken or not permitted.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ConfigError("port", port, "a port from 0 to 65535")
    try:
        return StatusServer(host, port)
    except OSError as error:
        raise ConfigError("port", port, f"a port that is free on {host} ({error.strerror})") from None


async def status_app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The same pages as an ASGI application: ``app.mount("/agentops", agentops.status_app)``."""
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"].rpartition(".")[2]
            await send({"type": f"lifespan.{event}.complete"})
            if event == "shutdown":
                return
    if scope["type"] != "http":
        return
    code, kind, body = answer(scope["path"])
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})

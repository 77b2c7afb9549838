"""A server over streamable HTTP on loopback, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(server: Any, app: str = "streamable_http_app") -> Iterator[str]:
    """The URL at which ``server`` answers; ``app`` is its method that makes an application."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(getattr(server, app)(), log_level="critical", lifespan="on", ws="none")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        limit = time.monotonic() + 30
        while not running.started and time.monotonic() < limit:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            running.should_exit = running.force_exit = True
            thread.join(30)

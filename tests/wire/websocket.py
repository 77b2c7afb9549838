"""A WebSocket server on loopback that answers by script: what tests of Realtime talk to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from websockets.sync.server import Server, ServerConnection, serve

Script = Callable[["Talk"], None]


class Talk:
    """One connection, as the script sees it."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    def say(self, *events: dict[str, Any]) -> None:
        for event in events:
            self.connection.send(json.dumps(event))

    def hear(self) -> dict[str, Any]:
        return dict(json.loads(self.connection.recv(timeout=10)))

    def cut(self) -> None:
        """Drop the connection without a farewell."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)  # to close it alone would tell nobody while it is read
        self.connection.socket.close()


class Socket:
    """The server; ``script`` runs once for each connection and the connection closes with it."""

    def __init__(self, script: Script) -> None:
        def handler(connection: ServerConnection) -> None:
            script(Talk(connection))

        self._server: Server = serve(handler, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)

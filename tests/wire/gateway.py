"""What the servers of these tests share that speak gRPC: they ask a web server for what they answer, as JSON."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit


@contextlib.contextmanager
def asked(url: str, body: Mapping[str, Any], context: Any) -> Iterator[http.client.HTTPResponse]:
    """What the web server replies; its refusal ends the call of ``context``, with the text of it.

    Nobody waits for a reply to a call that has ended: the server could not stop before.
    """
    import grpc

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    with contextlib.closing(connection):
        connection.connect()
        asking = connection.sock

        def leave() -> None:
            with contextlib.suppress(OSError):  # it is closed once all is read
                asking.shutdown(socket.SHUT_RDWR)

        context.add_callback(leave)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", parts.path, json.dumps(body), headers)
        with connection.getresponse() as reply:
            if reply.status >= 400:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, reply.read().decode())
            yield reply

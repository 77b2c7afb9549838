"""A connection over plain HTTP and without a proxy: to a collector on this machine, or beside it.

The protocol is ``h11``'s, as under ``httpcore2``: that does TLS and proxies as well, and takes three to eight times as
long to load, which is more than all that a program sends in its first seconds.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import h11

from agentops_sdk.exporters.otlp.answer import NoAnswerError

__all__ = ["PlainConnection"]

_READ_BYTES: Final = 65_536
_WRITE_BYTES: Final = 16_384
_HEAD_BYTES: Final = 100 * 1024
"""An answer's head may be as long as under ``httpcore2``: behind gateways it is longer than ``h11`` takes unasked."""


class PlainConnection:
    """One connection, opened with the first request and kept open; for one thread.

    Args:
        address: host and port.
        left: the seconds that a step may take: of the request it is for, none takes longer in all.
    """

    def __init__(self, address: tuple[str, int], left: Callable[[float | None], float]) -> None:
        self._address = address
        self._left = left
        self._socket: socket.socket | None = None
        self._state: Any = None

    def post(
        self, target: bytes, headers: Iterable[tuple[str, str]], body: bytes, connect: float
    ) -> tuple[int, list[tuple[bytes, bytes]], Iterator[bytes]]:
        """Send one request: the status of its answer, its headers, and its body as it comes in, to be read to its end.

        Args:
            target: path and query.
            headers: all of them.
            body: what is sent.
            connect: the seconds that connecting may take.

        Raises:
            NoAnswerError: there is no answer.
            TimeoutError: there is none in time.
        """
        if self._socket is None or not self._is_idle():
            self._open(connect)
        try:
            request = h11.Request(method="POST", target=target, headers=list(headers))
            parts = map(self._state.send, (request, h11.Data(data=body), h11.EndOfMessage()))
            self._send(b"".join(parts))  # the last is empty, unless a header of the user's says that it goes in chunks
        except h11.LocalProtocolError as error:
            raise NoAnswerError("LocalProtocolError", error) from error
        event = self._event()
        while not isinstance(event, h11.Response):
            event = self._event()
        return event.status_code, event.headers.raw_items(), self._body()

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, connect: float) -> None:
        self.close()
        try:
            self._socket = socket.create_connection(self._address, self._left(connect))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            raise NoAnswerError("ConnectTimeout", error) from error
        except OSError as error:
            raise NoAnswerError("ConnectError", error) from error
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)

    def _is_idle(self) -> bool:
        """Whether the last answer was read to its end, and nothing has come since: else the server has gone."""
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        assert self._socket is not None
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            came = bool(poll.poll(0))
        else:
            came = bool(select.select([self._socket], [], [], 0)[0])
        self._state.start_next_cycle()
        return not came

    def _send(self, data: bytes) -> None:
        """Send what a server takes; one that answers before it has all of it may still say why."""
        assert self._socket is not None
        view = memoryview(data)
        try:
            while view:
                self._socket.settimeout(self._left(None))
                view = view[self._socket.send(view[:_WRITE_BYTES]) :]
        except TimeoutError as error:
            raise NoAnswerError("WriteTimeout", error) from error
        except OSError:
            pass  # what it has to say is read all the same

    def _event(self) -> Any:
        assert self._socket is not None
        try:
            while (event := self._state.next_event()) is h11.NEED_DATA:
                self._socket.settimeout(self._left(None))
                data = self._socket.recv(_READ_BYTES)
                if not data and self._state.their_state is h11.SEND_RESPONSE:
                    raise NoAnswerError("RemoteProtocolError", "Server disconnected without sending a response.")
                self._state.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise NoAnswerError("RemoteProtocolError", error) from error
        except TimeoutError as error:
            raise NoAnswerError("ReadTimeout", error) from error
        except OSError as error:
            raise NoAnswerError("ReadError", error) from error
        return event

    def _body(self) -> Iterator[bytes]:
        while isinstance(event := self._event(), h11.Data):
            yield bytes(event.data)

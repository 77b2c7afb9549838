"""A server that speaks PostgreSQL's protocol, and asks a web server for what it answers, as JSON.

Each statement that is executed is one request, ``POST /execute``, with the statement and its parameters; the answer has
the result's ``columns``, as names and numbers of types, and its ``rows``, as texts; or an error status. A client that
cancels is answered at once.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socketserver
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

TEXT, FLOAT = 25, 701


@contextlib.contextmanager
def serving(url: str) -> Iterator[tuple[str, int]]:
    """Host and port of a server that asks the web server at ``url``."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.url, server.sessions, server.keys = url, {}, itertools.count(1)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield "127.0.0.1", int(server.server_address[1])
        finally:
            server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    url: str
    sessions: dict[int, _Session]
    keys: Iterator[int]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._serve()

    def _take(self, count: int) -> bytes:
        data = self.rfile.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _tell(self, kind: bytes, body: bytes = b"") -> None:
        self.request.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _serve(self) -> None:
        while True:  # the start has no kind: a version, or a wish
            (size,) = struct.unpack("!i", self._take(4))
            body = self._take(size - 4)
            (version,) = struct.unpack("!i", body[:4])
            if version == 80877102:  # cancel
                self.server.sessions[struct.unpack("!i", body[4:8])[0]].cancel()
                return
            if version == 196608:
                break
            self.request.sendall(b"N")  # neither TLS nor GSSAPI
        key = next(self.server.keys)
        self.server.sessions[key] = self
        self.cancelled = threading.Event()
        self.statements: dict[bytes, str] = {}
        self.bound: tuple[str, list[Any], list[int]] = ("", [], [])
        self._tell(b"R", struct.pack("!i", 0))
        for name, value in (
            ("server_version", "16.2"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
        ):
            self._tell(b"S", f"{name}\0{value}\0".encode())
        self._tell(b"K", struct.pack("!ii", key, 0))
        self._tell(b"Z", b"I")
        while True:
            kind = self._take(1)
            (size,) = struct.unpack("!i", self._take(4))
            self._message(kind, self._take(size - 4))

    def cancel(self) -> None:
        self.cancelled.set()
        self._refuse("57014", "canceled")
        self._tell(b"Z", b"I")

    def _message(self, kind: bytes, body: bytes) -> None:
        if kind == b"X":
            raise EOFError
        if kind == b"Q":
            self._execute(body[:-1].decode(), [], [], told=False)
            self._ready()
        elif kind == b"P":
            name, _, rest = body.partition(b"\0")
            self.statements[name] = rest.partition(b"\0")[0].decode()
            self._tell(b"1")
        elif kind == b"B":
            self.bound = self._bound(body)
            self._tell(b"2")
        elif kind == b"D" and body[:1] == b"S":  # of a statement: its parameters, all texts, and its columns
            statement = self.statements[body[1:-1]]
            count = statement.count("$")
            self._tell(b"t", struct.pack("!h", count) + struct.pack("!i", TEXT) * count)
            self._columns(_columns_of(statement), [])
        elif kind == b"D":
            self._columns(_columns_of(self.bound[0]), self.bound[2])
        elif kind == b"E":
            self._execute(*self.bound, told=True)
        elif kind == b"C":
            self._tell(b"3")
        elif kind == b"S":
            self._ready()

    def _ready(self) -> None:
        if not self.cancelled.is_set():
            self._tell(b"Z", b"I")
        self.cancelled.clear()

    def _bound(self, body: bytes) -> tuple[str, list[Any], list[int]]:
        _, _, rest = body.partition(b"\0")
        name, _, rest = rest.partition(b"\0")
        _, rest = _numbers(rest)
        (count,) = struct.unpack("!h", rest[:2])
        rest, values = rest[2:], []
        for _ in range(count):
            (size,) = struct.unpack("!i", rest[:4])
            values.append(None if size < 0 else rest[4 : 4 + size].decode("utf-8", "replace"))
            rest = rest[4 + max(size, 0) :]
        return self.statements[name], values, _numbers(rest)[0]

    def _columns(self, columns: list[tuple[str, int]], formats: list[int]) -> None:
        if not columns:
            self._tell(b"n")
            return
        described = b"".join(
            name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, kind, -1, -1, _format(formats, at))
            for at, (name, kind) in enumerate(columns)
        )
        self._tell(b"T", struct.pack("!h", len(columns)) + described)

    def _execute(self, statement: str, values: list[Any], formats: list[int], *, told: bool) -> None:
        columns = _columns_of(statement)
        if not columns:  # SET, BEGIN, and what else a client says to begin with
            self._tell(b"C", b"SET\0")
            return
        asked = json.dumps({"statement": statement, "parameters": values}).encode()
        request = urllib.request.Request(f"{self.server.url}/execute", asked, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as reply:
                rows = json.load(reply)["rows"]
        except urllib.error.HTTPError as error:
            with error:
                self._refuse("22P02", error.read().decode())
            return
        except OSError:  # the web server stopped
            raise EOFError from None
        if self.cancelled.is_set():
            return
        if not told:
            self._columns(columns, formats)
        for row in rows:
            data = b""
            for at, (value, (_, kind)) in enumerate(zip(row, columns, strict=True)):
                binary = kind == FLOAT and _format(formats, at) == 1
                text = struct.pack("!d", float(value)) if binary else str(value).encode()
                data += struct.pack("!i", len(text)) + text
            self._tell(b"D", struct.pack("!h", len(row)) + data)
        self._tell(b"C", f"SELECT {len(rows)}\0".encode())

    def _refuse(self, code: str, message: str) -> None:
        self._tell(b"E", f"SERROR\0VERROR\0C{code}\0M{message}\0\0".encode())


def _columns_of(statement: str) -> list[tuple[str, int]]:
    """This server has one table."""
    return [("id", TEXT), ("content", TEXT), ("distance", FLOAT)] if "<=>" in statement else []


def _numbers(data: bytes) -> tuple[list[int], bytes]:
    (count,) = struct.unpack("!h", data[:2])
    return list(struct.unpack(f"!{count}h", data[2 : 2 + 2 * count])), data[2 + 2 * count :]


def _format(formats: list[int], at: int) -> int:
    """One for each column, one for all, or none: texts."""
    return formats[at] if at < len(formats) else formats[0] if formats else 0

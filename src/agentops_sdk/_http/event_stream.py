"""Amazon's binary event streams, as they are read off the wire, to the server-sent events that they stand for."""

from __future__ import annotations

import binascii
import re

import orjson

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE, _CHECKSUM = 12, 4
_LARGEST = 16 * 1024 * 1024
_BYTES = re.compile(rb'"bytes"\s*:\s*"([A-Za-z0-9+/=]*)"')
_TYPE = re.compile(rb'\A\s*\{\s*"type"\s*:\s*"(\w+)"')
_EXCEPTION = re.compile(rb":(?:exception-type|error-code)\x07..([\w.:-]+)", re.DOTALL)


class EventStreamText:
    """Takes the bytes of a stream as they come; frames may be cut anywhere."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """The events that are whole by now, as text; possibly none. What is no event stream gives none ever."""
        data, at, events = self._rest + data, 0, b""
        while len(data) - at >= _PRELUDE:
            size = int.from_bytes(data[at : at + 4], "big")
            if not _PRELUDE + _CHECKSUM <= size <= _LARGEST:
                data = b""
                break
            if len(data) - at < size:
                break
            events += _event(data[at : at + size])
            at += size
        self._rest = data[at:]
        return events


def _event(frame: bytes) -> bytes:
    begin = _PRELUDE + int.from_bytes(frame[4:8], "big")
    headers, payload = frame[_PRELUDE:begin], frame[begin:-_CHECKSUM]
    if failed := _EXCEPTION.search(headers):
        message = orjson.loads(payload).get("message") if payload.startswith(b"{") else None
        error = {"type": failed[1].decode("ascii", "replace"), "message": message}
        return b"event: error\ndata: %b\n\n" % orjson.dumps({"type": "error", "error": error})
    payload_match = _BYTES.search(payload)
    if payload_match is None:
        return b""
    text = binascii.a2b_base64(payload_match[1])
    kind = _TYPE.match(text)
    name = b"event: %b\n" % kind[1] if kind else b""
    return b"%bdata: %b\n\n" % (name, text.replace(b"\n", b" ").replace(b"\r", b" "))

"""Removes from a stream the chunk that is there only because we asked for usage."""

from __future__ import annotations

import re

import orjson

_BLANK = re.compile(rb"(\r\n\r\n|\n\n|\r\r)")
_USAGE = b'"usage"'
_NO_USAGE = re.compile(rb',\s*"usage":\s*null')


class UsageFilter:
    """Bytes in, bytes out, without the usage chunk and the ``"usage": null`` of the others.

    Only whole events pass, so a consumer sees each one when its last byte is there, as before.
    """

    _rest = b""

    def feed(self, data: bytes) -> bytes:
        """What may pass now; possibly nothing."""
        if not self._rest and data.endswith(b"\n\n"):
            if data.find(_USAGE) < 0:  # not "in", which raises and clears an error for bytes in bytes, at each piece
                return data
            visible = data.replace(b',"usage":null', b"")  # of every ordinary chunk, as OpenAI writes it
            return visible if visible.find(_USAGE) < 0 else _without_usage(visible)
        data = self._rest + data
        end = max(data.rfind(mark) + len(mark) if mark in data else 0 for mark in (b"\n\n", b"\r\n\r\n", b"\r\r"))
        self._rest = data[end:]
        return _without_usage(data[:end])

    def flush(self) -> bytes:
        """What was held back, at the end of the stream."""
        rest, self._rest = self._rest, b""
        return _without_usage(rest)


def _without_usage(events: bytes) -> bytes:
    if _USAGE not in events:
        return events
    events = _NO_USAGE.sub(b"", events)  # of every ordinary chunk; inside of a text the quotes would be escaped
    if _USAGE not in events:
        return events
    pieces = _BLANK.split(events)
    kept = b""
    for event, mark in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        if _USAGE in event and _is_usage_chunk(event):
            continue
        kept += event + mark
    return kept


def _is_usage_chunk(event: bytes) -> bool:
    _, mark, data = event.partition(b"data:")
    if not mark or b"\n" in data.strip():
        return False
    try:
        chunk = orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return isinstance(chunk, dict) and chunk.get("choices") == [] and bool(chunk.get("usage"))

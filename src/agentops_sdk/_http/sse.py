"""Server-sent events: bytes of a stream to the JSON events in them, on the consumer thread."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import orjson

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DONE = b"[DONE]"
_DATA = b"data: "


def decode(body: bytes, limit: int | None = None, *, silent: Collection[str] = frozenset()) -> list[dict[str, Any]]:
    """The events in ``body``, at most the first ``limit``; what is torn or no JSON object is left out.

    ``silent`` names events that the client keeps to itself.

    ``limit`` counts events as the client does, so that an abandoned stream tells what was delivered
    and not what lay unread in a buffer.
    """
    events: list[dict[str, Any]] = []
    seen = 0
    for name, data in _messages(body):
        if data.startswith(_DONE):
            break
        if name in silent:
            continue
        if limit is not None and seen >= limit:
            break
        seen += 1
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event = _mended(data)
        if isinstance(event, dict):
            if name and "type" not in event and "object" not in event:
                event["type"] = name
            events.append(event)
    return events


def decode_lines(body: bytes, limit: int | None = None) -> list[dict[str, Any]]:
    """The objects in ``body`` where each stands on a line of its own, at most the first ``limit``."""
    events: list[dict[str, Any]] = []
    for line in body.splitlines()[:limit]:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def _mended(data: bytes) -> Any:
    """The JSON that is there when what is no UTF-8 is replaced."""
    try:
        return orjson.loads(data.decode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return None


def _messages(body: bytes) -> list[tuple[str, bytes]]:
    messages: list[tuple[str, bytes]] = []
    if b"\r" in body:
        body = _LINE_END.sub(b"\n", body)
    *blocks, torn = body.split(b"\n\n")
    for block in blocks:
        if block.startswith(_DATA) and b"\n" not in block:  # most are of one line
            messages.append(("", block[len(_DATA) :]))
            continue
        name, data = _fields(block)
        if name or data:
            messages.append((name, b"\n".join(data)))
    name, data = _fields(torn)
    if data:  # the last event of a stream that was cut before its blank line
        messages.append((name, b"\n".join(data)))
    return messages


def _fields(block: bytes) -> tuple[str, list[bytes]]:
    """The name and the lines of data in what stands between blank lines."""
    name, data = "", list[bytes]()
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ").decode("utf-8", "replace")
    return name, data

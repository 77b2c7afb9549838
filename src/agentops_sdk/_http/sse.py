"""Server-sent events: bytes of a stream to the JSON events in them, on the consumer thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import orjson

from agentops_sdk._http.endpoint import Retold
from agentops_sdk._http.text_runs import run_after

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DONE = b"[DONE]"
_DATA = b"data: "
_WORTH_IT = 8  # events, to have them joined
_TRIES = 4
"""How often it is tried to join events without success, where they are of several choices by turns."""


def decode(body: bytes, limit: int | None = None, *, silent: Collection[str] = frozenset()) -> list[dict[str, Any]]:
    """The events in ``body``, at most the first ``limit``; what is torn or no JSON object is left out.

    ``silent`` names events that the client keeps to itself.

    ``limit`` counts events as the client does, so that an abandoned stream tells what was delivered
    and not what lay unread in a buffer.
    """
    return decode_joined(body, limit, silent=silent)[0]


def decode_joined(
    body: bytes,
    limit: int | None = None,
    *,
    silent: Collection[str] = frozenset(),
    text_of: Callable[[dict[str, Any]], str | None] | None = None,
    retold: Retold | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """The events as :func:`decode` gives them, and how many there were.

    With ``text_of``, which gives the text of an event that brings nothing else, those that follow each other and differ
    in it alone are one event with all of it. With ``retold``, those are left out that the last one tells again. Neither
    is done where there is a limit.
    """
    events: list[dict[str, Any]] = []
    blocks, at, seen = _blocks(body), 0, 0
    left_out = _leave_out(blocks, retold) if retold is not None and limit is None else 0
    tries = _TRIES if text_of is not None and limit is None and len(blocks) >= _WORTH_IT else 0
    while at < len(blocks):
        block = blocks[at]
        at += 1
        if block.startswith(_DATA) and block.find(b"\n") < 0:  # most are of one line; "in" would take twice as long
            name, data = "", block[len(_DATA) :]
        else:
            name, lines = _fields(block)
            if not (name or lines):
                continue
            data = b"\n".join(lines)
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
        if not isinstance(event, dict):
            continue
        if name and "type" not in event and "object" not in event:
            event["type"] = name
        events.append(event)
        if tries and text_of is not None and (text := text_of(event)) is not None:
            count, whole = run_after(blocks, at, text)
            tries = _TRIES if count else tries - 1
            if count:
                at += count - 1
                blocks[at] = whole
                left_out += count - 1
    return events, len(events) + left_out


def _leave_out(blocks: list[bytes], retold: Retold) -> int:
    """Take out what the last event tells again, if it does; returns how many events that were."""
    try:
        last = orjson.loads(b"\n".join(_fields(blocks[-1])[1])) if blocks else None
    except orjson.JSONDecodeError:
        return 0
    if not isinstance(last, dict) or not retold.by(last):
        return 0
    count, begins = len(blocks), retold.begins
    blocks[:] = [block for block in blocks if not block.startswith(begins)]
    return count - len(blocks)


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


def _blocks(body: bytes) -> list[bytes]:
    """What stands between blank lines."""
    if b"\r" in body:
        body = _LINE_END.sub(b"\n", body)
    blocks = body.split(b"\n\n")
    if not blocks[-1] or not _fields(blocks[-1])[1]:
        del blocks[-1]  # but for the last event of a stream that was cut before its blank line
    return blocks


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

"""The last events of a stream as they came: how it ended is seen in their bytes, and nothing is parsed for it.

This runs on the caller's thread, where a stream ends or is closed. What is looked at is a window over the last bytes
that grows only while it holds too few events.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_WINDOW = 2 * 1024
_STARTS = (b"\n\ndata:", b"\n\nevent:")
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_FIELD = re.compile(rb"(?:\A|[\r\n])(?:data|event):")  # a comment has none
_NAME = re.compile(rb"(?:\A|[\r\n])event:[ ]?([^\r\n]*)")


def last_events(chunks: Sequence[bytes], count: int) -> list[bytes]:
    """The last ``count`` events in ``chunks``, in order; one that is torn at the end counts as well."""
    return [piece for piece in _tail(chunks, count) if _FIELD.search(piece)][-count:]


def are_without(
    chunks: Sequence[bytes], count: int, words: Sequence[bytes], mark: re.Pattern[bytes] | None = None
) -> bool:
    """Whether the last ``count`` events surely have none of ``words``, and nothing like ``mark``, in them.

    Few of them are looked at one by one.
    """
    first = _first(chunks, len(chunks), _WINDOW)
    window = b"".join(chunks[first:])
    if first > 0 and sum(map(window.count, _STARTS)) < count:
        return False  # there may be more of them before these bytes
    return max(map(window.find, words)) < 0 and (mark is None or mark.search(window) is None)


def last_delivered(
    chunks: Sequence[bytes], unread_from: int, delivered: int, count: int, silent: Collection[str] = ()
) -> list[bytes]:
    """The last ``count`` events that the reader of a stream was given.

    Args:
        chunks: everything that came.
        unread_from: the first chunk whose events may not all have been given; what was whole before it has been.
        delivered: how many events have been given since that chunk came.
        count: how many events are wanted.
        silent: types of events that the client keeps to itself.
    """
    *before, begun = _tail(chunks[:unread_from], count)
    fresh = _BLANK.split(begun + b"".join(chunks[unread_from:]))
    return [*_events(before, silent), *_events(fresh, silent)[:delivered]][-count:]


def _tail(chunks: Sequence[bytes], count: int) -> list[bytes]:
    """What lies between the blank lines at the end, with at least ``count`` events where there are so many.

    The last piece is what came after the last blank line: the beginning of an event, or nothing.
    """
    window, first = _WINDOW, len(chunks)
    while True:
        first = _first(chunks, first, window)
        pieces = _BLANK.split(b"".join(chunks[first:]))
        if first == 0:
            return pieces
        if len(_events(pieces[1:])) >= count + 1:
            return pieces[1:]  # of the first, only the end is in the window
        window *= 4


def _first(chunks: Sequence[bytes], first: int, window: int) -> int:
    """Where the last ``window`` bytes begin, or ``first`` where those after it are as many."""
    size = sum(map(len, chunks[first:]))
    while first > 0 and size < window:
        first -= 1
        size += len(chunks[first])
    return first


def _events(pieces: Sequence[bytes], silent: Collection[str] = ()) -> list[bytes]:
    events = [piece for piece in pieces if _FIELD.search(piece)]
    return [event for event in events if _name(event) not in silent] if silent else events


def _name(event: bytes) -> str:
    match = _NAME.search(event)
    return match.group(1).decode("ascii", "replace") if match else ""

"""What tells values apart whose text is the same, or is cut: of bytes and arrays, only their size is recorded."""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ["digest_of"]

_MOST_HASHED = 4 * 1024 * 1024  # bytes in all, which take some milliseconds
_MOST_DEPTH, _MOST_ITEMS = 3, 100


def digest_of(value: Any) -> int:
    """The hash of bytes, arrays, texts and numbers, and of few of them in a structure. Caller's thread.

    0 where it is none of these, too long, or holds anything else.
    """
    known = _comparable(value, _MOST_DEPTH, [_MOST_HASHED])
    return 0 if known is None else hash(known) or 1


def _comparable(value: Any, depth: int, room: list[int]) -> Any:
    """The value as something that can be hashed; ``None`` where it cannot be. Runs no code of the program's.

    ``room`` is for how many bytes more there is room, and becomes less.
    """
    kind = type(value)
    if kind in (int, float, bool) or value is None:
        return kind, value
    if kind in (str, bytes, bytearray):
        room[0] -= len(value)
        return None if room[0] < 0 else (kind, bytes(value) if kind is bytearray else value)
    if (kind.__module__, kind.__name__) == ("numpy", "ndarray") and not value.dtype.hasobject:
        room[0] -= value.nbytes
        return None if room[0] < 0 else (kind, value.shape, str(value.dtype), value.tobytes())
    if kind in (list, tuple, dict) and depth and len(value) <= _MOST_ITEMS:
        flat = itertools.chain.from_iterable(value.items()) if kind is dict else value
        members = [_comparable(each, depth - 1, room) for each in flat]
        return None if None in members else (kind, *members)
    return None

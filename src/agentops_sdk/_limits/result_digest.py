"""What tells a result apart from others whose text is the same: of bytes and arrays, only their size is recorded."""

from __future__ import annotations

from typing import Any

__all__ = ["digest_of"]

_MOST_HASHED = 4 * 1024 * 1024  # bytes, which take some milliseconds
_MOST_DEPTH, _MOST_ITEMS = 3, 100


def digest_of(value: Any) -> int:
    """The hash of a result that has no text: bytes, arrays, and few of them in a structure. Caller's thread.

    0 where it is neither, too long, or holds anything else that has no text.
    """
    known = _comparable(value, _MOST_DEPTH)
    return 0 if known is None else hash(known) or 1


def _comparable(value: Any, depth: int) -> Any:
    """The value as something that can be hashed; ``None`` where it cannot be. Runs no code of the program's."""
    kind = type(value)
    if kind in (str, int, float, bool, bytes) or value is None:
        return (kind, value) if kind is not bytes or len(value) <= _MOST_HASHED else None
    if kind is bytearray:
        return (kind, bytes(value)) if len(value) <= _MOST_HASHED else None
    if (kind.__module__, kind.__name__) == ("numpy", "ndarray") and not value.dtype.hasobject:
        return (kind, value.shape, str(value.dtype), value.tobytes()) if value.nbytes <= _MOST_HASHED else None
    if kind in (list, tuple, dict) and depth and len(value) <= _MOST_ITEMS:
        members = [_comparable(each, depth - 1) for each in (value.items() if kind is dict else value)]
        return None if None in members else (kind, *members)
    return None

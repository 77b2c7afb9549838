"""Whether a value is made of plain types alone, found out in C and within a bound.

The pickler of the standard library goes through dicts, lists, tuples, texts, numbers, truth values and ``None`` without
running a line of Python, asks about everything else before it touches it, notices cycles, and writes frame by frame,
so that it can be stopped. What it writes is thrown away.
"""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["is_plain"]


def is_plain(value: Any, most: int) -> bool:
    """Whether ``value`` holds nothing but plain types, no cycle, and at most ``most`` bytes, roughly.

    A set and bytes pass as well, and so do keys that are no texts: whoever encodes it sees to them.
    """
    pickler = _pickler()(_Bound(most), 5)
    pickler.fast = True  # what is shared is written each time, as in JSON; and nothing of the value is kept
    try:
        pickler.dump(value)
    except Exception:  # noqa: BLE001 - of ours, or the pickler's own: whatever stopped it
        return False
    return True


class _NotPlainError(Exception):
    """It is of another type, or too much."""


class _Bound:
    """A file that takes so many bytes and no more; keeps none."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            raise _NotPlainError


@cache
def _pickler() -> Any:
    """Made with the first large value, not with ``init()``: the import takes milliseconds where nobody else did it."""
    import pickle

    class Plain(pickle.Pickler):
        def reducer_override(self, item: object) -> Any:
            raise _NotPlainError

    return Plain

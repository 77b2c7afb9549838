"""Snapshot a value of the user's as JSON bytes, at once and without running a line of the user's code.

Called on the user's thread, once per captured argument or result. Values made of plain types and data
classes go through orjson in C; a pre-scan bounds the work first. Whatever is too large, too deep, cyclic
or otherwise refused goes through the bounded :mod:`walker <agentops_sdk._capture.walk>`. The forms
that values take are listed in ``docs/content.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from agentops_sdk._capture.forms import form_of, is_enum_type
from agentops_sdk._capture.walk import Walker

__all__ = ["CUT", "DEFAULT_LIMITS", "Limits", "snapshot"]

CUT: Final = "…[+"
"""Every truncated value contains this; what follows says how much is missing: ``…[+120 chars]``."""

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ATTEMPTS: Final = 8
_UNREADABLE: Final = b'"<unreadable>"'


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one value is kept. Work, and so time, is bounded by ``items`` and ``bytes``.

    Attributes:
        bytes: the longest result, in bytes of JSON.
        items: how many values, counting every member of every container, are looked at.
        depth: how deep containers may nest before the walker cuts them.
    """

    bytes: int = 65_536
    items: int = 10_000
    depth: int = 64


DEFAULT_LIMITS: Final = Limits()


def snapshot(value: Any, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """``value`` as valid JSON of at most ``limits.bytes`` bytes; never raises, never runs user code.

    Nothing of ``value`` stays referenced. Generators, files, iterators, locks and lazies are named,
    never touched. Cost: about a microsecond for a few short arguments, below ten milliseconds for anything.
    """
    try:
        return _encode(value, limits)
    except (RuntimeError, RecursionError, MemoryError, TypeError, ValueError):
        # Changed by another thread while being read, or called close to the recursion limit.
        return _UNREADABLE


def _encode(value: Any, limits: Limits) -> bytes:
    if type(value) is str:
        if len(value) <= limits.bytes:
            try:
                encoded = orjson.dumps(value)
            except TypeError:
                pass  # a lone surrogate
            else:
                if len(encoded) <= limits.bytes:
                    return encoded
        return _walk(value, limits)
    forms: dict[int, tuple[Any, Any]] = {}
    try:
        if _fits(value, limits, forms):
            encoded = orjson.dumps(value, default=_Known(forms) if forms else None, option=_OPTIONS)
            if len(encoded) <= limits.bytes:
                return encoded
    except (TypeError, RuntimeError):
        pass  # a key that is not a string, a cycle, a lone surrogate, 65 bits, changed meanwhile: the walker knows
    return _walk(value, limits)


def _fits(value: Any, limits: Limits, forms: dict[int, tuple[Any, Any]]) -> bool:
    """Whether orjson may take ``value`` whole: few enough members, short enough, no type it would query."""
    most_items, most_bytes = limits.items, limits.bytes
    size = 0
    seen = [value]
    extend = seen.extend
    for item in seen:
        kind = type(item)
        if kind is str:
            size += len(item)
            if size > most_bytes:
                return False
        elif kind is dict:
            if len(seen) + len(item) > most_items:
                return False
            # Joining is the cheapest way to measure keys in C; a key that is not a string raises TypeError.
            size += len("".join(item))
            extend(item.values())
        elif kind is list or kind is tuple:
            if len(seen) + len(item) > most_items:
                return False
            extend(item)
        elif kind is int or kind is float or kind is bool or item is None:
            pass
        else:
            if is_enum_type(kind):
                return False  # orjson would read its ``value``, which may be the user's code
            form = form_of(item)
            forms[id(item)] = (item, form)
            seen.append(form)
    return True


class _Known:
    """The forms worked out by the scan, for orjson to ask back; lives as long as one snapshot."""

    __slots__ = ("forms",)

    def __init__(self, forms: dict[int, tuple[Any, Any]]) -> None:
        self.forms = forms

    def __call__(self, item: Any) -> Any:
        known = self.forms.get(id(item))
        if known is None:
            raise TypeError  # came in after the scan, so unmeasured
        return known[1]


def _walk(value: Any, limits: Limits) -> bytes:
    """``value`` cut to ``limits``: members first come first kept, long strings shortened alike."""
    items, longest = min(limits.items, limits.bytes // 16), limits.bytes
    for _ in range(_ATTEMPTS):
        walker = Walker(items=items, depth=limits.depth, longest=longest)
        plain = walker.read(value)
        kept = sum(min(length, longest) for length in walker.lengths)
        if kept <= limits.bytes:
            encoded = orjson.dumps(plain)
            if len(encoded) <= limits.bytes:
                return encoded
            shrink = 0.9 * limits.bytes / len(encoded)
            if kept < limits.bytes // 2:
                items = max(8, int(min(items, walker.visited) * shrink))
            longest = max(16, int(min(longest, max(walker.lengths, default=longest)) * shrink))
        else:
            # Room for the quotes, commas and cut marks around the strings comes off first.
            room = max(limits.bytes // 2, int(limits.bytes * 0.95) - 24 * len(walker.lengths))
            longest = _level(walker.lengths, room)
    return orjson.dumps(CUT + "more than fits]")


def _level(lengths: list[int], room: int) -> int:
    """The greatest length such that strings cut to it take ``room`` characters together: short ones stay whole."""
    left = len(lengths)
    for length in sorted(lengths):
        if length * left > room:
            return max(16, room // left)
        room -= length
        left -= 1
    return max(lengths, default=room)

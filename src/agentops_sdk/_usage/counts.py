"""Token counts from raw usage objects: whatever is not a valid count is left out, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST = 2**53
"""Counts beyond this cannot be tokens, and some readers of JSON lose digits there."""

Figures = Mapping[str, Any]


_EMPTY: Figures = {}


def count(value: Any) -> int | None:
    """``value`` as a count, or None: no bool, no text, nothing negative, broken, or absurdly large."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= LARGEST else None


def amount(value: Any) -> Decimal | None:
    """``value`` as money or a duration, exactly as it was written, or None."""
    if type(value) not in (int, float, str, Decimal):
        return None
    try:
        exact = Decimal(str(value))
    except (InvalidOperation, ValueError):  # ValueError: an int of more digits than Python writes
        return None
    return exact if exact.is_finite() and 0 <= exact <= LARGEST else None


def first(usage: Figures, *names: str) -> int | None:
    """The first of ``names`` that holds a count."""
    for name in names:
        value = usage.get(name)
        if value is not None and (figure := count(value)) is not None:
            return figure
    return None


def below(usage: Figures, *names: str) -> Figures:
    """The first of ``names`` that holds an object, else an empty one."""
    for name in names:
        member = usage.get(name)
        if member is not None and (type(member) is dict or isinstance(member, Mapping)):
            return member
    return _EMPTY


def total(*counts: int | None) -> int | None:
    """The sum of the counts that are known; None if none is."""
    known = [one for one in counts if one is not None]
    return sum(known) if known else None


def each(value: Any) -> list[Figures]:
    """The objects in a list; nothing of what is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []

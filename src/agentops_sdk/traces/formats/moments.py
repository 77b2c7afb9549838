"""Moments as other recorders write them, as nanoseconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

__all__ = ["nanoseconds"]

_FRACTION: Final = re.compile(r"[.,](\d+)")
_NUMBER: Final = re.compile(r"\d{1,20}(?:\.\d+)?")
_UNITS: Final = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000))
"""From which number on it is counted in units of so many nanoseconds: what comes before is seconds."""


def nanoseconds(value: Any) -> int | None:
    """A moment; ``None`` where there is none.

    Args:
        value: ISO 8601 (without an offset it is UTC), or a number of seconds, milliseconds, microseconds or
            nanoseconds since the epoch, also as text: which of them its size tells, from 1973 on. Seconds and
            nanoseconds apart, as a list or an object, are understood too, and the halves of a number of 64 bits.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return _from_iso(text)
        value = float(text) if "." in text else int(text)
    if isinstance(value, list | dict):
        return _from_parts(value)
    if isinstance(value, float):
        return _scaled(value) if isfinite(value) else None
    return _scaled(value) if isinstance(value, int) else None


def _from_parts(value: Any) -> int | None:
    if isinstance(value, dict):
        high, low = (value.get(name) for name in ("high", "low"))
        if type(high) is int and type(low) is int:
            return (high & 0xFFFFFFFF) << 32 | (low & 0xFFFFFFFF)
        value = [value.get("seconds"), value.get("nanos", 0)]
    parts = [int(part) if isinstance(part, str) and part.isdecimal() else part for part in value]
    if len(parts) != len(("seconds", "nanoseconds")) or any(type(part) is not int or part < 0 for part in parts):
        return None
    return int(parts[0] * 1_000_000_000 + parts[1])


def _scaled(value: float) -> int | None:
    if value < 0:
        return None
    unit = next((unit for least, unit in _UNITS if value >= least), 1_000_000_000)
    return int(value * unit) if isinstance(value, int) else round(value * unit)


def _from_iso(text: str) -> int | None:
    match = _FRACTION.search(text)
    try:
        plain = _FRACTION.sub("", text, count=1).replace(" +0000 UTC", "+00:00").replace(" UTC", "+00:00")
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    fraction = int(match[1][:9].ljust(9, "0")) if match is not None else 0
    return int(moment.timestamp()) * 1_000_000_000 + fraction

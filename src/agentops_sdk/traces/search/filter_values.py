"""What people write as the value of a filter: words with ``*``, moments, durations, amounts."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["amount", "moment", "pattern", "seconds", "words"]

_UNITS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|min|m|h|d|w|)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def words(name: str, value: Any) -> list[str]:
    """One or several texts, none of them empty.

    Raises:
        ConfigError: it is something else.
    """
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, (list, tuple, set, frozenset)) and texts and all(isinstance(t, str) and t for t in texts):
        return list(texts)
    raise ConfigError(name, value, "a text, or a list of texts of which one has to match")


def pattern(texts: Iterable[str]) -> Callable[[Any], bool]:
    """Tells whether a text is one of these, in which ``*`` stands for anything."""
    either = "|".join(".*".join(map(re.escape, text.split("*"))) for text in texts)
    matches = re.compile(either, re.DOTALL).fullmatch
    return lambda text: isinstance(text, str) and matches(text) is not None


def seconds(name: str, value: Any) -> float:
    """A duration: seconds, or text such as ``500ms``, ``2.5s``, ``3m``, ``1h``, ``7d``.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15:
        return float(value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(name, value, "seconds, or a duration such as 500ms, 2.5s, 3m, 1h, 7d")
    return float(match[1]) * _UNITS[match[2]]


def amount(name: str, value: Any) -> Decimal:
    """An amount of money.

    Raises:
        ConfigError: it is no number.
    """
    try:
        number = Decimal(str(value).strip().removeprefix("$")) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigError(name, value, "an amount such as 0.05")
    return number


def moment(name: str, value: Any, *, end: bool = False) -> int:
    """Nanoseconds since the epoch. What has no offset is UTC.

    Args:
        name: of the setting.
        value: a day, a time (ISO 8601), a duration before now (``2h``), a ``datetime``, ``date`` or ``timedelta``.
        end: a day means its end, not its beginning.

    Raises:
        ConfigError: it is something else.
    """
    whole_day = False
    when: datetime | None = None
    if isinstance(value, timedelta) or (isinstance(value, str) and _DURATION.fullmatch(value.strip())):
        return time.time_ns() - round(seconds(name, value) * 1e9)
    if isinstance(value, datetime):
        when = value
    elif isinstance(value, date):
        when, whole_day = datetime(value.year, value.month, value.day, tzinfo=UTC), True
    elif isinstance(value, str):
        text = value.strip()
        whole_day = _DAY.fullmatch(text) is not None
        try:
            when = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
        except ValueError:
            when = None
    if when is None:
        raise ConfigError(name, value, "a day or time such as 2026-11-01 or 2026-11-01T09:30, or an age such as 2h, 7d")
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    since_epoch = when - datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=1 if end and whole_day else 0)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 10**9 + since_epoch.microseconds * 1_000

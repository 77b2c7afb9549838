"""Attribute values as JSON holds them, and back: bytes and non-finite floats survive the trip.

JSON knows neither bytes nor NaN. They are written as one-key objects, ``{"$bytes": base64}`` and
``{"$float": "nan"}``; a map that happens to look like one of those is wrapped as ``{"$map": {...}}``.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

_MARKS: Final = ("$bytes", "$float", "$map")
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
_LONGEST_TEXT_BITS: Final = 4_096
DEEPEST: Final = 100
"""Levels of lists and objects within one another, that people's values have at most."""


def to_json(value: Any) -> Any:
    """An attribute value as something that every JSON encoder writes and that :func:`from_json` restores.

    Integers beyond 64 bits, which OTLP has no room for, become their decimal string.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if INT_MIN <= value <= INT_MAX else integer(value)
    if kind is float:
        return value if isfinite(value) else {"$float": repr(value)}
    if kind is tuple or kind is list:
        return [item if type(item) is str else to_json(item) for item in value]
    return _rare(value)


def _rare(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": b64encode(value).decode("ascii")}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return to_json(int(value))
    if isinstance(value, float):
        return to_json(float(value))
    if isinstance(value, Mapping):
        return plain_map({str(key): to_json(item) for key, item in value.items()})
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    return f"<{kind_name(value)}>"


def integer(value: int) -> int | str:
    """The number itself, or as decimal text where it has more than 64 bits; of a very long one its length."""
    if INT_MIN <= value <= INT_MAX:
        return value
    bits = value.bit_length()  # writing an int in decimal takes quadratic time
    return str(value) if bits <= _LONGEST_TEXT_BITS else f"<int of {bits} bits>"


def kind_name(value: object) -> str:
    """The type's name: all that is safe to say of an object that is no attribute value."""
    return type(value).__name__


def plain_map(value: dict[str, Any]) -> dict[str, Any]:
    """The map itself, or wrapped if it could be mistaken for one of our marks."""
    return {"$map": value} if len(value) == 1 and next(iter(value)) in _MARKS else value


def is_figure(value: object) -> bool:
    """Whether it is a number as counts and prices are: finite, and of less than 64 bits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and INT_MIN < value < INT_MAX


def parsed(value: Any) -> Any:
    """What an attribute means: structures are JSON strings on the span; any other text is itself.

    What is nested too deeply stays text: whoever goes through the result may recurse.
    """
    if isinstance(value, str):
        if value[:1] not in ("[", "{", '"'):
            return value
        try:
            structure = json.loads(value)
        except (ValueError, RecursionError):
            return value
        is_flat = value.count("[") + value.count("{") <= DEEPEST
        return structure if is_flat or not _is_too_deep(structure) else value
    return value


def shallow(value: Any) -> Any:
    """The value itself; where it is nested deeper than :data:`DEEPEST`, which only foreign writers do, its upper part.

    Whoever goes through the result may recurse.
    """
    return _upper(value, DEEPEST) if _is_too_deep(value) else value


def as_text(value: Any) -> str:
    """The text itself; of anything else, however deep, as Python writes it."""
    return value if type(value) is str else str(shallow(value))


def _upper(value: Any, levels: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return f"<{kind_name(value)} nested too deeply>"
    if isinstance(value, dict):
        return {key: _upper(item, levels - 1) for key, item in value.items()}
    return [_upper(item, levels - 1) for item in value]


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return False
        inner = (item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer))
        level = [item for item in inner if isinstance(item, dict | list)]
    return bool(level)


def from_json(value: Any) -> Any:
    """The attribute value that :func:`to_json` wrote: bytes and non-finite floats are themselves again."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        mark, inner = next(iter(value.items()))
        if mark == "$bytes" and isinstance(inner, str):
            return b64decode(inner)
        if mark == "$float" and isinstance(inner, str):
            return float(inner)
        if mark == "$map" and isinstance(inner, dict):
            value = inner
    return {key: from_json(item) for key, item in value.items()}

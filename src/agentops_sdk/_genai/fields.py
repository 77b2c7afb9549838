"""What a body tells in fields of its own, as a table: attribute to ``"path:type"``.

    REQUEST = {
        semconv.REQUEST_TEMPERATURE: "temperature:number",
        semconv.REQUEST_MAX_TOKENS: "max_completion_tokens|max_tokens",
        semconv.REQUEST_TOP_K: "generationConfig.topK:int",
    }
    attributes = fields(body, REQUEST)

Of paths divided by ``|`` the first that holds something is taken. The types are ``number``, ``int``, ``text`` and
``texts``; what is of another type is left out. Without a type, whatever is there is handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

__all__ = ["fields", "mapping", "mappings", "number", "text_value"]


def number(value: Any) -> float | None:
    """``value`` as a number, or ``None``."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text_value(value: Any) -> str | None:
    """``value`` if it is a text that is not empty, or ``None``."""
    return value if isinstance(value, str) and value else None


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(values: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; none in what is no list."""
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list | tuple) else []


_TYPES: dict[str, Callable[[Any], Any]] = {
    "number": number,
    "int": lambda value: value if type(value) is int else None,
    "text": lambda value: value if isinstance(value, str) else None,
    "texts": lambda value: value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None,
}


def fields(body: Mapping[str, Any], table: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of ``table`` that ``body`` tells."""
    attributes: dict[str, Any] = {}
    given: Any = body
    if type(given) is not dict and not isinstance(given, Mapping):
        return attributes
    for attribute, field in table.items():
        name, paths, kind = _parsed(field)
        value: Any = given.get(name) if name is not None else _at(paths, body)
        if kind and value is not None:
            value = _TYPES[kind](value)
        if value is not None and value != "":
            attributes[attribute] = value
    return attributes


def _at(paths: tuple[tuple[str, ...], ...], body: Mapping[str, Any]) -> Any:
    """What stands at the first of these that holds something."""
    value: Any = None
    for path in paths:
        value = body
        for name in path:  # the common type first: to ask for the abstract one takes ten times as long
            value = value.get(name) if type(value) is dict or isinstance(value, Mapping) else None
        if value is not None and value != "":
            break
    return value


@cache
def _parsed(field: str) -> tuple[str | None, tuple[tuple[str, ...], ...], str]:
    """The one name that it is, where it is one; its paths; and its type."""
    paths, _, kind = field.partition(":")
    if kind and kind not in _TYPES:
        raise ValueError(f"{field!r}: the types are {', '.join(_TYPES)}")
    parsed = tuple(tuple(path.split(".")) for path in paths.split("|"))
    return parsed[0][0] if len(parsed) == len(parsed[0]) == 1 else None, parsed, kind

"""Further names for what a span tells, for backends that read other names: one file each, found by its name.

A file has ``names(attributes)``: given a finished span's attributes, scrubbed and cut to size, the attributes to add.
What a span has already under a name stays; only the tokens of an agent, which its calls have told, are taken away:
their readers add up all that they find. To speak another vocabulary, add a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

__all__ = ["added", "repeated", "vocabularies"]

_USAGE: Final = "gen_ai.usage."
_OF_A_RUN: Final = "agentops.run."


@cache
def vocabularies() -> tuple[str, ...]:
    """The names of those that there are."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def added(attributes: Mapping[str, Any], chosen: Iterable[str]) -> dict[str, Any]:
    """What the chosen vocabularies add to a span that has these attributes."""
    more: dict[str, Any] = {}
    for name in chosen:
        more.update(_names(name)(attributes))
    return {name: value for name, value in more.items() if value is not None and name not in attributes}


def repeated(attributes: Mapping[str, Any]) -> list[str]:
    """The names of tokens that a span has as the sum of its calls'."""
    if _OF_A_RUN + "input_tokens" not in attributes:
        return []
    return [
        name
        for name, value in attributes.items()
        if name.startswith(_USAGE) and attributes.get(name.replace(_USAGE, _OF_A_RUN, 1)) == value
    ]


@cache
def _names(vocabulary: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    names: Callable[[Mapping[str, Any]], dict[str, Any]] = import_module(f"{__name__}.{vocabulary}").names
    return names

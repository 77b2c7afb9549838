"""Texts that a generator yields one by one: what only several of them hold together is found in them as one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv

__all__ = ["has_pieces", "scrub_together"]

_OUTPUTS: Final = frozenset((semconv.OUTPUT, semconv.TOOL_CALL_RESULT))


def has_pieces(attributes: Mapping[str, Any]) -> bool:
    """Whether they are of a run of a generator, with what it yielded."""
    return semconv.STREAM_CHUNKS in attributes and not _OUTPUTS.isdisjoint(attributes)


def scrub_together(attributes: MutableMapping[str, Any], scrub: Callable[[str], tuple[str, int]]) -> int:
    """Put one scrubbed text in the place of the pieces where they hold more together than apart; the replacements.

    Args:
        attributes: of a run of a generator.
        scrub: a text without what must go, and how much of it there was.
    """
    total = 0
    for name in _OUTPUTS.intersection(attributes):
        try:
            value = orjson.loads(attributes[name])
        except (ValueError, TypeError):
            continue
        pieces = value.get("yielded") if isinstance(value, dict) else value
        if not isinstance(pieces, list) or len(pieces) < 2 or not all(isinstance(piece, str) for piece in pieces):
            continue
        whole, count = scrub("".join(pieces))
        if not count:
            continue
        apart = [scrub(piece) for piece in pieces]
        if whole == "".join(text for text, _ in apart) or sum(found for _, found in apart) > count:
            continue
        attributes[name] = orjson.dumps({**value, "yielded": [whole]} if isinstance(value, dict) else [whole]).decode()
        total += count
    return total

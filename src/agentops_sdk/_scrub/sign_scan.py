"""One pass over a text that tells which of all signs it has, and where: what decides whether it needs a closer look.

It is made by ``ahocorasick_rs`` where that is installed (the extra ``speed``). Without it each sign is looked for by
the rare letters in it, as its own module does, several times slower and with the same findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

try:
    import ahocorasick_rs  # here, and not with the first text: nothing is imported between a span and the disk
except ImportError:
    ahocorasick_rs = None  # type: ignore[assignment]  # the extra is not installed

__all__ = ["Hits", "add_signs", "hits"]

Hits = dict[str, list[int]]
"""Each sign that a text has, with every place where it begins."""

_SIGNS: set[str] = set()


def add_signs(signs: Iterable[str]) -> None:
    """Have texts searched for further signs; they are compared in lower case."""
    _SIGNS.update(sign.lower() for sign in signs)


def hits(low: str) -> Hits | None:
    """What a text in lower case and ASCII has of all signs; ``None`` where nothing can tell in one pass."""
    scan = _scan()
    return None if scan is None else scan(low)


@cache
def _scan() -> Callable[[str], Hits] | None:
    """Made with the first text, on the consumer thread: it takes a millisecond."""
    if ahocorasick_rs is None:
        return None  # type: ignore[unreachable]  # types are checked where it is installed
    signs = sorted(_SIGNS)
    table = ahocorasick_rs.AhoCorasick(signs, implementation=ahocorasick_rs.Implementation.DFA)
    matches: Any = table.find_matches_as_indexes

    def scan(low: str) -> Hits:
        found: Hits = {}
        for number, start, _ in matches(low, overlapping=True):
            sign = signs[number]
            if sign in found:
                found[sign].append(start)
            else:
                found[sign] = [start]
        return found

    return scan

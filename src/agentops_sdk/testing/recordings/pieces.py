"""Secrets that a stream brings in pieces, none of which shows what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agentops_sdk._scrub.redact import Redactor

__all__ = ["scrub_pieces"]

_PLACES: Final = ("index", "item_id", "output_index", "content_index", "summary_index")
"""Members by which chunks say which of several texts they go on with."""
_redactor = Redactor()


def scrub_pieces(events: Sequence[Any]) -> int:
    """Take secrets out of the texts that a stream's events bring piece by piece, in place; how many there were.

    Texts at the same place of the events belong together. The mark stands in the piece where a secret
    begins; the other pieces lose what they have of it, and stay.
    """
    texts: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    for event in events:
        for path, owner, key in _texts(event, ()):
            texts.setdefault(path, []).append((owner, key))
    redactions = 0
    for members in texts.values():
        pieces = [owner[key] for owner, key in members]
        if len(set(pieces)) < 2:
            continue  # a name or an id that every event repeats
        cleaned, count = _redactor.pieces(pieces)
        if count:
            redactions += count
            for (owner, key), before, after in zip(members, pieces, cleaned, strict=True):
                owner[key] = after
                if after != before and isinstance(owner, dict) and isinstance(owner.get("bytes"), list):
                    owner["bytes"] = None  # the same piece once more
    return redactions


def _texts(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Every text in ``value``, with the place that it has in all events alike, and what holds it."""
    if isinstance(value, dict):
        which = tuple(value[name] for name in _PLACES if isinstance(value.get(name), str | int))
        for name, member in value.items():
            if isinstance(member, str):
                yield (*path, which, name), value, name
            else:
                yield from _texts(member, (*path, which, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            if isinstance(member, str):
                yield (*path, "[]"), value, number
            else:
                yield from _texts(member, (*path, "[]"))

"""Answers of a bounded size: what does not fit says how much it is and how to ask for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["page_of_rows", "page_of_text"]

_FOOTER: Final = 200  # characters that are kept free for the last line, or for what stands beside the rows


def page_of_text(text: str, most: int, offset: int = 0) -> str:
    """The part of a text that begins at ``offset``, at most ``most`` characters, and how to read on."""
    offset = max(0, offset)
    if len(text) - offset <= most:
        return text[offset:]
    part = text[offset : offset + most - _FOOTER]
    rest = len(text) - offset - len(part)
    return f"{part}\n[{rest:,} more characters: ask again with offset={offset + len(part)}]"


def page_of_rows(rows: Iterable[Any], most: int, *, offset: int = 0, limit: int | None = None, **beside: Any) -> str:
    """Rows from ``offset`` on as JSON, as many as fit; ``next_offset`` says where to go on, if there are more.

    A row that is too large for a whole answer is cut and says so, and so is what stands beside the rows.

    Args:
        rows: of plain data; one more than is shown is asked for.
        most: characters of the answer.
        offset: how many rows to pass over.
        limit: rows at most.
        beside: what else the answer holds.
    """
    if len(_json(beside)) > most // 2:  # such as names of columns that somebody made long
        beside = {name: _cut(value, most // 8) for name, value in beside.items()}
    shown: list[str] = []
    room, number, following = most - _FOOTER - len(_json(beside)), -1, False
    for number, row in enumerate(rows):
        if number < offset:
            continue
        text = _json(row)
        following = (limit is not None and len(shown) >= limit) or (bool(shown) and len(text) + 2 > room)
        if following:
            break
        if len(text) > room:
            text = _json(_cut(row, max(0, room // 2)))
        shown.append(text)
        room -= len(text) + 2
    if following:
        beside["next_offset"] = number
    head = _json(beside)[1:-1]
    return "{" + (head + ", " if head else "") + '"rows": [' + ",\n".join(shown) + "]}"


def _cut(value: Any, most: int) -> Any:
    """The value, or the beginning of its JSON where that is longer than ``most`` characters."""
    text = _json(value)
    return value if len(text) <= most else {"cut": text[:most], "characters": len(text)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

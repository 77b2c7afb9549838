"""Search in everything that was said: names, errors, messages, arguments, results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk.traces.search.candidate import Condition, Effort
from agentops_sdk.traces.search.filter_values import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.figures.columns import Columns
    from agentops_sdk.traces.search.candidate import Candidate

__all__ = ["conditions_on_text"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9 _.,:;@#%&()+*=?!'-]+")
"""Characters that JSON has no escape for but ``\\u``: they stand in a line as they are."""
_LONG_ESCAPE: Final = b"\\u"


def conditions_on_text(keyword: str, value: Any) -> list[Condition]:
    """A run meets it if one of its spans holds each of the texts, upper or lower case.

    Raises:
        ConfigError: it is no text.
    """
    return [_condition(text.lower()) for text in words(keyword, value)]


def _condition(text: str) -> Condition:
    needle = text.encode() if _PLAIN.fullmatch(text) else None

    def holds(run: Candidate) -> bool:
        return any(_is_in(run.columns, row, text, needle) for row in run.rows)

    return Condition(holds, Effort.LINES)


def _is_in(columns: Columns, row: int, text: str, needle: bytes | None) -> bool:
    line = columns.line(row)
    if line is None:
        return _in_fields(columns.record(row).model_dump(), text)
    if needle is not None and _LONG_ESCAPE not in line and needle not in line.lower():
        return False  # as nearly every line tells, without being parsed
    return _in_fields(orjson.loads(line), text)


def _in_fields(fields: dict[str, Any], text: str) -> bool:
    told = (fields.get("name"), fields.get("status_message"), fields.get("attributes"), fields.get("events"))
    return any(text in part.lower() for part in _texts(told))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, without the names of fields; of JSON in a text, what it holds as well."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            if "\\" in item and item[:1] in '[{"':
                try:
                    stack.append(orjson.loads(item))
                except ValueError:
                    continue
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            yield str(item)

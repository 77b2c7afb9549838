"""SQL as pgvector has it: which statement looks for what is near to a vector, which one writes vectors, and where.

A driver sees every statement of a program, so what is none of these leaves after one look for a character. Operators
that others have as well (PostGIS, trigrams) are taken where a vector stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["VectorStatement", "copied_into", "has_vector", "read_statement", "row_document"]

_OPERATOR = re.compile(r"(?<![<>])<(?:->|=>|#>|\+>|~>|%>)(?![<>])")
_OWN = re.compile(r"(?<![<>])<(?:=>|\+>|~>|%>)(?![<>])")
"""Operators that nobody else has."""
_CAST = re.compile(
    r"::\s*(?:\w+\.)?(?:vector|halfvec|sparsevec)\b|\bas\s+(?:vector|halfvec|sparsevec)\b", re.IGNORECASE
)
_VECTOR_TEXT = re.compile(r"\s*[\[{]\s*-?\d")
_TABLE = re.compile(r'\bfrom\s+(?:only\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)', re.IGNORECASE)
_WRITE = re.compile(r'\s*(insert\s+into|update)\s+(?:only\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)', re.IGNORECASE)
_COPY = re.compile(r'\s*copy\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)', re.IGNORECASE)
_LIMIT = re.compile(r"\blimit\s+(?:(\d+)|%\((\w+)\)[sbt]|\$(\d+)|(%[sbt]))", re.IGNORECASE)
_ALIAS = re.compile(r"<[-=#+~%]>[^,;]*?\bas\s+\"?(\w+)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"%[sbt]")
_SIMILAR = re.compile(r"(?:1(?:\.0)?\s*-|-1(?:\.0)?\s*\*|-)\s*\(*[^,(]*$")
_WORDS_IN_FRONT = 200
"""Characters before an operator that are looked at: is the distance taken from one?"""
_NAMES = {"similarity": "score", "score": "score", "rank": "score", "distance": "distance", "dist": "distance"}
_CONTENTS = ("content", "text", "document", "chunk", "body", "page_content")


class VectorStatement(NamedTuple):
    """A statement that concerns vectors."""

    table: str | None
    writes: str | None = None
    """``insert`` or ``update``; ``None``: it searches."""
    top_k: int | None = None
    columns: Mapping[str, str] = {}
    """The columns of its result that hold a ``score`` or a ``distance``, by their names."""


def read_statement(text: str, parameters: Any) -> VectorStatement | None:
    """What a statement asks for, as far as it concerns vectors; ``None`` for any other.

    Args:
        text: as the driver takes it, with its placeholders.
        parameters: a sequence, or a mapping by name; of many rows the first.
    """
    if "<" in text and _OPERATOR.search(text) and (_OWN.search(text) or _has_vector(text, parameters)):
        table = _TABLE.search(text)
        return VectorStatement(
            _unquoted(table[1]) if table else None, top_k=_limit(text, parameters), columns=dict(_columns(text))
        )
    write = _WRITE.match(text)
    if write and _has_vector(text, parameters):
        return VectorStatement(_unquoted(write[2]), writes=write[1].split()[0].lower())
    return None


def copied_into(text: str) -> str | None:
    """The table that a ``COPY`` writes to; whether it writes vectors, only its rows tell."""
    copy = _COPY.match(text)
    return _unquoted(copy[1]) if copy else None


def _has_vector(text: str, parameters: Any) -> bool:
    return _CAST.search(text) is not None or has_vector(parameters)


def has_vector(parameters: Any) -> bool:
    """Whether one of the values, in their order or by name, is a vector."""
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    return isinstance(values, Sequence | type({}.values())) and any(map(_is_vector, values))


def _is_vector(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return value[:1] == "[" and _VECTOR_TEXT.match(value) is not None
    return kind.__module__.partition(".")[0] == "pgvector" or (kind.__module__, kind.__name__) == ("numpy", "ndarray")


def _unquoted(name: str) -> str:
    return name.replace('"', "")


def _limit(text: str, parameters: Any) -> int | None:
    found = list(_LIMIT.finditer(text))
    if not found:
        return None
    number, named, numbered, _ = found[-1].groups()
    if number:
        return int(number)
    place: Any = named or _place(text, found[-1].start(), numbered)
    try:
        value = parameters[place]
    except (LookupError, TypeError):
        return None
    return value if type(value) is int else None


def _place(text: str, end: int, numbered: str | None) -> int:
    """Which of the parameters a placeholder stands for: the one that its number says, or as many as stand before it."""
    return int(numbered) - 1 if numbered else sum(1 for _ in _PLACEHOLDER.finditer(text, 0, end))


def _columns(text: str) -> Iterator[tuple[str, str]]:
    for found in _ALIAS.finditer(text):
        before = text[max(0, found.start() - _WORDS_IN_FRONT) : found.start()]
        yield found[1], "score" if _SIMILAR.search(before) else "distance"


def row_document(
    names: Iterable[str], values: Iterable[Any], columns: Mapping[str, str], is_plain: Callable[[Any], bool]
) -> dict[str, Any]:
    """A row of the result as a document; what is not ``is_plain`` of its values, such as a vector, is left out."""
    document: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for name, value in zip(names, values, strict=False):
        role = columns.get(name) or _NAMES.get(name.lower())
        if not is_plain(value):
            continue
        if role and role not in document:
            document[role] = value if isinstance(value, float | int) else float(value)
        elif "id" not in document and name.lower() in ("id", "uuid"):
            document["id"] = str(value)
        elif "content" not in document and name.lower() in _CONTENTS:
            document["content"] = value
        else:
            metadata[name] = value
    if "id" not in document:
        key = next((name for name in metadata if name.lower().endswith("id")), None)
        if key is not None:
            document["id"] = str(metadata.pop(key))
    return {**document, "metadata": metadata} if metadata else document

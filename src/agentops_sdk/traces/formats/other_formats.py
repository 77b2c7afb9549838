"""What other recorders wrote, document by document: spans in our fields, and a name for what holds none."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.formats import log_messages
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.other_files import what_it_is
from agentops_sdk.traces.formats.parse import looks_like_record
from agentops_sdk.traces.formats.readers import DAMAGED, reader_of
from agentops_sdk.traces.formats.translation import is_told, translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentops_sdk.traces.formats.readers import Fields, Reader

__all__ = ["OtherFormats", "translated", "translated_record", "unpacked"]

_MOST_LEVELS: Final = 3
_AROUND: Final = ("_source", "hits")
"""Under which names a store has what it was given."""
_LOGGED: Final = ("log", "message")
"""Under which names what keeps the output of containers has a line of it."""


def translated(fields: Fields) -> Fields:
    """The fields of a record in our names; as they are where its scope is ours or nothing in them is known."""
    scope = fields.get("scope")
    attributes = fields.get("attributes")
    if not isinstance(attributes, dict) or (isinstance(scope, dict) and scope.get("name") == OWN_SCOPE):
        return fields
    try:
        return translate(fields)
    except DAMAGED:
        return fields


def translated_record(raw: Fields) -> Fields:
    """A line of our format whose span is of somebody else: in our names, where a vocabulary knows any of its."""
    attributes = raw.get("attributes")
    return translated(raw) if isinstance(attributes, dict) and is_told(attributes) else raw


class OtherFormats:
    """Reads documents of other recorders; those of a session's lines wait for one another."""

    def __init__(self) -> None:
        self.found: dict[Path, str] = {}
        """By file what it holds in place of spans, and what would help."""
        self.messages: dict[tuple[str, str], list[Fields]] = {}
        """Messages in log records, by the trace and the span that they belong to."""
        self._waiting: dict[Reader, list[Any]] = {}

    def spans(self, document: Any, path: Path | None = None, levels: int = _MOST_LEVELS) -> Iterator[Fields | None]:
        """The spans in a document; ``None`` for each that cannot be read, and for a document that holds none.

        Where documents belong together nothing comes before :meth:`rest`.
        """
        document = unpacked(document)
        reader = reader_of(document)
        if reader is not None:
            if reader.together:
                self._waiting.setdefault(reader, []).extend(document if isinstance(document, list) else [document])
            else:
                yield from _read(reader, [document])
        elif looks_like_record(document):
            yield document
        elif isinstance(document, list) and document and levels:
            for item in document:
                yield from self.spans(item, path, levels - 1)
        elif log_messages.collect(document, self.messages):
            return
        else:
            if path is not None and path not in self.found and (name := what_it_is(document)):
                self.found[path] = name
            yield None

    def rest(self) -> Iterator[Fields | None]:
        """The spans in the documents that have waited for others of their file."""
        waiting, self._waiting = self._waiting, {}
        for reader, documents in waiting.items():
            yield from _read(reader, documents)


def unpacked(document: Any) -> Any:
    """What stands in a document of a store, a log or a table: Elasticsearch's hits, columns with rows, JSON in text."""
    document = parsed(document)
    if not isinstance(document, dict):
        return document
    for around in _AROUND:
        if isinstance(inside := document.get(around), dict | list):
            return unpacked(inside)
    for around in _LOGGED:
        if isinstance(line := document.get(around), str) and reader_of(inside := parsed(line)) is not None:
            return inside
    names, rows = document.get("columns", document.get("meta")), document.get("data")
    if isinstance(names, list) and all(isinstance(one, dict) and isinstance(one.get("values"), list) for one in names):
        rows = list(zip_longest(*(one["values"] for one in names)))
    if isinstance(names, list) and isinstance(rows, list) and any(isinstance(row, list | tuple) for row in rows):
        named = [name.get("name") if isinstance(name, dict) else name for name in names]
        return [dict(zip(named, row, strict=False)) if isinstance(row, list | tuple) else row for row in rows]
    return document


def _read(reader: Reader, documents: list[Any]) -> Iterator[Fields | None]:
    try:
        for fields in reader.spans(documents):
            yield None if fields is None else translated(fields)
    except DAMAGED:
        yield None

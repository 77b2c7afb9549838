"""Spans of a file or folder as they were exported: their attributes under the names that their recorder gave them.

Everything else here reads spans of others in our names; a check of names cannot.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.errors import TraceError
from agentops_sdk.traces.conformance.span_rules import Span
from agentops_sdk.traces.formats.documents import COLUMNS, LINES, PROTOBUF, documents, form_of, loads, read_whole
from agentops_sdk.traces.formats.lines import Lines
from agentops_sdk.traces.formats.other_formats import unpacked
from agentops_sdk.traces.formats.otlp_bytes import messages
from agentops_sdk.traces.formats.parquet_lines import parquet_lines
from agentops_sdk.traces.formats.parse import looks_like_record
from agentops_sdk.traces.formats.readers import DAMAGED, reader_of
from agentops_sdk.traces.places import trace_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.formats.readers import Fields, Reader

__all__ = ["span_of", "spans_in"]

_NOT_ENDED = ("running", "unfinished")
_MOST_LEVELS = 3


def spans_in(source: str | Path) -> Iterator[Span]:
    """The ended spans of a file, or of the trace files of a folder, in every format that is read here.

    Raises:
        TraceError: it does not exist, or cannot be read.
    """
    path = Path(source)
    if not path.exists():
        raise TraceError(f"{path} does not exist")
    for file in trace_files(path) if path.is_dir() else [path]:
        try:
            yield from _of_file(file)
        except (OSError, EOFError) as error:
            raise TraceError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error


def span_of(span: Any) -> Span:
    """A ``ReadableSpan`` of OpenTelemetry's."""
    attributes = dict(span.attributes or {})
    failed = span.status.status_code.name == "ERROR"
    return Span(span.name, span.kind.name, failed, _answered(attributes, failed), attributes)


def _of_file(file: Path) -> Iterator[Span]:
    waiting: dict[Reader, list[Any]] = {}
    for document in _documents(file):
        yield from _spans(document, _MOST_LEVELS, waiting)
    for reader, some in waiting.items():
        yield from _read(reader, some)


def _documents(file: Path) -> Iterator[Any]:
    form, some = form_of(file), False
    if form == PROTOBUF:
        yield from messages(read_whole(file)[0] or b"")
        return
    if form in (LINES, COLUMNS):
        for line in parquet_lines(file) if form == COLUMNS else (line for line, _ in Lines().of_file(file)):
            try:
                document = loads(line)
            except ValueError:
                continue
            some = True
            yield document
    if not some and form != COLUMNS:
        for document, damaged in documents(read_whole(file)[0] or b""):
            if not damaged:
                yield document


def _spans(document: Any, levels: int, waiting: dict[Reader, list[Any]]) -> Iterator[Span]:
    if looks_like_record(document):
        if document.get("outcome") not in _NOT_ENDED:
            yield _of_fields(document)
        return
    document = unpacked(document)
    reader = reader_of(document)
    if reader is not None and reader.together:
        waiting.setdefault(reader, []).extend(document if isinstance(document, list) else [document])
    elif reader is not None:
        yield from _read(reader, [document])
    elif isinstance(document, list) and levels:
        for item in document:
            yield from _spans(item, levels - 1, waiting)


def _read(reader: Reader, some: list[Any]) -> Iterator[Span]:
    try:
        for fields in reader.spans(some):
            if fields is not None:
                yield _of_fields(fields)
    except DAMAGED:
        return


def _of_fields(fields: Fields) -> Span:
    attributes = fields.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    failed = fields.get("status") == "error" or fields.get("outcome") == "error"
    name, kind = str(fields.get("name")), str(fields.get("span_kind") or "INTERNAL")
    return Span(name, kind, failed, _answered(attributes, failed), attributes)


def _answered(attributes: dict[str, Any], failed: bool) -> bool:
    return not failed and attributes.get("agentops.outcome", "ok") == "ok"

"""What a file is, by how it begins, and the JSON documents in one that does not hold one on each line."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, Final, cast

from agentops_sdk.traces.formats.lines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "COLUMNS",
    "LARGEST",
    "LINES",
    "MOST_FAILURES",
    "PROTOBUF",
    "WHOLE",
    "documents",
    "form_of",
    "loads",
    "read_whole",
]

_MB: Final = 1_048_576
LARGEST: Final = 512 * _MB
"""Bytes of a file that is read as a whole at most."""
LINES, WHOLE, PROTOBUF, COLUMNS = "lines", "whole", "protobuf", "columns"
"""A document on each line; documents of several lines; OTLP as bytes; Parquet."""
_PARQUET: Final = b"PAR1"
_HEAD: Final = 65_536
_BYTE_ORDER: Final = b"\xef\xbb\xbf"
_OURS: Final = re.compile(rb'^\{"v":\d')
_WIDE: Final = re.compile(rb"\xff\xfe(?:\s\0)*[{\[]\0|\xfe\xff(?:\0\s)*\0[{\[]")
"""How JSON in UTF-16 begins, which PowerShell writes."""
_SEPARATOR: Final = b"\x1e"  # before each document of a sequence, by RFC 7464
_BEGINNING: Final = re.compile(r"^[ \t\x1e]*[{\[]", re.MULTILINE)
_BETWEEN: Final = re.compile(r"[\s,\x1e]*")
MOST_FAILURES: Final = 1_000
"""Damaged documents of a file after which no further ones are looked for."""
_NUMBERS: Final = re.compile(rb"\b(?:NaN|Infinity)\b|\d{19}")


def loads(text: bytes) -> Any:
    """A JSON document, also one with ``NaN`` or with numbers of more than 64 bits in it.

    Raises:
        ValueError: it is none.
    """
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if not _NUMBERS.search(text):
            raise
    try:
        return json.loads(text, parse_constant=lambda word: None)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def form_of(path: Path) -> str:
    """How a file is to be read.

    Raises:
        OSError: it cannot be.
    """
    head = read_head(path)
    if head.startswith(_PARQUET):
        return COLUMNS
    if _is_protobuf(head):
        return PROTOBUF
    if _WIDE.match(head):
        return WHOLE
    head = head.removeprefix(_BYTE_ORDER).lstrip()
    if head[:1] in (b"[", _SEPARATOR):
        return WHOLE
    if head[:1] != b"{" or _OURS.match(head):
        return LINES
    first, newline, _ = head.partition(b"\n")
    if not newline:
        return LINES
    try:
        loads(first)
    except ValueError:
        return WHOLE
    return LINES


def read_head(path: Path) -> bytes:
    """How a file begins, unpacked; nothing of a pipe, which is read once, or where it is packed and damaged.

    Raises:
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        return b""
    _, source, packed = opened(path)
    with source:
        if not packed:
            return source.read(_HEAD) if source.seekable() else b""
        try:
            return cast("gzip.GzipFile", source).read1(_HEAD)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return b""


def read_whole(path: Path) -> tuple[bytes | None, bool]:
    """All of a file, unpacked, ``None`` where it is larger than :data:`LARGEST`; and whether its end is missing.

    Raises:
        OSError: it cannot be read.
    """
    _, source, _ = opened(path)
    data, torn = bytearray(), False
    with source:
        try:
            while len(data) <= LARGEST and (block := cast("gzip.GzipFile", source).read1(_MB)):
                data += block
        except (EOFError, zlib.error):
            torn = True
    return (bytes(data) if len(data) <= LARGEST else None), torn


def documents(data: bytes) -> Iterator[tuple[Any, bool]]:
    """The JSON documents in a file, one after another in whatever layout; True beside one that is damaged."""
    if _WIDE.match(data):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(_BYTE_ORDER)
    try:
        yield loads(data), False
        return
    except ValueError:
        pass
    text = data.decode("utf-8", "replace")
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda word: None)
    failures, start = 0, _next(text, 0)
    while start is not None and failures < MOST_FAILURES:
        try:
            document, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            failures += 1
            yield None, True
            inside = _inside(text, start)
            start = _next(text, start, outside=_indent(text, start)) if inside is None else inside
        else:
            yield document, False
            between = _BETWEEN.match(text, end)
            end = between.end() if between is not None else end
            start = end if text[end : end + 1] in ("{", "[") else _next(text, end)


def _next(text: str, position: int, outside: str | None = None) -> int | None:
    """Where the next line stands that begins a document; one that is as far left as ``outside``, if that is given."""
    if outside is not None:
        position = text.find("\n", position)
        if position < 0:
            return None
    pattern = _BEGINNING if outside is None else re.compile(rf"^{outside}[{{\[]", re.MULTILINE)
    match = pattern.search(text, position)
    return None if match is None else match.end() - 1


def _inside(text: str, position: int) -> int | None:
    """Where the first member of a list stands whose end is missing, if that is a document."""
    between = _BETWEEN.match(text, position + 1) if text[position] == "[" else None
    return between.end() if between is not None and text[between.end() : between.end() + 1] in ("{", "[") else None


def _indent(text: str, position: int) -> str:
    """What stands before a document in its line, if it is blanks: what is inside it stands further right."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before if not before.strip(" \t") else ""


def _is_protobuf(head: bytes) -> bool:
    """Whether bytes begin as a message of OTLP's traces does: a group of spans, with its resource or its spans."""
    if head[:1] == b"\x00":  # messages one after another, each with its length before it
        head = head[4:]
    if head[:1] != b"\n" or len(head) < 4:
        return False
    position = 1
    while position < min(len(head), 10) and head[position] & 0x80:
        position += 1
    inner = head[position + 1 : position + 2]
    return inner in (b"\n", b"\x12", b"\x1a") and any(byte < 9 or 13 < byte < 32 for byte in head[:200])

"""Events of a stream that follow each other and differ in nothing but a piece of text: found in bytes, read as one.

Most events of an answer are such. They are compared with the one before them, which has been parsed, and the next that
is parsed has all their texts in a row: what a fold that appends them makes of it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import orjson

__all__ = ["run_after"]

_STRING = re.compile(rb'(?:[^"\\]|\\.)*')
_PADDING = re.compile(rb' +(?=}\Z)|(?<="obfuscation":")\w+')
"""What servers add so that the length of an event does not tell the text's."""
_SPECIAL = bytes(range(0x20)) + b'"\\'
_FEWEST = 3


def run_after(blocks: Sequence[bytes], at: int, text: str) -> tuple[int, bytes]:
    """How many events from ``at`` on differ only in their text from the one before, and one that says the same as they.

    Args:
        blocks: all events as they came.
        at: where the next one is.
        text: the text in the one before.

    Returns:
        ``(0, b"")`` where there are too few to be worth it.
    """
    block, sought = blocks[at - 1], b'"%b"' % text.encode("utf-8", "replace")
    begin = block.find(sought) + 1
    if begin == 0 or block.find(b"\\") >= 0 or block.find(sought, begin) >= 0:  # escaped, it may be written in any way
        return 0, b""
    head, tail = block[:begin], block[begin + len(sought) - 2 :]
    start, shown, texts = len(head), _PADDING.sub(b"", tail), list[bytes]()
    for each in islice(blocks, at, None):
        inner = each.removeprefix(head).removesuffix(tail)  # in most only the text is left
        if len(inner) + start + len(tail) != len(each):
            string = _STRING.match(each, start) if each.startswith(head) else None
            if string is None or _PADDING.sub(b"", each[string.end() :]) != shown:
                break
            inner, tail = each[start : string.end()], each[string.end() :]
        texts.append(inner)
    whole = b"".join(texts)
    if len(texts) < _FEWEST or not (_is_simple(whole) or all(map(_is_string, texts))):
        return 0, b""
    return len(texts), head + whole + tail


def _is_simple(text: bytes) -> bool:
    """Whether it is written in JSON as it is."""
    return text.isascii() and len(text.translate(None, _SPECIAL)) == len(text)


def _is_string(text: bytes) -> bool:
    """Whether it is the whole inside of a string in JSON: half a character, say, is none."""
    try:
        return type(orjson.loads(b'"%b"' % text)) is str
    except orjson.JSONDecodeError:
        return False

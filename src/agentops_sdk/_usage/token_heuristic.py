"""A rule of thumb for the tokens of a text, for models without a tokenizer at hand.

Byte-pair tokenizers keep common words whole, split long words, numbers and code, and need about a
token for every character or two of scripts without spaces. The rule counts those pieces. Its error
on real traffic is measured in ``docs/cost.md``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

# Each kind of piece by itself: where one begins does not depend on the others, and all of a kind are found in C. What
# a pattern begins with is one set of characters, for which others are passed over several times faster.
_WORDS = re.compile(r"[A-Za-z][A-Za-z]*")
_DIGITS = re.compile(r"\d\d*")
_MARKS, _LOW_LINES = re.compile(r"[^\w\s][^\w\s]*"), re.compile(r"__*")
_LINE_ENDS = re.compile(r"[\r\n]\s*")
_INDENTS = re.compile(r"[ \t][ \t]+")
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]|([^\W\d_A-Za-z]+)")
"""Characters of scripts without spaces, one by one, or the other letters beyond ASCII."""
_OF_ASCII = {
    kind: bytes(code if kind.match(chr(code)) else 32 for code in range(128)).ljust(256)
    for kind in (_WORDS, _DIGITS, _MARKS, _LOW_LINES)
}
"""What leaves of a text in ASCII the pieces of a kind, with blanks between them: twice as fast once more."""
_LONGEST_WORD = 8


class Family(NamedTuple):
    """What a family of models adds to the text, in tokens, as seen in recorded traffic."""

    part: str
    """A part of the models' names."""
    factor: float = 1.0
    """How many tokens it makes of what most make one of."""
    prompt: int = 0
    """Added to every prompt by its chat template."""
    tools: int = 0
    """Added to a prompt that offers tools."""
    call: int = 7
    """Added to every tool call."""
    answer: int = 0
    """Added to every answer, such as the marks around hidden reasoning."""


_OTHERS = Family("")
_FAMILIES = (
    Family("claude", 1.1, tools=400, call=32),
    Family("gpt-oss", prompt=64, call=10, answer=9),
    Family("gpt-5", answer=9),
    Family("o3", answer=9),
    Family("llama-3.3", prompt=28),
    Family("llama-4", tools=680, call=18),
    Family("deepseek", tools=280, call=32),
    Family("glm", prompt=7, answer=4),
)


def tokens(text: str, model: str = "") -> int:
    """About how many tokens ``text`` is; 0 only for no text. Linear in its length."""
    if not text:
        return 0
    return max(1, round(_weight(text) * family(model).factor))


def _weight(text: str) -> float:
    ascii_text = text.encode() if text.isascii() else None
    breaks, text = _breaks(text)
    sum_ = 0.7 * breaks
    for length, times in _lengths(_WORDS, text, ascii_text):
        sum_ += times if length <= _LONGEST_WORD else times * length / 5
    for length, times in _lengths(_DIGITS, text, ascii_text):
        sum_ += times * -(-length // 3)
    for kind in (_MARKS, _LOW_LINES):
        for length, times in _lengths(kind, text, ascii_text):
            sum_ += times * max(0.8, length / 2.2)
    if ascii_text is None:
        for length, times in _lengths(_WIDE, text, None):
            sum_ += times * (max(1.0, length / 3.2) if length else 0.9)
    return sum_


def _breaks(text: str) -> tuple[int, str]:
    """Ends of lines with what is blank around them, and where none is, indents and other gaps; and the rest of it."""
    count = 0
    if "\n" in text or "\r" in text:
        *lines, last = _LINE_ENDS.split(text)
        count, text = len(lines), "\n".join((*map(str.rstrip, lines), last))
    if "  " in text or "\t" in text:
        count += len(_INDENTS.findall(text))
    return count, text


def _lengths(kind: re.Pattern[str], text: str, ascii_text: bytes | None) -> Iterable[tuple[int, int]]:
    """How long pieces of a kind are, and how many are so long; of a kind with a group, how long that is."""
    pieces = kind.findall(text) if ascii_text is None else ascii_text.translate(_OF_ASCII[kind]).split()
    return Counter(map(len, pieces)).items()


def family(model: str) -> Family:
    """The family that a model's name tells."""
    lower = model.lower()
    return next((one for one in _FAMILIES if one.part in lower), _OTHERS)

"""A rule of thumb for the tokens of a text, for models without a tokenizer at hand.

Byte-pair tokenizers keep common words whole, split long words, numbers and code, and need about a
token for every character or two of scripts without spaces. The rule counts those pieces. Its error
on real traffic is measured in ``docs/cost.md``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>\d+)|(?P<wide>[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
    r"|(?P<break>\s*[\r\n]\s*|[ \t]{2,})|(?P<space>\s)|(?P<letters>[^\W\d_A-Za-z]+)|(?P<mark>[^\w\s]+|_+)"
)
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
    sum_ = 0.0
    for piece in _PIECES.finditer(text):
        length = piece.end() - piece.start()
        match piece.lastgroup:
            case "word":
                sum_ += 1 if length <= _LONGEST_WORD else length / 5
            case "digits":
                sum_ += -(-length // 3)
            case "wide":
                sum_ += 0.9
            case "break":
                sum_ += 0.7
            case "letters":
                sum_ += max(1.0, length / 3.2)
            case "mark":
                sum_ += max(0.8, length / 2.2)
    return max(1, round(sum_ * family(model).factor))


def family(model: str) -> Family:
    """The family that a model's name tells."""
    lower = model.lower()
    return next((one for one in _FAMILIES if one.part in lower), _OTHERS)

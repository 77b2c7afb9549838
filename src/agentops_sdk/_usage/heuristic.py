"""A rule of thumb for the tokens of a text, for models without a tokenizer at hand.

Byte-pair tokenizers keep common words whole, split long words, numbers and code, and need about a
token for every character or two of scripts without spaces. The rule counts those pieces. Its error
on real traffic is measured in ``docs/cost.md``.
"""

from __future__ import annotations

import re

_PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>\d+)|(?P<wide>[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
    r"|(?P<break>\s*[\r\n]\s*|[ \t]{2,})|(?P<space>\s)|(?P<letters>[^\W\d_A-Za-z]+)|(?P<mark>[^\w\s]+|_+)"
)
_LONGEST_WORD = 8
_FAMILIES = (("claude", 1.2), ("gemini", 1.0), ("llama", 1.0), ("mistral", 1.1))
"""How many tokens a family makes of what others make one of."""


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
    return max(1, round(sum_ * factor(model)))


def factor(model: str) -> float:
    """The family's factor, by a part of the model's name."""
    lower = model.lower()
    return next((by for part, by in _FAMILIES if part in lower), 1.0)

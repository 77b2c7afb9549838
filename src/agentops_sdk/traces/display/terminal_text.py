"""Captured text made harmless for a terminal: no control character, escape or direction override gets through."""

from __future__ import annotations

import re
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern

# C0 and C1 controls, DEL, bidirectional overrides and isolates, line and paragraph separators, BOM, surrogates.
_HARMFUL: Final = lazy_pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SPACES: Final = lazy_pattern(r"[\t\n\r ]+")


def block(text: str) -> str:
    """Text that keeps its lines: harmful characters become visible escapes, tabs become spaces."""
    return _HARMFUL.sub(_visible, text.replace("\r\n", "\n").expandtabs(4))


def line(text: str, limit: int = 500) -> str:
    """Text as one line of at most ``limit`` characters; line breaks and runs of blanks become one space."""
    head = text[: limit * 2]
    flat = _HARMFUL.sub(_visible, _SPACES.sub(" ", head)).strip()
    return flat if len(flat) <= limit and len(head) == len(text) else flat[: limit - 1] + "…"


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

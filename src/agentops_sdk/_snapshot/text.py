"""Text as it may be kept: with a UTF-8 form, and with one visible mark where something was cut off.

That a value was cut is known by its type, not by its wording: a user's own text may hold the mark.
"""

from __future__ import annotations

from typing import Any, Final

from agentops_sdk.traces.formats.wire_values import utf8

__all__ = ["CUT", "CutBytes", "CutText", "clip", "encodable"]

CUT: Final = "…[+"
"""Every truncated value contains this; what follows says how much is missing: ``…[+120 chars]``."""


class CutText(str):
    """A text of which something is missing; the policy lists its attribute and writes it as plain text."""

    __slots__ = ()


class CutBytes(bytes):
    """The bytes of a :class:`CutText`."""

    __slots__ = ()

    def decode(self, *args: Any, **options: Any) -> CutText:
        return CutText(bytes.decode(self, *args, **options))


def encodable(text: str) -> str:
    """``text`` itself, or with its lone surrogates written as the escapes they have in source code."""
    if text.isascii():
        return text
    fit = utf8(text)
    return CutText(fit) if type(text) is CutText and fit is not text else fit


def clip(text: str, most: int) -> str:
    """``text`` itself, or its first characters and the mark, ``most`` bytes of UTF-8 together."""
    if len(text) <= most:
        text = encodable(text)
        if len(text) * 4 <= most or len(text.encode()) <= most:
            return text
    room = max(0, most - len(f"{CUT}{len(text)} chars]".encode()))
    head = encodable(text[:most]).encode()[:room].decode("utf-8", "ignore")
    return CutText(f"{head}{CUT}{len(text) - len(head)} chars]")

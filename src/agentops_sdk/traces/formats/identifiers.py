"""Ids as other recorders write them, as hex of the right length."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from hashlib import blake2b
from typing import Any, Final

from agentops_sdk._lazy_pattern import lazy_pattern

__all__ = ["SPAN_BYTES", "TRACE_BYTES", "decoded", "derived", "span_id_of", "trace_id_of"]

TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8
_HEX: Final = lazy_pattern("[0-9a-f]+")
_LONGEST: Final = 500


def decoded(value: Any, size: int) -> str | None:
    """An id that has ``size`` bytes as hex; ``None`` where it has not.

    Hex in capitals, with ``0x`` before it, with dashes (a UUID) or without leading zeros is understood, base64 and
    whole numbers are too, and bytes one by one.
    """
    if isinstance(value, dict):  # bytes as JavaScript writes them
        value = value.get("data", list(value.values()))
    if isinstance(value, list) and len(value) == size and all(type(each) is int and 0 <= each < 256 for each in value):
        return bytes(value).hex()
    if type(value) is int and 0 < value < 1 << 8 * size:
        return f"{value:0{2 * size}x}"
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return None
    text = value.lower().removeprefix("0x").replace("-", "")
    if len(text) <= 2 * size and _HEX.fullmatch(text):
        return text.zfill(2 * size)
    try:
        raw = b64decode(value + "=" * (-len(value) % 4), altchars=b"-_" if set(value) & set("-_") else None)
    except (Error, ValueError):
        return None
    return raw.hex() if len(raw) == size else None


def derived(value: Any, size: int) -> str:
    """An id of the right length that is always the same for the same value."""
    return blake2b(str(value).encode("utf-8", "replace"), digest_size=size).hexdigest()


def trace_id_of(value: Any) -> str:
    """A trace's id in any form; one of another length becomes one that is made from it.

    Raises:
        ValueError: there is none.
    """
    return _any_id(value, TRACE_BYTES)


def span_id_of(value: Any) -> str:
    """A span's id in any form; one of another length becomes one that is made from it.

    Raises:
        ValueError: there is none.
    """
    return _any_id(value, SPAN_BYTES)


def _any_id(value: Any, size: int) -> str:
    if value is None or value == "" or isinstance(value, dict | list | bool | float):
        raise ValueError("no id")
    text = str(value)
    bare = text.lower().removeprefix("0x").replace("-", "")
    if _HEX.fullmatch(bare) and (len(bare) == 2 * size or (len(bare) == 16 and size == TRACE_BYTES)):
        return bare.zfill(2 * size)
    return derived(text, size)

"""Tokens of a picture in a prompt, by the providers' documented rules."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import Any

_UNKNOWN = (1024, 1024)
_HEAD = 4096
"""How much of the base64 text is looked at: an image's size is in its header."""

# Model part: base tokens, tokens per tile of 512 by 512, after the longest side is 2048 and the shortest 768.
_TILES = (("gpt-4o-mini", 2833, 5667), ("o1", 75, 150), ("o3", 75, 150), ("gpt-5", 70, 140), ("gpt-4", 85, 170))


def tokens(model: str, content: Any = None) -> int:
    """Tokens of one picture; of one whose size is not known, those of 1024 by 1024 pixels."""
    width, height = size(content) or _UNKNOWN
    lower = model.lower()
    if "claude" in lower:
        scale = min(1.0, 1568 / max(width, height))
        return min(1600, math.ceil(width * scale * height * scale / 750))
    if "gemini" in lower:
        return 258 if max(width, height) <= 384 else 258 * math.ceil(width / 768) * math.ceil(height / 768)
    base, per_tile = next(((base, tile) for part, base, tile in _TILES if part in lower), (85, 170))
    scale = min(1.0, 2048 / max(width, height))
    width, height = round(width * scale), round(height * scale)
    scale = min(1.0, 768 / min(width, height))
    return base + per_tile * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def size(content: Any) -> tuple[int, int] | None:
    """Width and height of base64 PNG, GIF or JPEG data, from its first bytes."""
    if not isinstance(content, str):
        return None
    text = content[:_HEAD].partition(";base64,")[2] or content[:_HEAD]
    try:
        head = base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return None
    dimensions: tuple[int, int] | None = None
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        dimensions = struct.unpack(">II", head[16:24])
    elif head[:4] == b"GIF8" and len(head) >= 10:
        dimensions = struct.unpack("<HH", head[6:10])
    elif head[:2] == b"\xff\xd8":
        dimensions = _jpeg(head)
    return dimensions if dimensions and all(0 < side < 100_000 for side in dimensions) else None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None

"""Structures as the JSON text that an attribute holds: made once, where the span is completed."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["json_text"]


def json_text(value: Any) -> str:
    """The JSON text of plain values; what came from JSON always goes back.

    Raises:
        TypeError: of what is no JSON.
    """
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def is_json(text: str) -> bool:
    """Whether a text is a document of JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True

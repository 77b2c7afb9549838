"""Structures as the JSON text that an attribute holds."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["dumps"]


def dumps(value: Any) -> str:
    """JSON text; what came from JSON always goes back."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()

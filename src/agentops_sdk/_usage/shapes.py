"""A provider's raw usage object as attributes in the conventions' names."""

from __future__ import annotations

from typing import Any


def usage_attributes(shape: str, usage: Any) -> dict[str, Any]:
    """Token attributes of ``usage``; ``shape`` names the provider's form, such as ``openai.chat``."""
    return {}

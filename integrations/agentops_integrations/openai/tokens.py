"""Token counts of OpenAI-shaped usage objects as attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import semconv


def attributes_of(usage: Mapping[str, Any]) -> dict[str, Any]:
    inside = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    outside = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    figures = {
        semconv.USAGE_INPUT_TOKENS: usage.get("prompt_tokens", usage.get("input_tokens")),
        semconv.USAGE_OUTPUT_TOKENS: usage.get("completion_tokens", usage.get("output_tokens")),
        semconv.USAGE_CACHE_READ: inside.get("cached_tokens", usage.get("prompt_cache_hit_tokens")),
        semconv.USAGE_CACHE_CREATION: inside.get("cache_write_tokens"),
        semconv.USAGE_REASONING: outside.get("reasoning_tokens"),
    }
    return {name: value for name, value in figures.items() if isinstance(value, int)}

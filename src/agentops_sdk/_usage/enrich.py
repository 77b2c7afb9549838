"""Fills in what a span's reply did not say: where its tokens come from, and what they cost."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv


def enrich(attributes: dict[str, Any]) -> None:
    """Complete the usage of an ended model call, in place. Consumer thread only."""
    if semconv.USAGE_INPUT_TOKENS in attributes or semconv.USAGE_OUTPUT_TOKENS in attributes:
        attributes.setdefault(semconv.USAGE_SOURCE, "reported")

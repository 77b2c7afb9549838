"""Langfuse: the attributes that its SDK sets on spans of OpenTelemetry."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import (
    ERROR,
    KINDS,
    TOTAL_TOKENS,
    Row,
    Vocabulary,
    count,
    inner,
    price,
    text,
    told_by,
    word,
    written,
)

_USAGE, _COST = "langfuse.observation.usage_details", "langfuse.observation.cost_details"


def _usage(target: str, *names: str) -> tuple[Row, ...]:
    return tuple(Row(target, _USAGE, inner(name, read=count)) for name in names)


def _failed(value: Any) -> bool:
    return isinstance(value, str) and value == "ERROR"


VOCABULARY = Vocabulary(
    "Langfuse",
    (
        Row(semconv.KIND, "langfuse.observation.type", word(KINDS)),
        Row(semconv.REQUEST_MODEL, "langfuse.observation.model.name", text),
        *_usage(semconv.USAGE_INPUT_TOKENS, "input", "prompt_tokens", "input_tokens"),
        *_usage(semconv.USAGE_OUTPUT_TOKENS, "output", "completion_tokens", "output_tokens"),
        *_usage(TOTAL_TOKENS, "total", "total_tokens"),
        *_usage(semconv.USAGE_CACHE_READ, "input_cached_tokens", "cache_read_input_tokens", "input_cache_read"),
        *_usage(semconv.USAGE_CACHE_CREATION, "cache_creation_input_tokens", "input_cache_creation"),
        *_usage(semconv.USAGE_REASONING, "output_reasoning_tokens", "output_reasoning"),
        Row(semconv.COST_AMOUNT, _COST, price),
        Row(semconv.INPUT, "langfuse.observation.input", written),
        Row(semconv.OUTPUT, "langfuse.observation.output", written),
        Row(semconv.INPUT, "langfuse.trace.input", written),
        Row(semconv.OUTPUT, "langfuse.trace.output", written),
        Row(semconv.PROMPT_NAME, "langfuse.observation.prompt.name", text),
        Row(semconv.SESSION_ID, "langfuse.session.id", text),
        Row(semconv.USER_ID, "langfuse.user.id", text),
        Row(semconv.TAGS, "langfuse.trace.tags"),
        Row(ERROR, "langfuse.observation.level", told_by(_failed)),
    ),
    rank=15,
    written_by="langfuse",
)

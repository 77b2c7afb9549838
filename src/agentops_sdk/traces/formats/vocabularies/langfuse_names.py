"""Langfuse: the attributes that its SDK sets on spans of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import parsed
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


_SIDES: Final = {
    "input": ("input", "promptTokens", "prompt_tokens", "input_tokens"),
    "output": ("output", "completionTokens", "completion_tokens", "output_tokens"),
}
_TOTALS: Final = ("total", "totalTokens", "total_tokens")
_CACHE: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")


def tokens_of(usage: Mapping[str, Any], side: str) -> int | None:
    """Tokens of ``input`` or ``output``, with what came from a cache and what was thought.

    Langfuse counts those beside the rest, but keeps what it is sent, where they may be inside: the total tells.
    """
    plain = {each: _first(usage, names) for each, names in _SIDES.items()}
    own, total = plain[side], _first(usage, _TOTALS)
    if own is not None and sum(each or 0 for each in plain.values()) == total:
        return own
    parts = [
        number
        for name, value in usage.items()
        if name not in _SIDES[side] and (name.startswith(f"{side}_") or (side == "input" and name in _CACHE))
        if (number := count(value)) is not None
    ]
    return own if not parts else (own or 0) + sum(parts)


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((number for name in names if (number := count(usage.get(name))) is not None), None)


def _side(side: str) -> Callable[[Any], int | None]:
    def read(value: Any) -> int | None:
        usage = parsed(value)
        return tokens_of(usage, side) if isinstance(usage, dict) else None

    return read


def _failed(value: Any) -> bool:
    return isinstance(value, str) and value == "ERROR"


VOCABULARY = Vocabulary(
    "Langfuse",
    (
        Row(semconv.KIND, "langfuse.observation.type", word(KINDS)),
        Row(semconv.REQUEST_MODEL, "langfuse.observation.model.name", text),
        Row(semconv.USAGE_INPUT_TOKENS, _USAGE, _side("input")),
        Row(semconv.USAGE_OUTPUT_TOKENS, _USAGE, _side("output")),
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

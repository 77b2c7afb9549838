"""Logfire and pydantic-ai, in the forms they have had."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.vocabularies import (
    ERROR,
    Row,
    Vocabulary,
    count,
    has,
    inner,
    offered,
    price,
    said,
    text,
    told_by,
    written,
)

_USAGE = ("response_data", "usage")
_ERROR_LEVEL = 17


def _asked(value: Any) -> bool:
    """Whether request data are a model's: a name and what it was told."""
    value = parsed(value)
    return isinstance(value, dict) and "model" in value and ("messages" in value or "input" in value)


def _messages(value: Any) -> Any:
    return said("user")(value) if _asked(value) else None


def _before_reply(value: Any) -> Any:
    events = parsed(value)
    return [event for event in events if not _is_reply(event)] if isinstance(events, list) else events


def _reply(value: Any) -> Any:
    events = parsed(value)
    return [event for event in events if _is_reply(event)] if isinstance(events, list) else None


def _is_reply(event: Any) -> bool:
    return isinstance(event, dict) and event.get("event.name") == "gen_ai.choice"


VOCABULARY = Vocabulary(
    "Logfire",
    (
        Row(semconv.KIND, "request_data", told_by(_asked, "llm")),
        Row(semconv.KIND, "all_messages_events", has("agent")),
        Row(semconv.KIND, "pydantic_ai.all_messages", has("agent")),
        Row(semconv.KIND, "tool_arguments", has("tool")),
        Row(semconv.REQUEST_MODEL, "request_data", inner("model", read=text)),
        Row(semconv.REQUEST_MODEL, "model_name", text),
        Row(semconv.RESPONSE_MODEL, "response_data", inner("model", read=text)),
        Row(semconv.INPUT_MESSAGES, "request_data", _messages),
        Row(semconv.INPUT_MESSAGES, "events", lambda value: said("user")(_before_reply(value))),
        Row(semconv.OUTPUT_MESSAGES, "response_data", inner("message", read=said("assistant"))),
        Row(semconv.OUTPUT_MESSAGES, "response_data", inner("combined_chunk_content", read=said("assistant"))),
        Row(semconv.OUTPUT_MESSAGES, "events", lambda value: said("assistant")(_reply(value))),
        Row(semconv.TOOL_DEFINITIONS, "request_data", inner("tools", read=offered)),
        Row(semconv.TOOL_DEFINITIONS, "model_request_parameters", inner("function_tools", read=offered)),
        Row(semconv.USAGE_INPUT_TOKENS, "response_data", inner("usage", "prompt_tokens", read=count)),
        Row(semconv.USAGE_INPUT_TOKENS, "response_data", inner("usage", "input_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, "response_data", inner("usage", "completion_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, "response_data", inner("usage", "output_tokens", read=count)),
        Row(semconv.USAGE_INPUT_TOKENS, "gen_ai.aggregated_usage.input_tokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "gen_ai.aggregated_usage.output_tokens", count),
        Row(semconv.USAGE_CACHE_READ, "gen_ai.usage.details.cache_read_tokens", count),
        Row(semconv.USAGE_CACHE_READ, "gen_ai.usage.details.cache_read_input_tokens", count),
        Row(semconv.USAGE_CACHE_READ, "gen_ai.usage.details.cached_tokens", count),
        Row(semconv.USAGE_CACHE_CREATION, "gen_ai.usage.details.cache_write_tokens", count),
        Row(semconv.USAGE_CACHE_CREATION, "gen_ai.usage.details.cache_creation_input_tokens", count),
        Row(semconv.USAGE_REASONING, "gen_ai.usage.details.reasoning_tokens", count),
        Row(semconv.COST_AMOUNT, semconv.OPERATION_COST, price),
        Row(semconv.TOOL_CALL_ARGUMENTS, "tool_arguments", written),
        Row(semconv.TOOL_CALL_RESULT, "tool_response", written),
        Row(semconv.AGENT_NAME, "agent_name", text),
        Row(semconv.INPUT, "pydantic_ai.all_messages", written),
        Row(semconv.INPUT, "all_messages_events", written),
        Row(semconv.OUTPUT, "final_result", written),
        Row(semconv.TAGS, "logfire.tags"),
        Row(
            ERROR,
            "logfire.level_num",
            told_by(lambda level: isinstance(level, int) and level >= _ERROR_LEVEL),
        ),
    ),
    rank=30,
    written_by="logfire, pydantic-ai",
)

"""OpenLLMetry: what Traceloop's SDK and its instrumentations write, in the older names and the newer."""

from __future__ import annotations

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import (
    KINDS,
    TOTAL_TOKENS,
    Row,
    Vocabulary,
    count,
    lower,
    offered,
    price,
    reasons,
    said,
    text,
    word,
    written,
)

_PROPERTY = "traceloop.association.properties."

VOCABULARY = Vocabulary(
    "OpenLLMetry",
    (
        Row(semconv.KIND, "traceloop.span.kind", word(KINDS)),
        Row(semconv.KIND, "llm.request.type", word({**KINDS, "unknown": "llm"})),
        Row(semconv.PROVIDER_NAME, "llm.vendor", lower),
        Row(semconv.REQUEST_MODEL, "llm.request.model", text),
        Row(semconv.REQUEST_MODEL, "llm.model", text),
        Row(semconv.RESPONSE_MODEL, "llm.response.model", text),
        Row(semconv.RESPONSE_ID, "llm.response.id", text),
        Row(semconv.REQUEST_MAX_TOKENS, "llm.request.max_tokens", count),
        Row(semconv.REQUEST_TEMPERATURE, "llm.temperature"),
        Row(semconv.REQUEST_TOP_P, "llm.top_p"),
        Row(semconv.REQUEST_STREAM, "llm.is_streaming"),
        Row(semconv.USAGE_INPUT_TOKENS, "llm.usage.prompt_tokens", count),
        Row(semconv.USAGE_INPUT_TOKENS, "llm.usage.input_tokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "llm.usage.completion_tokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "llm.usage.output_tokens", count),
        Row(TOTAL_TOKENS, "llm.usage.total_tokens", count),
        Row(semconv.USAGE_CACHE_READ, "llm.usage.cache_read_input_tokens", count),
        Row(semconv.USAGE_CACHE_CREATION, "llm.usage.cache_creation_input_tokens", count),
        Row(semconv.USAGE_REASONING, "llm.usage.reasoning_tokens", count),
        Row(semconv.COST_AMOUNT, "llm.usage.cost", price),
        Row(semconv.COST_AMOUNT, "llm.usage.total_cost", price),
        Row(semconv.INPUT_MESSAGES, "llm.prompts.", said("user")),
        Row(semconv.OUTPUT_MESSAGES, "llm.completions.", said("assistant")),
        Row(semconv.INPUT, "llm.prompts", written),
        Row(semconv.OUTPUT, "llm.completions", written),
        Row(semconv.RESPONSE_FINISH_REASONS, "llm.response.finish_reason", reasons),
        Row(semconv.RESPONSE_FINISH_REASONS, "llm.response.stop_reason", reasons),
        Row(semconv.TOOL_DEFINITIONS, "llm.request.functions.", offered),
        Row(semconv.INPUT, "traceloop.entity.input", written),
        Row(semconv.OUTPUT, "traceloop.entity.output", written),
        Row(semconv.WORKFLOW_NAME, "traceloop.workflow.name", text),
        Row(semconv.PROMPT_NAME, "traceloop.prompt.key", text),
        Row(semconv.SESSION_ID, f"{_PROPERTY}session_id", text),
        Row(semconv.SESSION_ID, f"{_PROPERTY}conversation_id", text),
        Row(semconv.SESSION_ID, f"{_PROPERTY}thread_id", text),
        Row(semconv.SESSION_ID, f"{_PROPERTY}chat_id", text),
        Row(semconv.USER_ID, f"{_PROPERTY}user_id", text),
        Row(semconv.USER_ID, "llm.user", text),
    ),
    rank=20,
    written_by="opentelemetry-instrumentation-* of OpenLLMetry, traceloop-sdk",
)

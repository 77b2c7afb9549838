"""The Vercel AI SDK: what its telemetry writes as spans of OpenTelemetry."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import (
    TOTAL_TOKENS,
    Row,
    Vocabulary,
    count,
    lower,
    offered,
    reasons,
    said,
    text,
    written,
)

_METADATA = "ai.telemetry.metadata."
_OPERATIONS = {
    "ai.toolCall": "tool", "ai.generateText": "agent", "ai.streamText": "agent", "ai.generateObject": "task",
    "ai.streamObject": "task", "ai.embed": "task", "ai.embedMany": "task", "ai.rerank": "retriever",
}  # fmt: skip
_CALLS = {".doGenerate": "llm", ".doStream": "llm", ".doEmbed": "embedding", ".doRerank": "retriever"}
"""What calls the provider; the operation around it repeats the figures of its steps."""


def _kind(value: Any) -> str | None:
    operation = str(value).partition(" ")[0]
    call = next((kind for ending, kind in _CALLS.items() if operation.endswith(ending)), None)
    return call or _OPERATIONS.get(operation)


def _called(value: Any) -> Any:
    from agentops_sdk.traces.formats.json_values import parsed

    calls = parsed(value)
    return said("assistant")([{"role": "assistant", "tool_calls": calls}]) if isinstance(calls, list) else None


VOCABULARY = Vocabulary(
    "Vercel AI SDK",
    (
        Row(semconv.KIND, "ai.operationId", _kind),
        Row(semconv.KIND, "operation.name", _kind),
        Row(semconv.REQUEST_MODEL, "ai.model.id", text),
        Row(semconv.RESPONSE_MODEL, "ai.response.model", text),
        Row(semconv.PROVIDER_NAME, "ai.model.provider", lambda value: (lower(value) or "").partition(".")[0] or None),
        Row(semconv.RESPONSE_ID, "ai.response.id", text),
        Row(semconv.USAGE_INPUT_TOKENS, "ai.usage.inputTokens", count),
        Row(semconv.USAGE_INPUT_TOKENS, "ai.usage.promptTokens", count),
        Row(semconv.USAGE_INPUT_TOKENS, "ai.usage.tokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "ai.usage.outputTokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "ai.usage.completionTokens", count),
        Row(TOTAL_TOKENS, "ai.usage.totalTokens", count),
        Row(semconv.USAGE_CACHE_READ, "ai.usage.cachedInputTokens", count),
        Row(semconv.USAGE_CACHE_READ, "ai.usage.inputTokenDetails.cacheReadTokens", count),
        Row(semconv.USAGE_CACHE_CREATION, "ai.usage.inputTokenDetails.cacheWriteTokens", count),
        Row(semconv.USAGE_REASONING, "ai.usage.reasoningTokens", count),
        Row(semconv.USAGE_REASONING, "ai.usage.outputTokenDetails.reasoningTokens", count),
        Row(semconv.INPUT_MESSAGES, "ai.prompt.messages", said("user")),
        Row(semconv.INPUT, "ai.prompt", written),
        Row(semconv.INPUT, "ai.value", written),
        Row(semconv.OUTPUT_MESSAGES, "ai.response.toolCalls", _called),
        Row(semconv.OUTPUT_MESSAGES, "ai.result.toolCalls", _called),
        Row(semconv.OUTPUT_MESSAGES, "ai.response.text", said("assistant")),
        Row(semconv.OUTPUT_MESSAGES, "ai.result.text", said("assistant")),
        Row(semconv.OUTPUT_MESSAGES, "ai.response.object", said("assistant")),
        Row(semconv.OUTPUT, "ai.response.text", written),
        Row(semconv.OUTPUT, "ai.response.object", written),
        Row(semconv.RESPONSE_FINISH_REASONS, "ai.response.finishReason", reasons),
        Row(semconv.TOOL_DEFINITIONS, "ai.prompt.tools", offered),
        Row(semconv.TOOL_NAME, "ai.toolCall.name", text),
        Row(semconv.TOOL_CALL_ID, "ai.toolCall.id", text),
        Row(semconv.TOOL_CALL_ARGUMENTS, "ai.toolCall.args", written),
        Row(semconv.TOOL_CALL_ARGUMENTS, "ai.toolCall.input", written),
        Row(semconv.TOOL_CALL_RESULT, "ai.toolCall.result", written),
        Row(semconv.TOOL_CALL_RESULT, "ai.toolCall.output", written),
        Row(semconv.AGENT_NAME, "ai.telemetry.functionId", text),
        Row(semconv.SESSION_ID, f"{_METADATA}sessionId", text),
        Row(semconv.SESSION_ID, f"{_METADATA}session_id", text),
        Row(semconv.SESSION_ID, f"{_METADATA}threadId", text),
        Row(semconv.SESSION_ID, f"{_METADATA}chatId", text),
        Row(semconv.USER_ID, f"{_METADATA}userId", text),
        Row(semconv.USER_ID, f"{_METADATA}user_id", text),
    ),
    rank=5,
    written_by="the npm package ai",
)

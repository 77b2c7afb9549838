"""Names of smaller recorders, gateways and exporters that are written beside or in place of the others."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import (
    ERROR,
    KINDS,
    Row,
    Vocabulary,
    count,
    inner,
    offered,
    price,
    text,
    told_by,
    word,
    written,
)


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() not in ("", "false", "0", "unset", "ok", "none"))


VOCABULARY = Vocabulary(
    "Other names",
    (
        Row(semconv.KIND, "gen_ai.span.kind", word(KINDS)),
        Row(semconv.KIND, "lmnr.span.type", word(KINDS)),
        Row(semconv.KIND, "braintrust.span_attributes", inner("type", read=word(KINDS))),
        Row(semconv.KIND, "agentops.span.kind", word(KINDS)),
        Row(semconv.KIND, "span.type", word(KINDS)),
        Row(semconv.KIND, "span_type", word(KINDS)),
        Row(semconv.INPUT, "braintrust.input_json", written),
        Row(semconv.OUTPUT, "braintrust.output_json", written),
        Row(semconv.USAGE_INPUT_TOKENS, "braintrust.metrics", inner("prompt_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, "braintrust.metrics", inner("completion_tokens", read=count)),
        Row(semconv.REQUEST_MODEL, "braintrust.metadata", inner("model", read=text)),
        Row(semconv.INPUT, "lmnr.span.input", written),
        Row(semconv.OUTPUT, "lmnr.span.output", written),
        Row(semconv.INPUT, "gcp.vertex.agent.llm_request", written),
        Row(semconv.OUTPUT, "gcp.vertex.agent.llm_response", written),
        Row(semconv.TOOL_CALL_ARGUMENTS, "gcp.vertex.agent.tool_call_args", written),
        Row(semconv.TOOL_CALL_RESULT, "gcp.vertex.agent.tool_response", written),
        Row(semconv.SESSION_ID, "gcp.vertex.agent.session_id", text),
        Row(semconv.COST_AMOUNT, "litellm.response_cost", price),
        Row(semconv.COST_AMOUNT, "litellm.cost", price),
        Row(semconv.COST_AMOUNT, "response_cost", price),
        Row(semconv.COST_AMOUNT, "llm.response.cost", price),
        Row(semconv.COST_AMOUNT, "llm.cost", price),
        Row(semconv.COST_AMOUNT, "ai.usage.cost", price),
        Row(semconv.COST_AMOUNT, "cost.total", price),
        Row(semconv.COST_AMOUNT, "cost_usd", price),
        Row(semconv.COST_AMOUNT, "total_cost", price),
        Row(semconv.INPUT, "input", written),
        Row(semconv.OUTPUT, "output", written),
        Row(semconv.TOOL_DEFINITIONS, "tools", offered),
        Row(semconv.SESSION_ID, "conversation.id", text),
        Row(semconv.SESSION_ID, "session_id", text),
        Row(semconv.SESSION_ID, "thread_id", text),
        Row(semconv.SESSION_ID, "conversation_id", text),
        Row(semconv.USER_ID, "user_id", text),
        Row(ERROR, semconv.ERROR_TYPE, told_by(lambda value: bool(text(value)))),
        Row(ERROR, "error", told_by(_is_true)),
        Row(ERROR, "otel.status_code", told_by(lambda value: str(value).upper() in ("ERROR", "STATUS_CODE_ERROR"))),
    ),
    rank=90,
    written_by="Braintrust, Laminar, LiteLLM, Google ADK, Pipecat, Jaeger, Zipkin",
)

"""The columns of the view ``spans`` that come from an attribute: a row for each, whatever engine reads it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from agentops_sdk import semconv

__all__ = ["FIELDS", "SPAN_COLUMNS", "SpanColumn"]

FIELDS: Final = (
    "trace_id", "span_id", "parent_id", "name", "kind", "span_kind", "status", "status_message", "outcome",
    "start_ns", "end_ns", "start_time", "end_time", "duration_s", "service", "scope", "model",
)  # fmt: skip
"""What every span has, or is worked out; of a span that has not ended ``end_ns``, ``end_time`` and ``duration_s`` are
null."""


class SpanColumn(NamedTuple):
    """One column.

    Attributes:
        name: the column's.
        type: ``json`` is the text of a list or an object.
        attributes: the first of them that is there.
        resource: whether they stand on the resource instead of the span.
        indexed: whether the schema for ClickHouse keeps it as a column with an index.
    """

    name: str
    type: Literal["text", "integer", "number", "boolean", "json"]
    attributes: tuple[str, ...]
    resource: bool = False
    indexed: bool = False


def _column(
    name: str,
    kind: Literal["text", "integer", "number", "boolean", "json"],
    *attributes: str,
    resource: bool = False,
    indexed: bool = False,
) -> SpanColumn:
    return SpanColumn(name, kind, attributes, resource, indexed)


def _both(name: str) -> tuple[str, str]:
    """What an attribute is called in both states of the conventions."""
    return name, semconv.MAIN_NAMES[name]


SPAN_COLUMNS: Final = (
    _column("operation", "text", semconv.OPERATION_NAME, indexed=True),
    _column("provider", "text", semconv.PROVIDER_NAME, indexed=True),
    _column("request_model", "text", semconv.REQUEST_MODEL, indexed=True),
    _column("response_model", "text", semconv.RESPONSE_MODEL, indexed=True),
    _column("response_id", "text", semconv.RESPONSE_ID),
    _column("finish_reasons", "json", semconv.RESPONSE_FINISH_REASONS),
    _column("agent", "text", semconv.AGENT_NAME, indexed=True),
    _column("tool", "text", semconv.TOOL_NAME, indexed=True),
    _column("session_id", "text", semconv.SESSION_ID, semconv.CONVERSATION_ID, indexed=True),
    _column("conversation_id", "text", semconv.CONVERSATION_ID, indexed=True),
    _column("user_id", "text", semconv.USER_ID, indexed=True),
    _column("tags", "json", semconv.TAGS),
    _column("service_version", "text", "service.version", resource=True, indexed=True),
    _column("environment", "text", "deployment.environment.name", "deployment.environment", resource=True),
    _column("input_tokens", "integer", semconv.USAGE_INPUT_TOKENS, indexed=True),
    _column("output_tokens", "integer", semconv.USAGE_OUTPUT_TOKENS, indexed=True),
    _column("cache_read_tokens", "integer", semconv.USAGE_CACHE_READ),
    _column("cache_creation_tokens", "integer", semconv.USAGE_CACHE_CREATION, semconv.USAGE_CACHE_WRITE),
    _column("reasoning_tokens", "integer", semconv.USAGE_REASONING),
    _column("cache_creation_5m_tokens", "integer", semconv.USAGE_CACHE_CREATION_5M),
    _column("cache_creation_1h_tokens", "integer", semconv.USAGE_CACHE_CREATION_1H),
    _column("audio_input_tokens", "integer", *_both(semconv.USAGE_AUDIO_INPUT)),
    _column("audio_output_tokens", "integer", *_both(semconv.USAGE_AUDIO_OUTPUT)),
    _column("audio_cache_read_tokens", "integer", *_both(semconv.USAGE_AUDIO_CACHE_READ)),
    _column("image_input_tokens", "integer", *_both(semconv.USAGE_IMAGE_INPUT)),
    _column("image_output_tokens", "integer", *_both(semconv.USAGE_IMAGE_OUTPUT)),
    _column("accepted_prediction_tokens", "integer", semconv.USAGE_ACCEPTED_PREDICTION),
    _column("rejected_prediction_tokens", "integer", semconv.USAGE_REJECTED_PREDICTION),
    _column("trained_tokens", "integer", semconv.USAGE_TRAINED),
    _column("usage_source", "text", semconv.USAGE_SOURCE),
    _column("usage_of", "text", semconv.USAGE_OF),
    _column("cost", "number", semconv.COST_AMOUNT, semconv.OPERATION_COST, indexed=True),
    _column("currency", "text", semconv.COST_CURRENCY),
    _column("cost_estimated", "boolean", semconv.COST_ESTIMATED),
    _column("cost_is_total", "boolean", semconv.COST_TOTAL),
    _column("cost_unknown_reason", "text", semconv.COST_UNKNOWN_REASON),
    _column("first_chunk_s", "number", semconv.RESPONSE_TIME_TO_FIRST_CHUNK),
    _column("cached", "boolean", semconv.CACHED),
    _column("missing_spans", "integer", semconv.MISSING_SPANS),
    _column("sampled_elsewhere", "boolean", semconv.SAMPLED_ELSEWHERE),
    _column("reveals", "json", semconv.ATTEMPTS, semconv.ATTEMPT, semconv.GUARDRAIL_RESULT),
    _column("error_type", "text", semconv.ERROR_TYPE, indexed=True),
    _column("prompt_name", "text", semconv.PROMPT_NAME),
    _column("prompt_version", "text", semconv.PROMPT_VERSION),
    _column("prompt_fingerprint", "text", semconv.PROMPT_FINGERPRINT),
    _column("decision", "text", semconv.DECISION_NAME),
    _column("chosen", "text", semconv.DECISION_CHOSEN),
    _column("confidence", "number", semconv.DECISION_CONFIDENCE),
    _column("decided_by", "text", semconv.DECISION_BY),
    _column("feedback_trace_id", "text", semconv.FEEDBACK_TRACE_ID),
    _column("feedback_span_id", "text", semconv.FEEDBACK_SPAN_ID),
    _column("feedback_target", "text", semconv.FEEDBACK_TARGET),
)
"""To add a column, add a row. Null where a span does not tell: an unknown cost is null and never 0."""

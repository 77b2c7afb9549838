"""LangSmith: the attributes that its SDK sets on spans of OpenTelemetry."""

from __future__ import annotations

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import KINDS, Row, Vocabulary, inner, text, word

_METADATA = "langsmith.metadata."

VOCABULARY = Vocabulary(
    "LangSmith",
    (
        Row(semconv.KIND, "langsmith.span.kind", word(KINDS)),
        Row(semconv.REQUEST_MODEL, f"{_METADATA}ls_model_name", text),
        Row(semconv.PROVIDER_NAME, f"{_METADATA}ls_provider", text),
        Row(semconv.SESSION_ID, f"{_METADATA}session_id", text),
        Row(semconv.SESSION_ID, f"{_METADATA}conversation_id", text),
        Row(semconv.SESSION_ID, f"{_METADATA}thread_id", text),
        Row(semconv.USER_ID, f"{_METADATA}user_id", text),
        Row(semconv.SESSION_ID, "langsmith.metadata", inner("session_id", read=text)),
        Row(semconv.USER_ID, "langsmith.metadata", inner("user_id", read=text)),
    ),
    rank=16,
    written_by="langsmith",
)

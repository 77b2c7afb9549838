"""Langtrace: the names that its SDK wrote before it took those of the conventions."""

from __future__ import annotations

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import TOTAL_TOKENS, Row, Vocabulary, count, inner, lower, word, written

_TOKENS = "llm.token.counts"
_KINDS = {"llm": "llm", "vectordb": "retriever", "framework": "task"}

VOCABULARY = Vocabulary(
    "Langtrace",
    (
        Row(semconv.KIND, "langtrace.service.type", word(_KINDS)),
        Row(semconv.PROVIDER_NAME, "langtrace.service.name", lower),
        Row(semconv.USAGE_INPUT_TOKENS, _TOKENS, inner("input_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, _TOKENS, inner("output_tokens", read=count)),
        Row(TOTAL_TOKENS, _TOKENS, inner("total_tokens", read=count)),
        Row(semconv.OUTPUT, "llm.responses", written),
    ),
    rank=40,
    written_by="langtrace-python-sdk, @langtrase/typescript-sdk",
)

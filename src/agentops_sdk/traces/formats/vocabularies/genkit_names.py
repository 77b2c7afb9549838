"""Genkit: what its actions write on their spans."""

from __future__ import annotations

import re
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import ERROR, Row, Vocabulary, count, inner, text, told_by, word, written

_KINDS: Final = {
    "model": "llm", "background-model": "llm", "tool": "tool", "tool.v2": "tool", "flow": "workflow", "agent": "agent",
    "embedder": "embedding", "retriever": "retriever", "reranker": "retriever", "indexer": "task",
    "evaluator": "task", "prompt": "task", "executable-prompt": "task",
}  # fmt: skip
_MODEL: Final = re.compile(r"\{([^{},]+),t:action,s:(?:background-)?model\}$")
_USAGE: Final = "genkit:output"


def _model(path: Any) -> str | None:
    last = _MODEL.search(path) if isinstance(path, str) else None
    return last[1] if last is not None else None


VOCABULARY = Vocabulary(
    "Genkit",
    (
        Row(semconv.KIND, "genkit:metadata:subtype", word(_KINDS)),
        Row(semconv.REQUEST_MODEL, "genkit:path", _model),
        Row(semconv.REQUEST_MODEL, "genkit:qualifiedPath", _model),
        Row(semconv.USAGE_INPUT_TOKENS, _USAGE, inner("usage", "inputTokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, _USAGE, inner("usage", "outputTokens", read=count)),
        Row(semconv.USAGE_CACHE_READ, _USAGE, inner("usage", "cachedContentTokens", read=count)),
        Row(semconv.INPUT, "genkit:input", written),
        Row(semconv.OUTPUT, "genkit:output", written),
        Row(semconv.SESSION_ID, "genkit:sessionId", text),
        Row(ERROR, "genkit:state", told_by(lambda state: state == "error")),
    ),
    rank=45,
    written_by="Genkit",
)

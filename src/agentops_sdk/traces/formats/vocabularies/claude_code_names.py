"""Claude Code: the spans that it exports by itself, when it is told to."""

from __future__ import annotations

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import (
    CACHED_BESIDE,
    ERROR,
    Row,
    Vocabulary,
    count,
    has,
    told_by,
    word,
)

_KINDS = {
    "interaction": "agent", "llm_request": "llm", "tool": "tool", "tool.execution": "task",
    "tool.blocked_on_user": "task", "hook": "task",
}  # fmt: skip

VOCABULARY = Vocabulary(
    "Claude Code",
    (
        Row(semconv.KIND, "span.type", word(_KINDS)),
        Row(semconv.USAGE_INPUT_TOKENS, "input_tokens", count),
        Row(semconv.USAGE_OUTPUT_TOKENS, "output_tokens", count),
        Row(semconv.USAGE_CACHE_READ, "cache_read_tokens", count),
        Row(semconv.USAGE_CACHE_CREATION, "cache_creation_tokens", count),
        Row(CACHED_BESIDE, "cache_read_tokens", has("beside")),
        Row(CACHED_BESIDE, "cache_creation_tokens", has("beside")),
        Row(semconv.AGENT_NAME, "interaction.sequence", has("Claude Code")),
        Row(ERROR, "success", told_by(lambda value: str(value).lower() == "false")),
    ),
    rank=85,
    written_by="Claude Code",
)

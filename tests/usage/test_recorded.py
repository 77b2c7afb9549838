"""Every recorded exchange with usage: tokens as the provider told them, cost as its published price makes it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.usage.published import ROWS
from tests.usage.recorded import Exchange, exchanges, needs_recordings

from agentops_sdk._usage.cost_of_call import cost_of
from agentops_sdk._usage.enrich import enrich
from agentops_sdk.integration import semconv, usage_attributes

pytestmark = needs_recordings()
EXCHANGES = exchanges()
UNPRICED = {
    ("aws.bedrock", "minimax.minimax-m2"),
    ("aws.bedrock", "zai.glm-4.7-flash"),
    ("cerebras", "qwen-3-coder-480b"),
    ("cohere", "rerank-multilingual-v2.0"),
    ("crusoe", "zai/GLM-5.2"),
    ("deepseek", "deepseek-chat"),  # retired: today's price of it is nobody's
    ("groq", "groq/compound"),  # several models behind one name
    ("huggingface", "deepseek-ai/DeepSeek-R1"),  # a router: whoever answered sets the price
    ("mistral_ai", "mistral-large-latest"),  # Large 3 or Large 4, by the day
    ("ollama", "gemma3:1b"),
    ("ollama", "llama3.1"),
    ("ollama", "qwen3.6:latest"),
    ("openai", "davinci:2023-07-21-v2"),  # a recorder's own fine-tune
    ("openai", "facebook/opt-125m"),
    ("openai", "gpt-oss:20b"),
    ("openai", "llama-3.3-70b-versatile"),
    ("openai", "qwen3:0.6b"),
}
"""Models that nobody published a price of, as far as we know; a local server answers under ``openai``."""


def of(told: dict[str, Any], *path: str) -> int:
    for name in path:
        told = told.get(name) or {}  # type: ignore[assignment]  # what is at the end is no dictionary
    return told or 0  # type: ignore[return-value]  # what is at the end is no dictionary


def raw_totals(one: Exchange) -> tuple[int, int]:
    """Input and output of a raw usage object by the provider's own words, worked out apart from the code under test."""
    told = one.usage
    if one.shape == "anthropic.messages" or (one.shape == "bedrock.invoke" and "input_tokens" in told):
        given = sum(of(told, n) for n in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
        return given, of(told, "output_tokens")
    if one.shape.startswith("gemini"):
        given = of(told, "promptTokenCount") + of(told, "toolUsePromptTokenCount")
        made = of(told, "candidatesTokenCount") + of(told, "thoughtsTokenCount")
        if "totalTokenCount" in told:
            assert given + made == told["totalTokenCount"]
        return given, made
    if one.shape == "bedrock.converse" or "inputTokens" in told:
        given = of(told, "inputTokens") + of(told, "cacheReadInputTokens") + of(told, "cacheWriteInputTokens")
        if "totalTokens" in told:
            assert given + of(told, "outputTokens") == told["totalTokens"]
        return given, of(told, "outputTokens")
    if "inputTextTokenCount" in told:
        return told["inputTextTokenCount"], sum(result["tokenCount"] for result in told["results"])
    if one.shape.startswith("cohere"):
        return of(told, "billed_units", "input_tokens"), of(told, "billed_units", "output_tokens")
    if one.shape.startswith("ollama"):
        return told["prompt_eval_count"], told["eval_count"]
    given = of(told, "prompt_tokens") or of(told, "input_tokens")
    made = of(told, "completion_tokens") or of(told, "output_tokens")
    if made and "total_tokens" in told:
        assert given + made == told["total_tokens"]
    return given, made


@pytest.mark.parametrize("one", EXCHANGES, ids=[one.id for one in EXCHANGES])
def test_tokens_are_what_the_provider_told(one: Exchange) -> None:
    attributes = usage_attributes(one.shape, one.usage)
    given, made = raw_totals(one)
    assert attributes.get(semconv.USAGE_INPUT_TOKENS, 0) == given
    assert attributes.get(semconv.USAGE_OUTPUT_TOKENS, 0) == made
    told = one.usage
    cached = (
        of(told, "prompt_tokens_details", "cached_tokens")
        or of(told, "input_tokens_details", "cached_tokens")
        or of(told, "cache_read_input_tokens")
        or of(told, "cacheReadInputTokens")
        or of(told, "num_cached_tokens")
        or of(told, "cached_tokens")
    )
    if not (one.provider == "cohere" and cached > given):
        assert attributes.get(semconv.USAGE_CACHE_READ, 0) == cached
    thought = (
        of(told, "completion_tokens_details", "reasoning_tokens")
        or of(told, "output_tokens_details", "reasoning_tokens")
        or of(told, "output_tokens_details", "thinking_tokens")
        or of(told, "thoughtsTokenCount")
    )
    assert attributes.get(semconv.USAGE_REASONING, 0) == thought
    written = of(told, "cache_creation_input_tokens") or of(told, "prompt_tokens_details", "cache_write_tokens")
    written = written or of(told, "input_tokens_details", "cache_write_tokens") or of(told, "cacheWriteInputTokens")
    assert attributes.get(semconv.USAGE_CACHE_CREATION, 0) == written
    for lifetime, name in (("5m", semconv.USAGE_CACHE_CREATION_5M), ("1h", semconv.USAGE_CACHE_CREATION_1H)):
        assert attributes.get(name, 0) == of(told, "cache_creation", f"ephemeral_{lifetime}_input_tokens")


@pytest.mark.parametrize("one", EXCHANGES, ids=[one.id for one in EXCHANGES])
def test_every_exchange_has_a_source_and_a_cost_or_a_reason(one: Exchange) -> None:
    attributes = usage_attributes(one.shape, one.usage)
    attributes |= {
        semconv.KIND: "embedding" if "embed" in one.shape else "llm",
        semconv.OUTCOME: "ok",
        semconv.PROVIDER_NAME: one.provider,
        semconv.RESPONSE_MODEL: one.model,
    }
    enrich(attributes)
    if semconv.USAGE_INPUT_TOKENS in attributes:
        assert attributes[semconv.USAGE_SOURCE] == "reported"
    has_audio = semconv.USAGE_AUDIO_INPUT in attributes
    if (one.provider, one.model) in UNPRICED or has_audio:
        assert attributes[semconv.COST_UNKNOWN_REASON]
        assert semconv.COST_AMOUNT not in attributes
    else:
        assert isinstance(attributes[semconv.COST_AMOUNT], float)
        assert attributes[semconv.COST_SOURCE]
        assert semconv.COST_UNKNOWN_REASON not in attributes
        if "cost" in one.usage:
            # With a key of the user's own, the provider behind OpenRouter bills the rest.
            upstream = one.usage["cost_details"]["upstream_inference_cost"] if one.usage.get("is_byok") else 0
            assert attributes[semconv.COST_AMOUNT] == one.usage["cost"] + upstream
            assert attributes[semconv.COST_SOURCE] == "provider"


def test_recorded_calls_cost_what_was_published() -> None:
    """The recorded tokens times the hand-written rates, for every recorded model that has a row."""
    rows = {(row[0], row[1].removeprefix("models/")): row for row in ROWS}
    checked: Counter[tuple[str, str]] = Counter()
    for one in EXCHANGES:
        row = rows.get((one.provider, one.model.removeprefix("models/")))
        attributes = usage_attributes(one.shape, one.usage)
        if row is None or semconv.USAGE_AUDIO_INPUT in attributes:
            continue
        _, _, date, input_rate, cached_rate, output_rate, _ = row
        given, made = raw_totals(one)
        read = attributes.get(semconv.USAGE_CACHE_READ, 0)
        written = attributes.get(semconv.USAGE_CACHE_CREATION, 0)
        rate = Decimal(input_rate)
        by_hand = (given - read - written) * rate + read * Decimal(cached_rate or input_rate)
        by_hand += written * rate * Decimal("1.25") + made * Decimal(output_rate or 0)
        tier = attributes.get(semconv.USAGE_SERVICE_TIER)
        if tier == "on_demand_flex":
            by_hand, date = by_hand / 2, "2026-11-01"
        counts = {"input": given, "output": made, "cache_read": read, "cache_creation": written}
        at = datetime.fromisoformat(date).replace(tzinfo=UTC)
        cost = cost_of([one.model], one.provider, counts, tier=tier, at=at)
        assert cost.amount == by_hand / 1_000_000, (one.id, cost, by_hand)
        checked[one.provider, one.model] += 1
    assert len(checked) >= 35, checked
    assert sum(checked.values()) >= 200, sum(checked.values())

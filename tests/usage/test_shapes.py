"""Every provider's usage object, written by hand: the same rule on every span, whoever counted."""

from __future__ import annotations

from typing import Any

import pytest

from agentops_sdk.integration import semconv, usage_attributes

IN, OUT = semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS
READ, WRITTEN, REASONING = semconv.USAGE_CACHE_READ, semconv.USAGE_CACHE_CREATION, semconv.USAGE_REASONING

CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "openai.chat",
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 10},
            "completion_tokens_details": {
                "reasoning_tokens": 20,
                "audio_tokens": 5,
                "accepted_prediction_tokens": 3,
                "rejected_prediction_tokens": 2,
            },
        },
        {
            IN: 100,
            OUT: 50,
            READ: 64,
            REASONING: 20,
            semconv.USAGE_AUDIO_INPUT: 10,
            semconv.USAGE_AUDIO_OUTPUT: 5,
            semconv.USAGE_ACCEPTED_PREDICTION: 3,
            semconv.USAGE_REJECTED_PREDICTION: 2,
        },
    ),
    (
        "openai.responses",
        {
            "input_tokens": 80,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 40},
            "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 110,
        },
        {IN: 80, OUT: 30, READ: 0, WRITTEN: 40, REASONING: 0},
    ),
    ("openai.embeddings", {"prompt_tokens": 7, "total_tokens": 7}, {IN: 7}),
    ("openai.completions", {"prompt_tokens": 8, "completion_tokens": 9, "total_tokens": 17}, {IN: 8, OUT: 9}),
    (
        "openai.images",
        {
            "input_tokens": 50,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            "output_tokens": 4160,
            "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0},
        },
        {
            IN: 50,
            OUT: 4160,
            semconv.USAGE_IMAGE_INPUT: 40,
            semconv.USAGE_IMAGE_OUTPUT: 4160,
            semconv.USAGE_TEXT_INPUT: 10,
        },
    ),
    (
        "openai.transcription",
        {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
            "output_tokens": 45,
            "total_tokens": 59,
        },
        {IN: 14, OUT: 45, semconv.USAGE_AUDIO_INPUT: 14},
    ),
    ("openai.transcription", {"type": "duration", "seconds": 42}, {semconv.USAGE_AUDIO_SECONDS: 42.0}),
    (
        "openai.chat",  # DeepSeek
        {
            "prompt_tokens": 563,
            "completion_tokens": 116,
            "prompt_cache_hit_tokens": 512,
            "prompt_cache_miss_tokens": 51,
        },
        {IN: 563, OUT: 116, READ: 512},
    ),
    ("openai.chat", {"prompt_tokens": 64, "completion_tokens": 6, "num_cached_tokens": 32}, {IN: 64, OUT: 6, READ: 32}),
    ("openai.chat", {"prompt_tokens": 46, "completion_tokens": 45, "cached_tokens": 3}, {IN: 46, OUT: 45, READ: 3}),
    (
        "openai.chat",  # xAI counts reasoning beside the answer
        {
            "prompt_tokens": 30,
            "completion_tokens": 10,
            "total_tokens": 340,
            "completion_tokens_details": {"reasoning_tokens": 300},
            "cost_in_usd_ticks": 12_345_000,
        },
        {
            IN: 30,
            OUT: 310,
            REASONING: 300,
            semconv.COST_AMOUNT: 0.0012345,
            semconv.COST_CURRENCY: "USD",
            semconv.COST_SOURCE: "provider",
        },
    ),
    (
        "openai.chat",  # OpenRouter
        {
            "prompt_tokens": 2572,
            "completion_tokens": 63,
            "cost": 0.01058775,
            "is_byok": False,
            "cost_details": {"upstream_inference_cost": 0.01058775},
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 2569},
        },
        {
            IN: 2572,
            OUT: 63,
            READ: 0,
            WRITTEN: 2569,
            semconv.COST_AMOUNT: 0.01058775,
            semconv.COST_CURRENCY: "USD",
            semconv.COST_SOURCE: "provider",
        },
    ),
    (
        "openai.chat",  # OpenRouter with a key of the user's own: its fee and what the provider bills
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "cost": 0.0005,
            "is_byok": True,
            "cost_details": {"upstream_inference_cost": 0.01},
        },
        {
            IN: 10,
            OUT: 5,
            semconv.COST_AMOUNT: 0.0105,
            semconv.COST_CURRENCY: "USD",
            semconv.COST_SOURCE: "provider",
        },
    ),
    (
        "anthropic.messages",  # cached tokens beside the input
        {
            "input_tokens": 3,
            "cache_creation_input_tokens": 418,
            "cache_read_input_tokens": 1111,
            "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 18},
            "output_tokens": 33,
            "output_tokens_details": {"thinking_tokens": 12},
            "server_tool_use": {"web_search_requests": 2},
            "service_tier": "standard",
            "inference_geo": "us",
        },
        {
            IN: 1532,
            OUT: 33,
            READ: 1111,
            WRITTEN: 418,
            REASONING: 12,
            semconv.USAGE_CACHE_CREATION_5M: 400,
            semconv.USAGE_CACHE_CREATION_1H: 18,
            semconv.USAGE_WEB_SEARCHES: 2,
            semconv.USAGE_SERVICE_TIER: "standard",
            semconv.USAGE_INFERENCE_GEO: "us",
        },
    ),
    (
        "anthropic.messages",  # a compaction is billed as well
        {
            "input_tokens": 100,
            "output_tokens": 10,
            "iterations": [
                {"type": "compaction", "input_tokens": 5000, "output_tokens": 300},
                {"type": "message", "input_tokens": 100, "output_tokens": 10},
            ],
        },
        {IN: 5100, OUT: 310},
    ),
    (
        "gemini.generate",
        {
            "promptTokenCount": 427,
            "candidatesTokenCount": 122,
            "toolUsePromptTokenCount": 771,
            "thoughtsTokenCount": 447,
            "cachedContentTokenCount": 100,
            "totalTokenCount": 1767,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 400}, {"modality": "AUDIO", "tokenCount": 27}],
            "serviceTier": "flex",
        },
        {
            IN: 1198,
            OUT: 569,
            READ: 100,
            REASONING: 447,
            semconv.USAGE_TOOL_USE: 771,
            semconv.USAGE_AUDIO_INPUT: 27,
            semconv.USAGE_TEXT_INPUT: 400,
            semconv.USAGE_SERVICE_TIER: "flex",
        },
    ),
    (
        "vertex",  # as the Python client spells it, enumerations as numbers
        {
            "prompt_token_count": 25,
            "candidates_token_count": 8,
            "thoughts_token_count": 406,
            "total_token_count": 439,
            "prompt_tokens_details": [{"modality": 2, "token_count": 20}],
            "traffic_type": "ON_DEMAND",
        },
        {IN: 25, OUT: 414, REASONING: 406, semconv.USAGE_IMAGE_INPUT: 20, semconv.USAGE_SERVICE_TIER: "on_demand"},
    ),
    (
        "bedrock.converse",  # cached tokens beside the input
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 315,
            "cacheReadInputTokens": 200,
            "cacheWriteInputTokens": 100,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
        },
        {
            IN: 310,
            OUT: 5,
            READ: 200,
            WRITTEN: 100,
            semconv.USAGE_CACHE_CREATION_5M: 40,
            semconv.USAGE_CACHE_CREATION_1H: 60,
        },
    ),
    ("bedrock.invoke", {"inputTextTokenCount": 9, "results": [{"tokenCount": 4}, {"tokenCount": 5}]}, {IN: 9, OUT: 9}),
    ("bedrock.invoke.llama", {"prompt_token_count": 12, "generation_token_count": 34}, {IN: 12, OUT: 34}),
    (
        "bedrock.invoke.anthropic",
        {"usage": {"input_tokens": 4, "cache_read_input_tokens": 100, "output_tokens": 50}},
        {IN: 104, OUT: 50, READ: 100},
    ),
    (
        "bedrock.invoke",
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 17, "outputTokenCount": 3}},
        {IN: 17, OUT: 3},
    ),
    (
        "cohere.chat",
        {
            "billed_units": {"input_tokens": 701, "output_tokens": 86},
            "tokens": {"input_tokens": 1199, "output_tokens": 88},
            "cached_tokens": 448,
        },
        {IN: 701, OUT: 86, READ: 448},
    ),
    (
        "cohere.chat",  # cached tokens are not billed units: more of them than of all billed input
        {"billed_units": {"input_tokens": 2406, "output_tokens": 2}, "cached_tokens": 2928},
        {IN: 2406, OUT: 2},
    ),
    ("cohere.embed", {"billed_units": {"input_tokens": 208}}, {IN: 208}),
    ("cohere.rerank", {"billed_units": {"search_units": 1}}, {semconv.USAGE_SEARCH_UNITS: 1}),
    ("ollama", {"prompt_eval_count": 26, "eval_count": 298, "total_duration": 5}, {IN: 26, OUT: 298}),
]


@pytest.mark.parametrize(("shape", "usage", "expected"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_a_usage_object_in_the_conventions_names(shape: str, usage: dict[str, Any], expected: dict[str, Any]) -> None:
    assert usage_attributes(shape, usage) == expected


HOSTILE = [None, True, False, "12", "", -1, -0.5, 1.5, float("nan"), float("inf"), 10**30, [], {}, object(), b"1"]


@pytest.mark.parametrize("value", HOSTILE, ids=[repr(value)[:20] for value in HOSTILE])
def test_what_is_no_count_is_left_out(value: object) -> None:
    for shape, usage, _ in CASES:
        spoiled = dict.fromkeys(usage, value)
        told = usage_attributes(shape, spoiled)
        assert not any(name.startswith("gen_ai.usage") for name in told), (shape, told)
        usage_attributes(shape, {name: [value] for name in usage})
        usage_attributes(shape, {name: dict.fromkeys(usage, value) for name in usage})


def test_no_object_no_attributes() -> None:
    for nothing in (None, [], "usage", 3, {}):
        assert usage_attributes("openai.chat", nothing) == {}

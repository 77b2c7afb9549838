"""What a call costs, worked out by hand from the usage object that a provider sends: one row for each kind of billing.

Each expected figure is a sum of tokens times dollars per million, as the provider's price page has them (``published``
names the pages and the days); searches and pages are by the thousand. A text in its place is why the cost is unknown:
nobody published a price for it.
"""

from __future__ import annotations

from typing import Any

import pytest

from agentops_sdk import semconv
from agentops_sdk._usage.enrich import enrich
from agentops_sdk._usage.provider_usage import usage_attributes

SONNET, OPUS, HAIKU = "claude-sonnet-4-5-20250929", "claude-opus-4-8", "claude-haiku-4-5-20251001"
Row = tuple[str, str, str, str, dict[str, Any], float | str]

CACHES = {
    "input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 2_000, "cache_creation_input_tokens": 3_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000},
}  # fmt: skip
CACHED = 100 * 3 + 2_000 * 0.30 + 1_000 * 3.75 + 2_000 * 6 + 50 * 15
THOUGHT = {"promptTokenCount": 1_000, "candidatesTokenCount": 100, "thoughtsTokenCount": 400, "totalTokenCount": 1_500}
ASKED = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
PARTS = {"prompt_tokens_details": {"cached_tokens": 600}, "completion_tokens_details": {"reasoning_tokens": 80}}
BESIDE = {"inputTokens": 100, "outputTokens": 50, "cacheReadInputTokens": 2_000, "cacheWriteInputTokens": 1_000}
CONVERSED = 100 * 3 + 2_000 * 0.30 + 1_000 * 3.75 + 50 * 15
IMAGE = {
    "input_tokens": 300, "output_tokens": 1_000, "total_tokens": 1_300,
    "input_tokens_details": {"text_tokens": 100, "image_tokens": 200},
}  # fmt: skip

ROWS: list[Row] = [
    ("cache of both ages", "anthropic", SONNET, "anthropic.messages", CACHES, CACHED),
    ("an age that is not told is five minutes", "anthropic", HAIKU, "anthropic.messages",
     {"input_tokens": 100, "output_tokens": 10, "cache_creation_input_tokens": 1_000},
     100 * 1 + 1_000 * 1.25 + 10 * 5),
    ("thinking is output", "anthropic", OPUS, "anthropic.messages",
     {"input_tokens": 1_000, "output_tokens": 500, "output_tokens_details": {"thinking_tokens": 400}},
     1_000 * 5 + 500 * 25),
    ("a batch is half", "anthropic", SONNET, "anthropic.messages", {**CACHES, "service_tier": "batch"}, CACHED / 2),
    ("the priority tier is by contract", "anthropic", SONNET, "anthropic.messages",
     {**CACHES, "service_tier": "priority"}, "contract"),
    ("searches by the thousand", "anthropic", SONNET, "anthropic.messages",
     {"input_tokens": 1_000, "output_tokens": 100, "server_tool_use": {"web_search_requests": 3}},
     1_000 * 3 + 100 * 15 + 3 * 10_000),
    ("a compaction is billed", "anthropic", SONNET, "anthropic.messages",
     {"input_tokens": 100, "output_tokens": 10, "iterations": [
         {"type": "compaction", "input_tokens": 5_000, "output_tokens": 200},
         {"type": "message", "input_tokens": 100, "output_tokens": 10}]},
     5_100 * 3 + 210 * 15),
    ("cached and reasoning", "openai", "gpt-5-2025-08-07", "openai.chat", {**ASKED, **PARTS},
     400 * 1.25 + 600 * 0.125 + 100 * 10),
    ("a batch is half", "openai", "gpt-4.1-2025-04-14", "openai.responses",
     {"input_tokens": 1_000, "output_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "tier": "batch"},
     (1_000 * 2 + 100 * 8) / 2),
    ("flexible is half", "openai", "gpt-5-2025-08-07", "openai.chat", {**ASKED, **PARTS, "tier": "flex"},
     (400 * 1.25 + 600 * 0.125 + 100 * 10) / 2),
    ("priority is double", "openai", "gpt-5-2025-08-07", "openai.chat", {**ASKED, **PARTS, "tier": "priority"},
     (400 * 1.25 + 600 * 0.125 + 100 * 10) * 2),
    ("searches by the thousand, the web's and files'", "openai", "gpt-5-2025-08-07", "openai.responses",
     {"input_tokens": 1_000, "output_tokens": 100, "web_search_calls": 3, "file_search_calls": 2},
     1_000 * 1.25 + 100 * 10 + 3 * 10_000 + 2 * 2_500),
    ("audio heard and spoken", "openai", "gpt-4o-audio-preview", "openai.chat",
     {"prompt_tokens": 1_000, "completion_tokens": 500, "prompt_tokens_details": {"audio_tokens": 800},
      "completion_tokens_details": {"audio_tokens": 400}},
     200 * 2.50 + 800 * 40 + 100 * 10 + 400 * 80),
    ("an image made", "openai", "gpt-image-1", "openai.images", IMAGE, 100 * 5 + 200 * 10 + 1_000 * 40),
    ("embeddings have no output", "openai", "text-embedding-3-small", "openai.embeddings",
     {"prompt_tokens": 10_000, "total_tokens": 10_000}, 10_000 * 0.02),
    ("thoughts are output", "gcp.gemini", "gemini-2.5-flash", "gemini.generate", THOUGHT, 1_000 * 0.30 + 500 * 2.50),
    ("cached input", "gcp.gemini", "gemini-2.5-pro", "gemini.generate",
     {**THOUGHT, "cachedContentTokenCount": 600}, 400 * 1.25 + 600 * 0.125 + 500 * 10),
    ("a long prompt costs more throughout", "gcp.vertex_ai", "gemini-2.5-pro", "gemini.generate",
     {"promptTokenCount": 300_000, "candidatesTokenCount": 100}, 300_000 * 2.50 + 100 * 15),
    ("audio has its own price", "gcp.gemini", "gemini-2.5-flash", "gemini.generate",
     {"promptTokenCount": 1_000, "candidatesTokenCount": 100,
      "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 800}, {"modality": "TEXT", "tokenCount": 200}]},
     800 * 1 + 200 * 0.30 + 100 * 2.50),
    ("a prompt that is grounded, however often", "gcp.gemini", "gemini-2.5-flash", "gemini.generate",
     {**THOUGHT, "searches": 3}, 1_000 * 0.30 + 500 * 2.50 + 35_000),
    ("each search, of later models", "gcp.gemini", "gemini-3.5-flash", "gemini.generate",
     {**THOUGHT, "searches": 3}, 1_000 * 1.50 + 500 * 9 + 3 * 14_000),
    ("pages", "mistral_ai", "mistral-ocr-2512", "openai.chat", {"pages": 5}, 5 * 2_000),
    ("cache beside the input", "aws.bedrock", f"global.anthropic.{SONNET}-v1:0", "bedrock.converse", BESIDE, CONVERSED),
    ("a region costs a tenth more", "aws.bedrock", f"us.anthropic.{SONNET}-v1:0", "bedrock.converse", BESIDE,
     CONVERSED * 1.1),
    ("billed units", "cohere", "command-a-03-2025", "cohere.chat",
     {"billed_units": {"input_tokens": 1_000, "output_tokens": 100}, "tokens": {"input_tokens": 1_500}},
     1_000 * 2.50 + 100 * 10),
    ("in its own usage", "groq", "llama-3.3-70b-versatile", "openai.chat", ASKED, 1_000 * 0.59 + 100 * 0.79),
    ("a batch is half", "groq", "llama-3.3-70b-versatile", "openai.chat", {**ASKED, "tier": "batch"},
     (1_000 * 0.59 + 100 * 0.79) / 2),
    ("a name that was retired", "deepseek", "deepseek-chat", "openai.chat",
     {**ASKED, "prompt_cache_hit_tokens": 600, "prompt_cache_miss_tokens": 400}, "retired"),
    ("its own figure", "openrouter", "anything/new", "openai.chat", {**ASKED, "cost": 0.25}, 250_000),
    ("its own figure, in ticks", "x_ai", "grok-4", "openai.chat", {**ASKED, "cost_in_usd_ticks": 2_500_000}, 250),
    ("its own figure", "perplexity", "sonar-pro", "openai.chat", {**ASKED, "cost": {"total_cost": 0.006}}, 6_000),
    ("a model nobody knows", "mistral_ai", "brand-new", "openai.chat", ASKED, "brand-new"),
    ("an advisor at its own price", "anthropic", SONNET, "anthropic.messages",
     {"input_tokens": 100, "output_tokens": 10, "iterations": [
         {"type": "advisor_message", "model": OPUS, "input_tokens": 2_000, "output_tokens": 20}]},
     100 * 3 + 10 * 15 + 2_000 * 5 + 20 * 25),
    ("images that a tool made, and searches", "openai", "gpt-5-2025-08-07", "openai.responses",
     {"input_tokens": 1_000, "output_tokens": 100, "web_search_calls": 2,
      "image_generation": {**IMAGE, "model": "gpt-image-1", "output_tokens_details": {"image_tokens": 1_000}}},
     1_000 * 1.25 + 100 * 10 + 2 * 10_000 + 100 * 5 + 200 * 10 + 1_000 * 40),
    ("a batch reads its cache at the full price", "gcp.gemini", "gemini-2.5-pro", "gemini.generate",
     {**THOUGHT, "cachedContentTokenCount": 600, "serviceTier": "batch"}, 400 * 0.625 + 600 * 0.125 + 500 * 5),
    ("the priority tier", "gcp.vertex_ai", "gemini-2.5-pro", "gemini.generate",
     {**THOUGHT, "trafficType": "ON_DEMAND_PRIORITY"}, 1_000 * 2.25 + 500 * 18),
    ("Claude's batch is half", "gcp.vertex_ai", OPUS, "anthropic.messages",
     {"input_tokens": 1_000, "output_tokens": 100, "service_tier": "batch"}, 1_000 * 2.5 + 100 * 12.5),
    ("a tier", "aws.bedrock", "amazon.nova-pro-v1:0", "bedrock.converse",
     {"inputTokens": 1_000, "outputTokens": 100, "tier": "priority"}, 1_000 * 1.4 + 100 * 5.6),
    ("a region that costs more", "aws.bedrock", "eu.amazon.nova-pro-v1:0", "bedrock.converse",
     {"inputTokens": 1_000, "outputTokens": 100, "tier": "flex"}, (1_000 * 1.05 + 100 * 4.2) / 2),
    ("a long prompt costs more throughout", "aws.bedrock", f"global.anthropic.{SONNET}-v1:0", "bedrock.converse",
     {"inputTokens": 300_000, "outputTokens": 100}, 300_000 * 6 + 100 * 22.5),
    ("a batch is half", "azure.ai.openai", "gpt-5.1", "openai.chat", {**ASKED, "tier": "batch"},
     (1_000 * 1.25 + 100 * 10) / 2),
    ("searches", "cohere", "rerank-v3.5", "cohere.rerank", {"billed_units": {"search_units": 3}}, 3 * 2_000),
    ("embeddings of texts and images", "cohere", "embed-v4.0", "cohere.embed",
     {"billed_units": {"input_tokens": 1_000, "image_tokens": 500}}, 1_000 * 0.12 + 500 * 0.47),
    ("cached", "mistral_ai", "mistral-large-2512", "openai.chat",
     {**ASKED, "prompt_tokens_details": {"cached_tokens": 600}}, 400 * 0.5 + 600 * 0.05 + 100 * 1.5),
    ("annotated pages", "mistral_ai", "mistral-ocr-2512", "openai.chat", {"pages": 5, "annotated": 2},
     3 * 2_000 + 2 * 3_000),
    ("speech by the character", "openai", "tts-1-hd", "openai.chat", {"characters": 1_000}, 1_000 * 30),
    ("speech by the token", "openai", "gpt-4o-mini-tts", "openai.chat",
     {"input_tokens": 1_000, "output_tokens": 100, "characters": 4_000}, 1_000 * 0.6 + 100 * 12),
    ("speech of which no tokens are told", "openai", "gpt-4o-mini-tts", "openai.chat", {"characters": 4_000},
     "no price for characters"),
    ("searches that nobody counts", "openai", "gpt-4o-search-preview-2025-03-11", "openai.chat", ASKED,
     "no reply tells how many"),
    ("a name that stands for another model", "mistral_ai", "magistral-medium-latest", "openai.chat", ASKED,
     1_000 * 1.5 + 100 * 7.5),
    ("in and out", "together", "openai/gpt-oss-120b", "openai.chat", ASKED, 1_000 * 0.15 + 100 * 0.6),
    ("in and out", "cerebras", "gpt-oss-120b", "openai.chat", ASKED, 1_000 * 0.35 + 100 * 0.75),
    ("a long prompt costs more throughout", "x_ai", "grok-4.7", "openai.chat",
     {"prompt_tokens": 300_000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 100_000}},
     200_000 * 4 + 100_000 * 1 + 100 * 12),
    ("a name that stands for another model", "x_ai", "grok-code-fast-1", "openai.chat", ASKED, 1_000 * 1 + 100 * 2),
    ("a model of one's own", "ollama", "llama3.1", "ollama", {"prompt_eval_count": 10, "eval_count": 5}, "llama3.1"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[1]}: {row[0]}" for row in ROWS])
def test_a_cost_worked_out_by_hand(row: Row) -> None:
    _, provider, model, shape, usage, expected = row
    beside = {
        semconv.USAGE_SERVICE_TIER: usage.get("tier"), semconv.USAGE_WEB_SEARCHES: usage.get("searches"),
        semconv.USAGE_PAGES: usage.get("pages"), semconv.USAGE_ANNOTATED_PAGES: usage.get("annotated"),
        semconv.USAGE_CHARACTERS: usage.get("characters"),
    }  # fmt: skip
    beside = {name: value for name, value in beside.items() if value is not None}
    attributes = {
        semconv.KIND: "llm", semconv.OUTCOME: "ok", semconv.PROVIDER_NAME: provider, semconv.REQUEST_MODEL: model,
        **usage_attributes(shape, usage), **beside,
    }  # fmt: skip
    enrich(attributes)
    if isinstance(expected, str):
        assert semconv.COST_AMOUNT not in attributes
        assert expected in attributes[semconv.COST_UNKNOWN_REASON]
    else:
        assert attributes.get(semconv.COST_UNKNOWN_REASON) is None
        assert attributes[semconv.COST_AMOUNT] * 1e6 == pytest.approx(expected, rel=1e-9)

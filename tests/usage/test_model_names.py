"""Names of models as gateways, clouds and clients write them: what a name tells is priced, the rest is unknown."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from agentops_sdk import prices
from agentops_sdk._usage.model_names import overlay, spellings

# name, dollars per million tokens in and out, as the seller that the name tells publishes them
TOLD = [
    ("ft:gpt-4o-mini-2024-07-18:org::id", "0.3", "1.2"),
    ("ft:gpt-4o-mini-2024-07-18:org:a name:id", "0.3", "1.2"),
    ("ft:gpt-4o-mini-2024-07-18:org::id:ckpt-step-90", "0.3", "1.2"),
    ("openai/ft:gpt-4o-mini-2024-07-18:org::id", "0.3", "1.2"),
    ("ft:gpt-4.1-2025-04-14:org::id", "3", "12"),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", "16.5"),
    ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", "16.5"),
    ("bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", "16.5"),
    ("bedrock/us-east-1/anthropic.claude-3-haiku-20240307-v1:0", "0.25", "1.25"),
    ("bedrock:eu.anthropic.claude-3-5-sonnet-20240620-v1:0", "3", "15"),
    ("bedrock_converse/us.amazon.nova-pro-v1:0", "0.8", "3.2"),
    ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "3", "15"),
    ("anthropic.claude-3-haiku-20240307-v1:0", "0.25", "1.25"),
    ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0", "0.25", "1.25"),
    ("litellm_proxy/bedrock/us.amazon.nova-pro-v1:0", "0.8", "3.2"),
    ("models/gemini-2.5-flash", "0.3", "2.5"),
    ("gemini/gemini-2.5-flash", "0.3", "2.5"),
    ("google_genai:gemini-2.5-flash", "0.3", "2.5"),
    ("vertex_ai/gemini-2.5-flash", "0.3", "2.5"),
    ("gemini-2.5-flash-001", "0.3", "2.5"),
    ("projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash", "0.3", "2.5"),
    ("vertex_ai/claude-sonnet-4-5@20250929", "3", "15"),
    ("claude-sonnet-4-5@20250929", "3", "15"),
    ("publishers/anthropic/models/claude-sonnet-4-5@20250929", "3", "15"),
    ("anthropic/claude-sonnet-4-5-20250929", "3", "15"),
    ("anthropic:claude-sonnet-4-5", "3", "15"),
    ("openrouter/anthropic/claude-sonnet-4", "3", "15"),
    ("openrouter/openai/gpt-4o-mini", "0.15", "0.6"),
    ("azure/gpt-4o", "2.5", "10"),
    ("azure/global/gpt-4o", "2.5", "10"),
    ("azure/gpt-4o-mini-2024-07-18", "0.15", "0.6"),
    ("azure_ai/gpt-4o", "2.5", "10"),
    ("azure/gpt-35-turbo-1106", "1", "2"),
    ("gpt-4o-mini-2024-07-18", "0.15", "0.6"),
    ("openai:gpt-4o-mini", "0.15", "0.6"),
    ("groq/llama-3.3-70b-versatile", "0.59", "0.79"),
    ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "0.88", "0.88"),
]


@pytest.mark.parametrize(("name", "given", "made"), TOLD, ids=[row[0] for row in TOLD])
def test_a_name_that_tells_its_provider_is_priced(name: str, given: str, made: str) -> None:
    cost = prices.cost(name, input_tokens=1_000, output_tokens=100)
    assert cost.amount == (1_000 * Decimal(given) + 100 * Decimal(made)) / 1_000_000, cost


def test_embeddings() -> None:
    for name in ("text-embedding-3-small", "azure/text-embedding-3-small"):
        assert prices.cost(name, input_tokens=1_000_000).amount == Decimal("0.02")


UNTOLD = [
    "my-deployment",
    "azure/my-deployment",
    "gpt-4o-mini-deployment-2024-07-18",
    "prod-gpt-4o",
    "azure/eu/gpt-4o-2024-08-06",  # a zone of its own, dearer by a tenth
    "bedrock/my-profile",
    "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
    "projects/p/locations/l/endpoints/1234",
    "tunedModels/mine",
    "ft:our-own:org::id",
    "meta-llama/Llama-3.3-70B-Instruct",
    "ollama/llama3.2",
    "llama3.2:3b",
    "mistral:7b",
    "somebody/gpt-4o",
    "google/gemma-3-27b-it",
]


@pytest.mark.parametrize("name", UNTOLD)
def test_a_name_that_tells_nothing_is_unknown_and_says_so(name: str) -> None:
    cost = prices.cost(name, input_tokens=1_000, output_tokens=100)
    assert cost.amount is None
    assert cost.unknown_reason


@pytest.mark.parametrize(
    ("name", "provider", "known"),
    [
        # Every server that speaks OpenAI's protocol is taken for OpenAI; the way in the name says more.
        ("bedrock/us.amazon.nova-pro-v1:0", "openai", True),
        ("bedrock/us.amazon.nova-pro-v1:0", "litellm", True),
        ("us.amazon.nova-pro-v1:0", "anthropic-bedrock", True),
        # A bare name at somebody's who is known is that one's, whoever else sells it.
        ("claude-sonnet-4-5@20250929", "openai", False),
        ("gemini-2.5-flash", "github", False),
        ("text-embedding-3-small", "github", False),
        ("anthropic/claude-sonnet-4-5", "novita", False),
        ("bedrock/us.amazon.nova-pro-v1:0", "ollama", False),
        ("gpt-5", "openai-codex", False),  # a subscription
    ],
)
def test_a_name_beside_a_provider(name: str, provider: str, known: bool) -> None:
    assert (prices.cost(name, provider, input_tokens=1_000).amount is not None) is known


def test_a_price_of_ones_own_fits_the_name_as_it_comes_and_as_it_is_meant() -> None:
    try:
        prices.set("us.amazon.nova-pro-v1:0", input=1)
        assert prices.cost("bedrock/us.amazon.nova-pro-v1:0", input_tokens=1_000_000).amount == 1
        prices.set("bedrock/us.amazon.nova-pro-v1:0", input=2)
        assert prices.cost("bedrock/us.amazon.nova-pro-v1:0", input_tokens=1_000_000).amount == 2
        prices.set("nova", provider="aws.bedrock", input=3)
        assert prices.cost("bedrock/nova", input_tokens=1_000_000).amount == 3
    finally:
        prices.clear()


def test_every_row_compiles_and_ends() -> None:
    for row in overlay()["routes"]:
        re.compile(row["name"])
    for name in ("models/" * 50, "a/b/c/d/e/f", "bedrock/bedrock/bedrock/x", "openai:openai:x", ":", "/", "@", "ft:"):
        assert len(list(spellings(name, None))) < 200

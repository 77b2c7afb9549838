"""Each client of models says who answers, in the conventions' words, and where."""

from __future__ import annotations

import pytest
from tests.integrations.driver import driver_of, installed
from tests.integrations.traffic import Spans, request, ways
from tests.wire.http import Wire

from agentops_sdk._pipeline.registry import find_integrations

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

PROVIDERS = {
    "anthropic": "anthropic", "bedrock": "aws.bedrock", "cerebras": "cerebras", "cohere": "cohere",
    "google_genai": "gcp.gemini", "groq": "groq", "litellm": "openai", "mistral": "mistral_ai", "ollama": "ollama",
    "openai": "openai", "perplexity": "perplexity", "together": "together", "xai": "x_ai",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        pytest.param(*row, marks=[pytest.mark.filterwarnings(each) for each in driver_of(row[0]).warnings])
        for row in PROVIDERS.items()
    ],
)
def test_who_answers_and_where(name: str, provider: str) -> None:
    if not installed(find_integrations()[name].target):
        pytest.skip(f"{name} is not installed")
    driver = driver_of(name)
    with Wire(driver.answer) as wire:
        spans = Spans(name)
        for way in ways(driver):
            assert request(driver, wire, way).error is None
        ended = spans.take()
        assert len(ended) == len(ways(driver))
        for span in ended:
            assert span.attributes["gen_ai.provider.name"] == provider
            if name != "xai":  # whose server is another
                assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", wire.port)
            assert span.attributes["server.port"] > 0

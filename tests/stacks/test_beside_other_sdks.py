"""Other SDKs that record, on the same clients and there before us: a call is one span of ours."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.integrations.driver import driver_of
from tests.integrations.traffic import Spans, request, ways
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytestmark = pytest.mark.filterwarnings(  # the libraries' own
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning", "ignore::RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip

# Module, class, client, and in which ways the client breaks where the other SDK is alone.
SDKS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("openinference.instrumentation.openai", "OpenAIInstrumentor", "openai", ()),
    ("openinference.instrumentation.anthropic", "AnthropicInstrumentor", "anthropic", ()),
    ("openinference.instrumentation.google_genai", "GoogleGenAIInstrumentor", "google_genai", ()),
    ("openinference.instrumentation.bedrock", "BedrockInstrumentor", "bedrock", ()),
    ("openinference.instrumentation.litellm", "LiteLLMInstrumentor", "litellm", ()),
    ("openinference.instrumentation.groq", "GroqInstrumentor", "groq", ()),
    ("openinference.instrumentation.mistralai", "MistralAIInstrumentor", "mistral", ("stream_async",)),
    ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor", "openai", ()),
    ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor", "anthropic", ()),
    ("opentelemetry.instrumentation.google_generativeai", "GoogleGenerativeAiInstrumentor", "google_genai", ()),
    ("opentelemetry.instrumentation.ollama", "OllamaInstrumentor", "ollama", ()),
)


@pytest.mark.parametrize(("module", "kind", "name", "broken"), SDKS, ids=[row[0].replace(".", "-") for row in SDKS])
def test_a_call_is_one_span(module: str, kind: str, name: str, broken: tuple[str, ...]) -> None:
    theirs = pytest.importorskip(module, reason=f"{module} is not installed")
    driver = driver_of(name)
    for package in (*driver.packages, *driver.modules):
        importlib.import_module(package)
    provider, seen = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(seen))
    instrumentor = getattr(theirs, kind)()
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        ours = Spans(name)
        for way in ways(driver):
            if way in broken:
                continue
            with Wire(driver.answer) as wire:
                request(driver, wire, way)
                assert len(wire.requests) == 1, way
            assert [span.name for span in ours.take()] == [driver.span], way
        assert seen.get_finished_spans(), "the other SDK sees nothing any more"
    finally:
        agentops.shutdown()
        instrumentor.uninstrument()


@pytest.fixture
def logfire() -> Any:
    library = pytest.importorskip("logfire", reason="logfire is not installed")
    library.configure(send_to_logfire=False, console=False)
    return library


def _class(client: Any) -> tuple[Any, ...]:
    return ()


def _instance(client: Any) -> tuple[Any, ...]:
    return (client,)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@pytest.mark.parametrize("what", [_class, _instance])
def test_a_client_that_logfire_had_first_is_recorded(
    name: str, what: Callable[[Any], tuple[Any, ...]], logfire: Any
) -> None:
    """Also where it replaced the method of one client, whose calls pass no class; and all is left as it was."""
    driver, ours = driver_of(name), MemoryExporter()
    theirs = getattr(logfire, f"instrument_{name}")
    with Wire(driver.answer) as wire, driver.client(wire.url) as client, theirs(*what(client)):
        owner = client if what is _instance else type(client)
        wrapped = vars(owner)["request"]
        agentops.init(exporters=[ours])
        driver.call(client, driver.arguments())
        with driver.stream(client, driver.arguments()) as pieces:
            list(pieces)
        agentops.flush()
        assert [span.name for span in ours.finished_spans()] == [driver.span] * 2
        agentops.shutdown()
        assert vars(owner)["request"] is wrapped
        driver.call(client, driver.arguments())
    assert len(ours.finished_spans()) == 2
    assert agentops.status().guard_errors == {}

"""Libraries on top of clients: a question is one span, with its tokens once, wherever spans go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.integrations.framework_programs import MODES
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytestmark = pytest.mark.filterwarnings(  # the libraries' own
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip

_CHAT = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "a-model",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Sunny."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29}, "service_tier": "default",
}  # fmt: skip
_TEXT = {"type": "output_text", "text": "Sunny.", "annotations": []}
_TOKENS = {"input_tokens": 21, "output_tokens": 8}
_ANSWERS: dict[str, dict[str, Any]] = {
    "/messages": {
        "id": "1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Sunny."}], "usage": {"input_tokens": 21, "output_tokens": 8},
    },
    ":generateContent": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Sunny."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 21, "candidatesTokenCount": 8, "totalTokenCount": 29},
    },
    "/converse": {
        "output": {"message": {"role": "assistant", "content": [{"text": "Sunny."}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 21, "outputTokens": 8, "totalTokens": 29}, "metrics": {"latencyMs": 1},
    },
    "/api/chat": {
        "model": "llama3.1", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop",
        "message": {"role": "assistant", "content": "Sunny."}, "prompt_eval_count": 21, "eval_count": 8,
    },
    "/v2/chat": {
        "id": "1", "message": {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}]},
        "finish_reason": "COMPLETE",
        "usage": {"billed_units": _TOKENS, "tokens": _TOKENS},
    },
    "/responses": {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "a-model",
        "output": [{"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [_TEXT]}],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 21, "output_tokens": 8, "total_tokens": 29,
            "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
        },
    },
}  # fmt: skip


_MESSAGE: dict[str, Any] = _ANSWERS["/messages"]
_BEGUN = {**_MESSAGE, "content": [], "usage": {"input_tokens": 21, "output_tokens": 1}}
_EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": _BEGUN},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sunny."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 8}},
    {"type": "message_stop"},
)


def _answer(request: Request) -> Reply:
    if request.body.get("stream") and request.path.endswith("/messages"):
        stream = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _EVENTS]
        return Reply(stream=stream, content_type="text/event-stream")
    path = request.path.partition("?")[0]
    return Reply(next((body for end, body in _ANSWERS.items() if path.endswith(end)), _CHAT))


Ask = Callable[[str], None]
"""Asks twice, in the two ways that the library has."""


def _langchain(model: Any) -> None:
    model.invoke("Paris?")
    asyncio.run(model.ainvoke("Paris?"))


def langchain_openai(url: str) -> None:
    from langchain_openai import ChatOpenAI

    _langchain(ChatOpenAI(model="a-model", base_url=url, api_key="k"))


def langchain_anthropic(url: str) -> None:
    from langchain_anthropic import ChatAnthropic

    _langchain(ChatAnthropic(model="claude-sonnet-4-5", base_url=url.removesuffix("/v1"), api_key="k"))


def langchain_google_genai(url: str) -> None:
    from langchain_google_genai import ChatGoogleGenerativeAI

    _langchain(ChatGoogleGenerativeAI(model="gemini-2.5-flash", base_url=url, api_key="k"))


def langchain_aws(url: str) -> None:
    from langchain_aws import ChatBedrockConverse

    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    _langchain(ChatBedrockConverse(model="amazon.nova-lite-v1:0", endpoint_url=url, **keys))


def langchain_mistralai(url: str) -> None:
    from langchain_mistralai import ChatMistralAI

    _langchain(ChatMistralAI(model="a-model", endpoint=url, api_key="k"))


def langchain_groq(url: str) -> None:
    from langchain_groq import ChatGroq

    _langchain(ChatGroq(model="a-model", base_url=url, api_key="k"))


def langchain_ollama(url: str) -> None:
    from langchain_ollama import ChatOllama

    _langchain(ChatOllama(model="llama3.1", base_url=url.removesuffix("/v1")))


def langchain_openai_responses(url: str) -> None:
    from langchain_openai import ChatOpenAI

    _langchain(ChatOpenAI(model="a-model", base_url=url, api_key="k", use_responses_api=True))


def langchain_cohere(url: str) -> None:
    from langchain_cohere import ChatCohere

    _langchain(ChatCohere(model="command-a-03-2025", base_url=url.removesuffix("/v1"), cohere_api_key="k"))


def langchain_perplexity(url: str) -> None:
    from langchain_perplexity import ChatPerplexity

    model = ChatPerplexity(model="a-model", pplx_api_key="k")
    model.client.base_url = model.async_client.base_url = url.removesuffix("/v1")
    _langchain(model)


def langchain_cerebras(url: str) -> None:
    from langchain_cerebras import ChatCerebras

    _langchain(ChatCerebras(model="a-model", base_url=url, api_key="k"))


def langchain_together(url: str) -> None:
    from langchain_together import ChatTogether

    _langchain(ChatTogether(model="a-model", base_url=url, api_key="k"))


def langchain_xai(url: str) -> None:
    from langchain_xai import ChatXAI

    _langchain(ChatXAI(model="a-model", base_url=url, api_key="k"))


def langchain_deepseek(url: str) -> None:
    from langchain_deepseek import ChatDeepSeek

    _langchain(ChatDeepSeek(model="a-model", api_base=url, api_key="k"))


def litellm(url: str, model: str = "openai/a-model", base: str = "/v1", **options: Any) -> None:
    import litellm as library

    root = url.removesuffix("/v1")
    asked: dict[str, Any] = {"model": model, "api_base": root + base, "api_key": "k", **options}
    messages = [{"role": "user", "content": "Paris?"}]
    library.completion(messages=messages, **asked)
    asyncio.run(library.acompletion(messages=messages, **asked))


def litellm_to(model: str, base: str = "/v1", **options: Any) -> Ask:
    """What asks one provider's model through LiteLLM."""

    def ask(url: str) -> None:
        litellm(url, model, base, **options)

    ask.__name__ = "litellm_" + model.partition("/")[0]
    return ask


def litellm_bedrock(url: str) -> None:
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_region_name": "us-east-1"}
    endpoint = {"aws_bedrock_runtime_endpoint": url.removesuffix("/v1")}
    litellm(url, "bedrock/converse/amazon.nova-lite-v1:0", "", **keys, **endpoint)


def litellm_messages(url: str) -> None:
    from litellm import anthropic_messages

    asked: dict[str, Any] = {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 9, "api_key": "k"}
    for _ in range(2):
        messages = [{"role": "user", "content": "Paris?"}]
        asyncio.run(anthropic_messages(messages=messages, api_base=url.removesuffix("/v1"), **asked))


def litellm_responses(url: str) -> None:
    import litellm as library

    asked: dict[str, Any] = {"model": "openai/a-model", "input": "Paris?", "api_base": url, "api_key": "k"}
    library.responses(**asked)
    asyncio.run(library.aresponses(**asked))


def litellm_router(url: str) -> None:
    import litellm as library

    params = {"model": "openai/a-model", "api_base": url, "api_key": "k"}
    router = library.Router(model_list=[{"model_name": "mine", "litellm_params": params}])
    messages: list[Any] = [{"role": "user", "content": "Paris?"}]
    router.completion("mine", messages=messages)
    asyncio.run(router.acompletion("mine", messages=messages))


def agents_chat(url: str) -> None:
    import openai
    from agents import Agent, OpenAIChatCompletionsModel, Runner

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
            agent = Agent(name="clerk", model=OpenAIChatCompletionsModel("a-model", client))
            await Runner.run(agent, "Paris?")
            await Runner.run(agent, "Paris?")

    asyncio.run(run())


def agents(url: str) -> None:
    import openai
    from agents import Agent, OpenAIResponsesModel, Runner

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
            agent = Agent(name="clerk", model=OpenAIResponsesModel("a-model", client))
            await Runner.run(agent, "Paris?")
            await Runner.run(agent, "Paris?")

    asyncio.run(run())


def pydantic_ai(url: str) -> None:
    import anthropic
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    async def run() -> None:
        async with anthropic.AsyncAnthropic(base_url=url.removesuffix("/v1"), api_key="k") as client:
            model = AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(anthropic_client=client))
            await Agent(model).run("Paris?")
            await Agent(model).run("Paris?")

    asyncio.run(run())


def instructor(url: str) -> None:
    import instructor as library
    import openai

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
            await library.from_openai(client).chat.completions.create(response_model=None, **asked)

    asked: dict[str, Any] = {"model": "a-model", "messages": [{"role": "user", "content": "Paris?"}]}
    with openai.OpenAI(base_url=url, api_key="k") as client:
        library.from_openai(client).chat.completions.create(response_model=None, **asked)
    asyncio.run(run())


def instructor_anthropic(url: str) -> None:
    import anthropic
    import instructor as library

    async def run() -> None:
        async with anthropic.AsyncAnthropic(base_url=root, api_key="k") as client:
            await library.from_anthropic(client).messages.create(response_model=None, **asked)

    root = url.removesuffix("/v1")
    messages = [{"role": "user", "content": "Paris?"}]
    asked: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": messages}
    with anthropic.Anthropic(base_url=root, api_key="k") as client:
        library.from_anthropic(client).messages.create(response_model=None, **asked)
    asyncio.run(run())


STACKS: tuple[tuple[Ask, str], ...] = (
    (langchain_openai, "openai"), (langchain_anthropic, "anthropic"), (langchain_google_genai, "gcp.gemini"),
    (langchain_aws, "aws.bedrock"), (langchain_mistralai, "mistral_ai"), (langchain_groq, "groq"),
    (langchain_ollama, "ollama"), (litellm, "openai"), (litellm_to("anthropic/claude-sonnet-4-5", ""), "anthropic"),
    (litellm_to("gemini/gemini-2.5-flash", ""), "gcp.gemini"), (litellm_bedrock, "aws.bedrock"),
    (litellm_to("mistral/a-model"), "mistral_ai"), (litellm_to("groq/a-model"), "groq"),
    (litellm_to("ollama_chat/llama3.1", ""), "ollama"),
    (litellm_to("cohere_chat/command-a-03-2025", "/v2/chat"), "cohere"),
    (litellm_to("azure/a-model", "", api_version="2025-01-01"), "azure.ai.openai"),
    (litellm_to("together_ai/a-model"), "together"), (litellm_to("cerebras/a-model"), "cerebras"),
    (litellm_to("perplexity/a-model"), "perplexity"), (litellm_to("xai/a-model"), "x_ai"),
    (litellm_to("deepseek/a-model"), "deepseek"), (litellm_to("openrouter/a-model"), "openrouter"),
    (litellm_messages, "anthropic"), (litellm_responses, "openai"), (litellm_router, "openai"),
    (langchain_openai_responses, "openai"), (langchain_cohere, "cohere"), (langchain_perplexity, "perplexity"),
    (langchain_cerebras, "cerebras"), (langchain_together, "together"), (langchain_xai, "x_ai"),
    (langchain_deepseek, "deepseek"), (agents, "openai"), (agents_chat, "openai"), (pydantic_ai, "anthropic"),
    (instructor, "openai"), (instructor_anthropic, "anthropic"),
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("ask", "provider"), STACKS, ids=lambda each: getattr(each, "__name__", ""))
def test_one_question_is_one_span(ask: Ask, provider: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = ask.__name__
    for name in ("litellm", "agents", "instructor", "langchain_openai"):  # each has several ways down
        library = name if library.startswith(name) else library
    pytest.importorskip(library, reason=f"{library} is not installed")
    own, exporter = InMemorySpanExporter(), MemoryExporter()
    if mode == "joined":
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(own))
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracing)
    agentops.init(exporters=[exporter])
    with Wire(_answer) as wire:
        ask(wire.url)
    assert agentops.flush()
    spans = list(exporter.finished_spans())
    agentops.shutdown()
    assert len(wire.requests) == 2
    for exported in (spans, own.get_finished_spans()) if mode == "joined" else (spans,):
        facts: list[Any] = [span.attributes for span in exported if "gen_ai.usage.input_tokens" in span.attributes]
        usages = [(each["gen_ai.usage.input_tokens"], each["gen_ai.usage.output_tokens"]) for each in facts]
        assert usages == [(21, 8), (21, 8)]
        assert {each["gen_ai.provider.name"] for each in facts} == {provider}
        models = [span for span in exported if span.attributes.get("agentops.kind") == "llm"]
        assert [dict(each.attributes) for each in models] == [dict(each) for each in facts]

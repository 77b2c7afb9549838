"""Money by way of LangChain: what a reply tells of its usage, in every form that partners' packages give it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from examples.local_model import Reply, ToolCall
from langchain_core.caches import BaseCache, InMemoryCache
from langchain_core.embeddings import Embeddings
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.testing import capture
from agentops_sdk.traces.figures.tables import stats

Spans = Callable[[], tuple[Any, ...]]


class Partner(BaseChatModel):
    """A partner's model; its replies are made of what the test gives."""

    provider: str = "anthropic"
    name_: str = "claude-sonnet-4-6"
    usage: dict[str, Any] | None = None
    metadata_: dict[str, Any] = {}
    output: dict[str, Any] | None = None
    content: Any = "hi"
    pieces: list[dict[str, Any]] = []

    @property
    def _llm_type(self) -> str:
        return "partner"

    def _get_ls_params(self, stop: Any = None, **_: Any) -> Any:
        return {"ls_provider": self.provider, "ls_model_name": self.name_, "ls_model_type": "chat"}

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        message = AIMessage(self.content, usage_metadata=self.usage, response_metadata=dict(self.metadata_))
        return ChatResult(generations=[ChatGeneration(message=message)], llm_output=self.output)

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Iterator[Any]:
        for piece in self.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(**{"content": "", **piece}))


RAW = {"input_tokens": 1_000, "output_tokens": 100, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def anthropic(**raw: Any) -> dict[str, Any]:
    """A whole reply as ``langchain-anthropic`` gives it."""
    raw = {**RAW, **raw}
    lifetimes = {name: count for name, count in raw.get("cache_creation", {}).items() if count}
    written = 0 if lifetimes else raw["cache_creation_input_tokens"]
    given = raw["input_tokens"] + raw["cache_read_input_tokens"] + raw["cache_creation_input_tokens"]
    details = {"cache_read": raw["cache_read_input_tokens"], "cache_creation": written, **lifetimes}
    total = {"input_tokens": given, "output_tokens": 100, "total_tokens": given + 100, "input_token_details": details}
    return {"usage": total, "metadata_": {"model": "claude-sonnet-4-6", "usage": raw}, "output": {"usage": raw}}


def normalised(given: int, made: int, total: int, **details: Any) -> dict[str, Any]:
    inside = {name: value for name, value in details.items() if not name.endswith("reasoning")}
    outside = {name: value for name, value in details.items() if name.endswith("reasoning")}
    told = {"input_tokens": given, "output_tokens": made, "total_tokens": total}
    return {"usage": {**told, "input_token_details": inside, "output_token_details": outside}}


SONNET, GPT = 3e-6, 2.5e-6  # dollars per input token; output costs 5 and 4 times as much
OPENAI = {"provider": "openai", "name_": "gpt-4o"}
OPENAI_RAW = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
BEDROCK = {"provider": "amazon_bedrock", "name_": "global.anthropic.claude-sonnet-4-5-20250929-v1:0"}

CASES: dict[str, tuple[dict[str, Any], float | None]] = {
    "written for 5 minutes": (
        anthropic(cache_creation_input_tokens=10_000, cache_creation={"ephemeral_5m_input_tokens": 10_000}),
        0.042,
    ),
    "written for an hour": (
        anthropic(cache_creation_input_tokens=10_000, cache_creation={"ephemeral_1h_input_tokens": 10_000}),
        0.0645,
    ),
    "written for both": (
        anthropic(
            cache_creation_input_tokens=10_000,
            cache_creation={"ephemeral_5m_input_tokens": 4_000, "ephemeral_1h_input_tokens": 6_000},
        ),
        (1_000 + 4_000 * 1.25 + 6_000 * 2 + 500) * SONNET,
    ),
    "five searches": (anthropic(server_tool_use={"web_search_requests": 5}), 0.0545),
    "batch": (anthropic(service_tier="batch"), 0.00225),
    "priority": (anthropic(service_tier="priority"), None),
    "fast mode": (anthropic(speed="fast"), None),
    "a place": (anthropic(inference_geo="us"), 0.0045 * 1.1),
    "the raw usage alone": ({"metadata_": {"usage": {**RAW, "cache_read_input_tokens": 2_000}}}, 0.0051),
    "normalised for an hour": (
        normalised(11_000, 100, 11_100, cache_creation=0, ephemeral_1h_input_tokens=10_000),
        0.0645,
    ),
    "normalised, total and lifetime": (
        normalised(11_000, 100, 11_100, cache_creation=10_000, ephemeral_5m_input_tokens=10_000),
        0.042,
    ),
    "cached beside the input": (normalised(3_000, 100, 5_100, cache_read=2_000), 0.0111),
    "written beside the input": (normalised(1_000, 100, 11_100, cache_creation=10_000), 0.042),
    "written beside, read inside": (
        normalised(1_000, 100, 11_100, cache_creation=10_000, cache_read=400),
        (600 + 400 / 10 + 10_000 * 1.25 + 500) * SONNET,
    ),
    "all of it beside the input": (
        normalised(1_000, 100, 13_100, cache_creation=10_000, cache_read=2_000),
        (1_000 + 2_000 / 10 + 10_000 * 1.25 + 500) * SONNET,
    ),
    "cached beside, and no total that says so": (
        normalised(1_000, 100, 1_100, cache_read=2_000),
        (1_000 + 2_000 / 10 + 500) * SONNET,
    ),
    "cached inside the input": (normalised(3_000, 100, 3_100, cache_read=2_000), (1_000 + 200 + 500) * SONNET),
    "thoughts beside the output": (normalised(1_000, 100, 1_400, reasoning=300), (1_000 + 400 * 5) * SONNET),
    "thoughts inside the output": (normalised(1_000, 400, 1_400, reasoning=300), (1_000 + 400 * 5) * SONNET),
    "OpenAI's form": ({**OPENAI, "output": {"token_usage": OPENAI_RAW}}, (1_000 + 400) * GPT),
    "OpenAI's cached tokens": (
        {**OPENAI, "output": {"token_usage": {**OPENAI_RAW, "prompt_tokens_details": {"cached_tokens": 600}}}},
        (400 + 300 + 400) * GPT,
    ),
    "OpenAI's tier of its own names": (
        {**OPENAI, **normalised(1_000, 100, 1_100, priority=400, priority_cache_read=600, priority_reasoning=0)},
        400 * 4.25e-6 + 600 * 2.125e-6 + 100 * 17e-6,
    ),
    "OpenAI's tier beside the usage": (
        {**OPENAI, "output": {"token_usage": OPENAI_RAW, "service_tier": "priority"}},
        (1_000 * 4.25 + 100 * 17) / 1e6,
    ),
    "OpenAI's scale tier": ({**OPENAI, "output": {"token_usage": OPENAI_RAW, "service_tier": "scale"}}, None),
    "a gateway's: cached inside, at the top": (
        {"output": {"token_usage": {**OPENAI_RAW, "cache_read_input_tokens": 600}}},
        (400 + 60 + 500) * SONNET,
    ),
    "Bedrock's headers: cached beside, at the top": (
        {**BEDROCK, "output": {"usage": {**OPENAI_RAW, "cache_read_input_tokens": 600, "total_tokens": 1_700}}},
        (1_000 + 60 + 500) * SONNET,
    ),
    "Bedrock's own tier": (
        {**BEDROCK, **normalised(1_000, 100, 1_100), "metadata_": {"serviceTier": {"type": "priority"}}},
        None,
    ),
    "Bedrock's optimized latency": (
        {**BEDROCK, **normalised(1_000, 100, 1_100), "metadata_": {"performanceConfig": {"latency": "optimized"}}},
        None,
    ),
    "Bedrock's default tier": (
        {**BEDROCK, **normalised(1_000, 100, 1_100), "metadata_": {"serviceTier": {"type": "default"}}},
        (1_000 + 500) * SONNET,
    ),
    "a cost in the reply": (
        {"provider": "openrouter", "name_": "x/y", **normalised(1_000, 100, 1_100), "metadata_": {"cost": 0.123}},
        0.123,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_reply_costs_what_it_tells(case: str, spans: Spans) -> None:
    given, cost = CASES[case]
    Partner(**given).invoke("x")
    (span,) = spans()
    assert span.attributes.get(semconv.COST_AMOUNT) == (None if cost is None else pytest.approx(cost, rel=1e-9))
    assert (semconv.COST_UNKNOWN_REASON in span.attributes) is (cost is None)


def _last(**details: int) -> dict[str, Any]:
    return {
        "usage_metadata": {
            "input_tokens": 11_000,
            "output_tokens": 100,
            "total_tokens": 11_100,
            "input_token_details": details,
        }
    }


FOUND = {"type": "web_search_tool_result", "content": [{"type": "web_search_result"}]}
FAILED = {"type": "web_search_tool_result", "content": {"type": "web_search_tool_result_error"}}


def _asked(*ttls: str | None) -> list[dict[str, Any]]:
    marks = [{"type": "ephemeral", **({"ttl": ttl} if ttl else {})} for ttl in ttls]
    return [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": mark} for mark in marks]}]


STREAMS: dict[str, tuple[list[dict[str, Any]], Any, float | None]] = {
    "lifetimes of its own": (
        [{"content": "hi"}, _last(cache_creation=0, ephemeral_1h_input_tokens=10_000)],
        "x",
        0.0645,
    ),
    "no lifetimes": ([_last(cache_creation=10_000)], "x", 0.042),
    "the lifetime that was asked for": ([_last(cache_creation=10_000)], _asked("1h"), 0.0645),
    "the short lifetime, asked for": ([_last(cache_creation=10_000)], _asked("5m", None), 0.042),
    "several lifetimes that were asked for": ([_last(cache_creation=10_000)], _asked("1h", "5m"), None),
    "searches": ([{"content": [FOUND, FAILED, FOUND]}, _last(cache_creation=10_000)], "x", 0.042 + 0.02),
    "a raw usage in each piece": (
        [
            {"content": "hi", "response_metadata": {"usage": RAW}},
            {"response_metadata": {"usage": RAW}, **_last(cache_creation=10_000)},
        ],
        "x",
        0.042,
    ),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_costs_what_it_tells(case: str, spans: Spans) -> None:
    pieces, asked, cost = STREAMS[case]
    assert list(Partner(pieces=pieces).stream(asked))
    (span,) = spans()
    assert span.attributes.get(semconv.COST_AMOUNT) == (None if cost is None else pytest.approx(cost, rel=1e-9))


def test_what_the_providers_client_told_stands_whole(chat: Any, spans: Spans) -> None:
    chat().invoke("hello")
    (span,) = spans()
    usage = {name for name in span.attributes if name.startswith("gen_ai.usage.")}
    assert usage <= {
        semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, semconv.USAGE_CACHE_READ, semconv.USAGE_REASONING
    }  # fmt: skip


def test_who_counts_nothing_has_not_said_that_it_was_free(spans: Spans) -> None:
    nothing: Any = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    reply = AIMessage("Hello there", usage_metadata=nothing, response_metadata={"model_name": "gpt-4o-mini"})
    GenericFakeChatModel(messages=iter([reply])).invoke("hi")
    (span,) = spans()
    assert span.attributes[semconv.USAGE_SOURCE] in ("counted", "estimated")
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] > 0


# --- answers from a cache -------------------------------------------------------------------------


class Tiered(BaseCache):
    """A cache of a program's own, in front of another one."""

    def __init__(self) -> None:
        self.behind = InMemoryCache()

    def lookup(self, prompt: str, llm_string: str) -> Any:
        return self.behind.lookup(prompt, llm_string)

    def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
        self.behind.update(prompt, llm_string, return_val)

    def clear(self, **kwargs: Any) -> None:
        self.behind.clear()


@pytest.fixture(params=["program", "model", "own"])
def cached(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What a model is made with, where answers are cached for the program or for the model."""
    set_llm_cache(InMemoryCache() if request.param == "program" else None)
    yield {} if request.param == "program" else {"cache": Tiered() if request.param == "own" else InMemoryCache()}
    set_llm_cache(None)


async def test_an_answer_from_a_cache_is_no_call(cached: dict[str, Any], chat: Any, server: Any) -> None:
    model = chat(**cached)
    with capture() as traces, agentops.span("three times"):
        model.invoke("hello")
        model.invoke("hello")
        await model.ainvoke("hello")
    trace = traces.one()
    first, second, third = trace.spans(kind="llm")
    assert [span.attributes.get(semconv.CACHED) for span in (first, second, third)] == [None, True, True]
    for span in (second, third):
        assert (span.usage.total, span.usage.unknown, span.cost) == (0, 0, 0)
        assert not [name for name in span.attributes if name.startswith("gen_ai.usage.")]
        assert span.attributes[semconv.OUTPUT_MESSAGES] == first.attributes[semconv.OUTPUT_MESSAGES]
    traces.assert_llm_calls(1)
    assert len(trace.llm_calls) == len(trace.model_calls) == 1
    assert trace.cost.amount == pytest.approx(trace.llm_calls[0].cost.amount)
    assert not trace.cost.is_estimated
    assert not trace.usage.unknown
    (row,) = stats([trace], by="model").rows
    assert (row.calls, row.usage.total) == (1, trace.usage.total)
    assert trace.tree().count("from a cache") == 2


def test_a_model_that_tells_no_usage_is_recognised_too(cached: dict[str, Any], spans: Spans) -> None:
    model = Partner(usage=None, **cached)
    model.invoke("hello")
    model.invoke("hello")
    first, second = spans()
    assert first.attributes[semconv.USAGE_SOURCE] == "estimated"
    assert second.attributes[semconv.CACHED] is True
    assert semconv.USAGE_SOURCE not in second.attributes


def test_a_choice_from_a_cache_leads_to_its_tool(cached: dict[str, Any], chat: Any) -> None:
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"Sunny in {city}."

    model = chat(lambda _: Reply(tool_calls=(ToolCall("weather", {"city": "Oslo"}),)), **cached).bind_tools([weather])
    model.invoke("hello")
    with capture() as traces, agentops.span("again"):
        weather.invoke(model.invoke("hello").tool_calls[0])
    traces.assert_llm_calls(0)
    (made,) = traces.decisions
    assert made.choices == ("weather",)
    assert [span.kind for span in made.followed_by] == ["tool"]


# --- embeddings -----------------------------------------------------------------------------------


class Vectors(Embeddings):
    """Somebody's, without figures."""

    model = "text-embedding-3-small"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class CacheBackedEmbeddings(Embeddings):
    """As LangChain's of that name: asks the other one for what it lacks."""

    def __init__(self, behind: Embeddings) -> None:
        self.behind = behind
        self.known: dict[str, list[float]] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        missing = [text for text in texts if text not in self.known]
        if missing:
            self.known.update(zip(missing, self.behind.embed_documents(missing), strict=True))
        return [self.known[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class Logged(Embeddings):
    """One that passes everything on, under a name that says nothing."""

    def __init__(self, behind: Embeddings) -> None:
        self.behind = behind

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.behind.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def test_vectors_from_a_cache_are_no_call(memory: Any) -> None:
    behind = CacheBackedEmbeddings(Vectors())
    with capture() as traces, agentops.span("run"):
        for _ in range(3):
            behind.embed_documents(["one", "two"])
    (span,) = traces.spans(kind="embedding")
    assert span.attributes[semconv.INPUT] == '["one","two"]'


def test_one_that_passes_on_is_counted_once(memory: Any) -> None:
    with capture() as traces, agentops.span("run"):
        Logged(Vectors()).embed_documents(["one two three four", "two"])
        Vectors().embed_query("one")
    trace = traces.one()
    outer, inner, own = trace.spans(kind="embedding")
    assert outer.attributes[semconv.MODEL_CALLS] == 1
    assert semconv.USAGE_INPUT_TOKENS not in outer.attributes
    assert trace.usage.input == sum(span.attributes[semconv.USAGE_INPUT_TOKENS] for span in (inner, own))

"""LangChain's models, tools and agents are stopped before their bodies run; an answer from a cache is no model call."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.limits import bodies
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("langchain_openai", reason="the models are LangChain's for OpenAI")

pytestmark = [  # LangChain keeps its asynchronous clients for the next loop: that is its own, and no test is about it
    pytest.mark.filterwarnings("ignore:.*unclosed:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


class Chain:
    """A model, a tool, and the server that counts what reaches it."""

    def __init__(self, wire: Wire) -> None:
        from langchain_core.tools import tool
        from langchain_openai import ChatOpenAI

        self.wire = wire
        self.ran: list[str] = []
        key: Any = "none"
        self.model = ChatOpenAI(model="gpt-4o-mini", api_key=key, base_url=wire.url, max_retries=0)

        @tool
        def search(q: str) -> str:
            """Look something up."""
            self.ran.append(q)
            return "found"

        self.search = search

    @property
    def count(self) -> int:
        return len(self.wire.requests)

    def until_stopped(self, call: Callable[[], Any]) -> agentops.LimitExceeded:
        with pytest.raises(agentops.LimitExceeded) as caught:
            for _ in range(20):
                call()
        return caught.value


@pytest.fixture
def chain() -> Iterator[Chain]:
    agentops.init(exporters=[MemoryExporter()], integrations=["langchain", "openai"])
    with Wire(bodies.answer) as wire:
        yield Chain(wire)
    gc.collect()


def test_models_plain_and_streamed(chain: Chain) -> None:
    for call in (lambda: chain.model.invoke("q"), lambda: list(chain.model.stream("q"))):
        before = chain.count
        with agentops.limits(cost=0.002, model_calls=9):
            error = chain.until_stopped(call)
        assert (error.limit, chain.count - before) == ("cost", 3)
        assert error.spent == pytest.approx(3 * bodies.COST)


def test_a_stream_that_passes_a_limit_is_cut_by_the_client_below(chain: Chain) -> None:
    with agentops.limits(tokens=1, on_stream="cut"), pytest.raises(agentops.LimitExceeded, match="cut"):
        list(chain.model.stream("q"))
    with agentops.limits(tokens=1):
        assert list(chain.model.stream("q")), "it is finished where nothing else is said"


def test_a_stream_that_is_ended_quietly_below_a_framework_was_cancelled(chain: Chain) -> None:
    with agentops.testing.capture() as traces, agentops.limits(tokens=1, on_stream="end"):
        list(chain.model.stream("q"))
    (call,) = traces.llm_calls
    assert (call.outcome, call.attributes["agentops.limit.action"]) == ("cancelled", "cut")


def test_models_asynchronous_and_in_batches(chain: Chain) -> None:
    async def main() -> None:
        with agentops.limits(model_calls=2), pytest.raises(agentops.LimitExceeded):
            for _ in range(5):
                await chain.model.ainvoke("q")
        assert chain.count == 2
        with agentops.limits(model_calls=2), pytest.raises(agentops.LimitExceeded):
            for _ in range(5):
                async for _ in chain.model.astream("q"):
                    pass
        assert chain.count == 4

    asyncio.run(main())
    with agentops.limits(model_calls=3), pytest.raises(agentops.LimitExceeded):
        chain.model.batch(["a", "b", "c", "d", "e"])
    assert chain.count == 7


def test_an_answer_from_a_cache_is_no_call(chain: Chain) -> None:
    from langchain_core.caches import InMemoryCache

    chain.model.cache = InMemoryCache()
    with agentops.limits(model_calls=1):
        for _ in range(5):
            chain.model.invoke("the same")
        chain.until_stopped(lambda: chain.model.invoke("another"))
    assert chain.count == 1


def test_a_model_that_makes_calls_of_its_own_is_none(chain: Chain) -> None:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.outputs import ChatGeneration, ChatResult

    client = chain.model

    class Twice(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "twice"

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            client.root_client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "a"}])
            client.root_client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "b"}])
            return ChatResult(generations=[ChatGeneration(message=client.invoke("c"))])

    with agentops.limits(model_calls=7, cost=1, unknown_price="estimate"):
        error = chain.until_stopped(lambda: Twice().invoke("q"))
    assert (chain.count, error.spent) == (7, 7)


def test_tools_and_agents(chain: Chain) -> None:
    from langchain.agents import create_agent

    with agentops.limits(tool_calls=2):
        chain.until_stopped(lambda: chain.search.invoke({"q": "a"}))
    assert chain.ran == ["a", "a"]
    chain.wire.replies[:] = [bodies.asks_for_search]
    agent = create_agent(chain.model, [chain.search])
    question: Any = {"messages": [("user", "hi")]}
    with agentops.limits(per_tool={"search": 2}):
        assert chain.until_stopped(lambda: agent.invoke(question)).tool == "search"
    assert (len(chain.ran), chain.count) == (4, 3)
    with agentops.limits(cost=0.002):
        assert chain.until_stopped(lambda: asyncio.run(agent.ainvoke(question))).limit == "cost"
    assert chain.count == 6


def test_a_tool_that_is_decorated_as_well_counts_once(chain: Chain) -> None:
    from langchain_core.tools import StructuredTool

    ran: list[str] = []

    @agentops.tool
    def lookup(q: str) -> str:
        """Look something up."""
        ran.append(q)
        return q

    tool = StructuredTool.from_function(lookup)
    with agentops.limits(tool_calls=2):
        chain.until_stopped(lambda: tool.invoke({"q": "a"}))
    assert ran == ["a", "a"]


def test_agents_one_inside_of_the_other(chain: Chain) -> None:
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    inner = create_agent(chain.model, [], name="inner")

    @tool
    def search(q: str) -> str:
        """Have another agent look something up."""
        return str(inner.invoke({"messages": [("user", q)]})["messages"][-1].content)

    outer = create_agent(chain.model, [search], name="outer")
    chain.wire.replies[:] = [bodies.asks_for_search, bodies.answer]
    with agentops.limits(depth=1), pytest.raises(agentops.LimitExceeded, match="reached by agent inner") as caught:
        outer.invoke({"messages": [("user", "x")]})
    assert (caught.value.spent, caught.value.most, chain.count) == (1, 1, 1)
    with agentops.limits(depth=2):
        outer.invoke({"messages": [("user", "x")]})
    with agentops.limits(depth=0), pytest.raises(agentops.LimitExceeded, match="reached by agent outer"):
        outer.invoke({"messages": [("user", "x")]})


def test_who_lets_an_agent_run_is_not_asked_about_what_it_calls() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    asked: list[str] = []

    @agentops.agent
    def deep(levels: int) -> None:
        with agentops.span("chat", kind="llm"):
            pass
        if levels:
            deep(levels - 1)

    with agentops.limits(depth=1, on_limit=lambda error: asked.append(str(error)) or True):
        deep(2)
    assert len(asked) == 2

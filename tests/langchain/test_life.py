"""Every run ends once, under its own parent, however many there are; nothing of it outlives the program's use."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from examples.local_model import Reply
from tests.langchain.forest import KIND, OUTCOME

import agentops_sdk as agentops

Spans = Callable[[], tuple[Any, ...]]


class State(TypedDict, total=False):
    text: str
    answer: str


def by_id(spans: Any) -> dict[int, Any]:
    return {span.context.span_id: span for span in spans}


async def test_concurrent_graphs_never_mix(chat: Any, spans: Spans) -> None:
    """200 runs at once: every span hangs below the run whose text it carries."""
    from langgraph.graph import START, StateGraph

    model = chat()

    async def think(state: State) -> State:
        with agentops.span("note", text=state["text"]):
            await asyncio.sleep(0)
        return {"answer": str((await model.ainvoke(state["text"])).content)}

    async def check(state: State) -> State:
        return {"answer": state["answer"].upper()}

    graph = StateGraph(State)
    graph.add_node("think", think)
    graph.add_node("check", check)
    graph.add_edge(START, "think")
    graph.add_edge("think", "check")
    compiled = graph.compile(name="crowd")
    await asyncio.gather(*(compiled.ainvoke({"text": f"question {n}."}) for n in range(200)))

    ended = spans()
    assert agentops.status().spans["open"] == 0
    known = by_id(ended)
    assert len(ended) == 200 * 5
    for span in ended:
        if span.parent is None:
            assert span.name == "invoke_workflow crowd"
            continue
        above = known[span.parent.span_id]
        expected = {"think": "invoke_workflow crowd", "check": "invoke_workflow crowd"}.get(span.name, "think")
        assert above.name == expected
        root = span
        while root.parent is not None:
            root = known[root.parent.span_id]
        mine = json.loads(root.attributes["agentops.input"])["text"]
        told = " ".join(str(value) for value in span.attributes.values())
        assert mine in told or mine.upper() in told


@pytest.mark.slow
def test_no_growth_over_many_runs(memory: Any, spans: Spans) -> None:
    from langchain_core.runnables import RunnableLambda

    from agentops_integrations.langchain import live_runs

    chain = RunnableLambda(lambda text: text + "!") | RunnableLambda(lambda text: text.upper())
    chain.invoke("first")  # what the handler is hooked on to is imported with the first run
    runs = live_runs.table
    assert runs is not None

    def many(count: int) -> None:
        for n in range(count):
            chain.invoke(f"run {n}")
            if n % 500 == 499:
                spans()
                memory.clear()

    many(500)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    many(3_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(runs.open) == len(runs._late) == 0
    assert agentops.status().spans["open"] == 0
    assert grown < 1_000_000  # texts that held no secret are known, up to a bound; a run that stayed would be 1 KB


class Hostile:
    """Raises, whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __str__(self) -> str:
        raise RuntimeError("str")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        return 1


def test_hostile_values_break_nothing(spans: Spans) -> None:
    from langchain_core.runnables import RunnableLambda

    cyclic: dict[str, Any] = {"huge": "x" * 5_000_000, "hostile": Hostile(), 3: {1, 2}}
    cyclic["itself"] = cyclic

    def give_back(value: Any) -> Any:
        return value

    assert RunnableLambda(give_back).invoke(cyclic) is cyclic
    hostile = Hostile()
    assert RunnableLambda(give_back).invoke(hostile) is hostile
    assert [span.attributes[OUTCOME] for span in spans()] == ["ok", "ok"]


def test_hostile_metadata_breaks_nothing(chat: Any, spans: Spans) -> None:
    config: Any = {"metadata": {"mine": Hostile(), "thread_id": "t", "n": 3}, "tags": ["a", "seq:step:9"]}
    chat().invoke("hello", config)
    (span,) = spans()
    assert span.attributes["agentops.metadata.n"] == 3
    assert span.attributes["gen_ai.conversation.id"] == "t"
    assert span.attributes["agentops.tags"] == ["a"]


async def test_a_failing_branch_leaves_the_others_right(spans: Spans) -> None:
    """The branch that goes on after the whole has failed ends as what it was."""
    from langchain_core.runnables import RunnableLambda, RunnableParallel

    failed, finished = asyncio.Event(), asyncio.Event()

    async def fail(text: str) -> str:
        raise ValueError(text)

    async def go_on(text: str) -> str:
        await failed.wait()
        finished.set()
        return text

    with pytest.raises(ValueError, match="hello"):
        await RunnableParallel(bad=RunnableLambda(fail), good=RunnableLambda(go_on)).ainvoke("hello")
    failed.set()
    await finished.wait()
    while agentops.status().spans["open"]:
        await asyncio.sleep(0)
    assert {span.name: span.attributes[OUTCOME] for span in spans()} == {
        "invoke_workflow RunnableParallel<bad,good>": "error",
        "fail": "error",
        "go_on": "ok",
    }


async def test_a_cancelled_graph_ends_every_run(chat: Any, spans: Spans) -> None:
    from examples.local_model import ToolCall
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    reached = asyncio.Event()

    @tool
    async def wait(why: str) -> str:
        """Wait for ever."""
        reached.set()
        await asyncio.Event().wait()
        return why

    model = chat(lambda request: Reply(tool_calls=(ToolCall("wait", {"why": "so"}),)))
    running = asyncio.create_task(create_agent(model, [wait], name="a").ainvoke({"messages": [("user", "go")]}))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outcomes = {span.name: span.attributes[OUTCOME] for span in spans()}
    assert agentops.status().spans["open"] == 0
    assert outcomes["invoke_agent a"] == outcomes["tools"] == outcomes["execute_tool wait"] == "cancelled"


def test_other_handlers_and_the_undo(chat: Any, spans: Spans) -> None:
    """A program's own handler sees what it always sees, before and after."""
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable, config
    from langchain_core.tracers import context
    from langgraph.pregel import Pregel

    class Mine(BaseCallbackHandler):
        seen = 0

        def on_chat_model_start(self, *_: Any, **__: Any) -> None:
            self.seen += 1

    mine, model = Mine(), chat()
    model.invoke("one", {"callbacks": [mine]})
    hooks = len(context._configure_hooks)
    assert len(spans()) == 1
    kept = model.with_config(callbacks=[mine])
    agentops.shutdown()
    assert len(context._configure_hooks) == hooks - 1
    for owner, name in (
        (BaseChatModel, "stream"),
        (BaseChatModel, "_generate_with_cache"),
        (Runnable, "_transform_stream_with_config"),
        (config, "_set_config_context"),
        (Pregel, "_defaults"),
        (type(model), "_stream"),
    ):
        assert not hasattr(getattr(owner, name), "__wrapped__") or name == "stream", name
    kept.invoke("two")
    assert mine.seen == 2


def test_a_model_of_ones_own_is_counted_once(chat: Any, spans: Spans) -> None:
    """Its tokens are those of the calls that it makes, wherever they are read."""
    from tests.langchain.programs_chains import own_chat_model

    own_chat_model(chat)
    ended = spans()
    outer = next(span for span in ended if span.parent is None)
    inner = [span for span in ended if span.parent is not None]
    assert outer.attributes["agentops.model_calls"] == 2
    assert "gen_ai.usage.input_tokens" not in outer.attributes
    assert len(inner) == 2
    assert all(span.attributes[KIND] == "llm" for span in inner)


def test_switched_off_internal_steps_move_children_up(memory: Any, chat: Any) -> None:
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnableLambda

    agentops.init(exporters=[memory], integrations=["langchain", "openai"], internal=False)

    def ask(word: str) -> Any:
        return ChatPromptTemplate.from_template("{x}") | chat() | StrOutputParser()

    RunnableLambda(ask).invoke({"x": "hi"})
    agentops.flush()
    ended = memory.finished_spans()
    known = by_id(ended)
    assert {span.name: known[span.parent.span_id].name for span in ended if span.parent} == {
        "chat gpt-4o-mini": "invoke_workflow ask",
        "StrOutputParser": "invoke_workflow ask",
    }


def test_what_a_node_changed(memory: Any) -> None:
    from langgraph.graph import START, StateGraph

    agentops.init(exporters=[memory], integrations=["langchain"], state_changes=True)
    graph = StateGraph(State)
    graph.add_node("answer", lambda state: {"answer": state["text"].upper()})
    graph.add_edge(START, "answer")
    graph.compile().invoke({"text": "hi", "answer": ""})
    agentops.flush()
    (node,) = [span for span in memory.finished_spans() if span.name == "answer"]
    assert json.loads(node.attributes["agentops.graph.changes"]) == {"answer": {"before": "", "wrote": "HI"}}


def test_attempts_of_the_client_are_on_the_one_span(chat: Any, spans: Spans) -> None:
    replies = iter([Reply(status=500, text="oops", headers={"retry-after-ms": "1"}), Reply(text="fine")])
    assert chat(lambda request: next(replies), max_retries=2).invoke("hello").content == "fine"
    (span,) = spans()
    assert [attempt["status"] for attempt in json.loads(span.attributes["agentops.attempts"])] == [500, 200]
    assert span.attributes[OUTCOME] == "ok"


def test_a_direct_call_between_two_pieces_of_a_stream_is_its_own(chat: Any, spans: Spans) -> None:
    import openai

    model = chat()
    client = openai.OpenAI(base_url=model.openai_api_base, api_key="local")
    pieces = model.stream("one two three")
    next(pieces)
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "aside"}])
    other = model.stream("four five six")
    next(other)
    rest, other_rest = list(pieces), list(other)
    assert rest
    assert other_rest
    ended = spans()
    assert sorted(span.name for span in ended) == ["chat gpt-4o", "chat gpt-4o-mini", "chat gpt-4o-mini"]
    assert all(span.parent is None for span in ended)
    assert len({span.attributes["gen_ai.response.id"] for span in ended}) == 3
    # The streams go to a server on this machine, which is not asked for usage.
    assert sorted(span.attributes["agentops.usage.source"] for span in ended) == ["estimated", "estimated", "reported"]


def test_threads_of_the_programs_own_keep_the_parent(chat: Any, spans: Spans) -> None:
    """A config that is handed to a thread carries its run there."""
    from concurrent.futures import ThreadPoolExecutor

    from langchain_core.runnables import RunnableConfig, RunnableLambda

    model = chat()

    def ask_all(words: list[str], config: RunnableConfig) -> list[str]:
        with ThreadPoolExecutor(4) as pool:
            return [str(reply.content) for reply in pool.map(lambda word: model.invoke(word, config), words)]

    assert len(RunnableLambda(ask_all).invoke(["a", "b", "c", "d"])) == 4
    ended = spans()
    known = by_id(ended)
    asked = [span for span in ended if span.attributes[KIND] == "llm"]
    assert [known[span.parent.span_id].name for span in asked] == ["invoke_workflow ask_all"] * 4


def test_what_is_open_at_shutdown_is_interrupted(memory: Any, chat: Any) -> None:
    pieces = chat().stream("one two three")
    next(pieces)
    agentops.shutdown()
    (span,) = memory.finished_spans()
    assert span.attributes[OUTCOME] == "interrupted"
    assert list(pieces)

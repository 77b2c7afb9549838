"""A graph stops to ask a person and goes on with the answer, however its reader leaves; the halves find each other."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from tests.langchain.forest import OUTCOME

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import load
from agentops_sdk.traces.decisions.narrative import story

Spans = Callable[[], tuple[Any, ...]]


class State(TypedDict, total=False):
    answer: Annotated[list[str], lambda old, new: old + new]


def ask(state: State) -> State:
    return {"answer": [str(interrupt({"question": "pay 12 euros?"}))]}


def pay(state: State) -> State:
    return {}


def payments(**options: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("pay", pay)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "pay")
    graph.add_edge("pay", END)
    return graph.compile(checkpointer=InMemorySaver(), name="payments", **options)


CONFIG: Any = {"configurable": {"thread_id": "t"}}
BEGIN: State = {"answer": []}


def _is_question(piece: Any) -> bool:
    return "__interrupt__" in str(piece)


def _break(app: Any, **options: Any) -> None:
    for piece in app.stream(BEGIN, CONFIG, **options):
        if _is_question(piece):
            break


def _close(app: Any) -> None:
    stream = app.stream(BEGIN, CONFIG)
    while not _is_question(next(stream)):
        pass
    stream.close()


def _raise(app: Any) -> None:
    with pytest.raises(LookupError):
        for piece in app.stream(BEGIN, CONFIG):
            if _is_question(piece):
                raise LookupError


async def _break_async(app: Any) -> None:
    async for piece in app.astream(BEGIN, CONFIG):
        if _is_question(piece):
            break


async def _close_async(app: Any) -> None:
    stream = app.astream(BEGIN, CONFIG)
    while not _is_question(await anext(stream)):
        pass
    await stream.aclose()


async def _events(app: Any) -> None:
    async for event in app.astream_events(BEGIN, CONFIG, version="v2"):
        if event["event"] == "on_chain_stream" and _is_question(event["data"]):
            break
    gc.collect()
    await asyncio.sleep(0)


LEAVING: dict[str, Callable[[Any], Any]] = {
    "read to its end": lambda app: list(app.stream(BEGIN, CONFIG)),
    "break": _break,
    "break out of several modes": lambda app: _break(app, stream_mode=["updates", "values"]),
    "break out of subgraphs": lambda app: _break(app, subgraphs=True),
    "saved at the end only": lambda app: _break(app, durability="exit"),
    "close": _close,
    "an exception of the reader's": _raise,
    "async break": _break_async,
    "async close": _close_async,
    "events": _events,
}


@pytest.mark.parametrize("way", LEAVING)
async def test_a_reader_leaves_at_the_question(way: str, spans: Spans) -> None:
    app = payments()
    leaving = LEAVING[way](app)
    if leaving is not None and not isinstance(leaving, list):
        await leaving
    assert (await app.ainvoke(Command(resume="yes"), CONFIG))["answer"] == ["yes"]
    while agentops.status().spans["open"]:  # what the event loop closes by itself
        await asyncio.sleep(0.01)
    ended = [span for span in spans() if span.name == "invoke_workflow payments"]
    asked, answered = sorted(ended, key=lambda span: span.start_time)
    assert (asked.attributes[OUTCOME], answered.attributes[OUTCOME]) == ("interrupted", "ok")
    (question,) = json.loads(asked.attributes[semconv.INTERRUPTS])
    assert question["value"] == {"question": "pay 12 euros?"}
    checkpoint = asked.attributes[semconv.GRAPH_CHECKPOINT_ID]
    assert answered.attributes[semconv.GRAPH_RESUMED_FROM] == checkpoint
    (link,) = answered.links
    assert link.context.span_id == asked.context.span_id
    assert not [span for span in spans() if span.status.status_code.name == "ERROR"]


def test_a_reader_leaves_at_a_breakpoint(spans: Spans) -> None:
    app = payments(interrupt_before=["ask"])
    _break(app)
    (span,) = spans()
    assert span.attributes[OUTCOME] == "interrupted"
    assert semconv.GRAPH_CHECKPOINT_ID in span.attributes


def test_a_reader_who_leaves_before_the_question_gives_the_run_up(spans: Spans) -> None:
    graph = StateGraph(State)
    graph.add_node("first", pay)
    graph.add_node("ask", ask)
    graph.add_edge(START, "first")
    graph.add_edge("first", "ask")
    for _ in graph.compile(checkpointer=InMemorySaver(), name="payments").stream(BEGIN, CONFIG):
        break
    outcomes = {span.name: span.attributes[OUTCOME] for span in spans()}
    assert outcomes == {"invoke_workflow payments": "abandoned", "first": "ok"}


def test_two_questions_at_once(spans: Spans) -> None:
    graph = StateGraph(State)
    for name in ("one", "two"):
        graph.add_node(name, lambda state, name=name: {"answer": [interrupt(name)]})
        graph.add_edge(START, name)
    _break(graph.compile(checkpointer=InMemorySaver(), name="payments"), stream_mode="values")
    (span,) = [span for span in spans() if span.name == "invoke_workflow payments"]
    assert sorted(each["value"] for each in json.loads(span.attributes[semconv.INTERRUPTS])) == ["one", "two"]


async def test_a_run_that_is_cancelled_while_it_asks_and_works_is_cancelled(spans: Spans) -> None:
    working = asyncio.Event()

    async def work(state: State) -> State:
        working.set()
        await asyncio.Event().wait()
        return {}

    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("work", work)
    graph.add_edge(START, "ask")
    graph.add_edge(START, "work")
    app = graph.compile(checkpointer=InMemorySaver(), name="payments")
    seen = asyncio.Event()

    async def read() -> None:
        async for piece in app.astream(BEGIN, CONFIG):
            if _is_question(piece):
                seen.set()

    running = asyncio.create_task(read())
    await working.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outcomes = {span.name: span.attributes[OUTCOME] for span in spans()}
    assert outcomes["invoke_workflow payments"] == outcomes["work"] == "cancelled"
    assert outcomes["ask"] == "interrupted"


def test_the_story_of_both_halves(chat: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is told before what it set in motion, and each half names the other."""
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=["langchain", "openai"])
    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("pay", lambda state: Command(goto=END))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", lambda state: "pay", ["pay", END])
    app = graph.compile(checkpointer=InMemorySaver(), name="payments")
    _break(app)
    app.invoke(Command(resume="yes"), CONFIG)
    assert agentops.flush()
    traces = load(tmp_path)
    answered, asked = list(traces)
    first, second = story(asked, traces), story(answered, traces)
    assert first == [
        f'The node ask stopped to ask a person: {{"question": "pay 12 euros?"}}. Answered in trace {answered.trace_id}.'
    ]
    assert second[0].startswith("A person said yes after ")
    assert second[0].endswith(f" Asked in trace {asked.trace_id}.")
    assert second[1].startswith("After ask, ")
    assert len(second) >= 2
    # The later half knows the earlier one by itself.
    assert story(answered)[0].endswith(f" Asked in trace {asked.trace_id}.")
    for trace, other in ((asked, answered), (answered, asked)):
        assert main(["decisions", trace.trace_id, "--dir", str(tmp_path)]) == 0
        assert other.trace_id in capsys.readouterr().out.replace("\n", "").replace(" ", "")
        assert main(["decisions", trace.trace_id, "--json", "--dir", str(tmp_path)]) == 0
        assert other.trace_id in capsys.readouterr().out


LATER = """
import sqlite3, sys
from typing import TypedDict
import agentops_sdk as agentops
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

class State(TypedDict, total=False):
    answer: str

agentops.init(exporters=[f"jsonl:{sys.argv[1]}"], integrations=["langchain"])
graph = StateGraph(State)
graph.add_node("ask", lambda state: {"answer": interrupt("may I?")})
graph.add_edge(START, "ask")
connection = sqlite3.connect(sys.argv[1] + "/state.sqlite", check_same_thread=False)
app = graph.compile(checkpointer=SqliteSaver(connection), name="later")
config = {"configurable": {"thread_id": "t"}}
if len(sys.argv) > 2:
    app.invoke(Command(resume=sys.argv[2]), config)
else:
    for piece in app.stream({"answer": ""}, config):
        if "__interrupt__" in piece:
            break
connection.close()
"""


def test_halves_in_two_processes(tmp_path: Path) -> None:
    pytest.importorskip("langgraph.checkpoint.sqlite", reason="langgraph-checkpoint-sqlite is not installed")
    for more in ([], ["yes"]):
        subprocess.run([sys.executable, "-c", LATER, str(tmp_path), *more], check=True, timeout=120)
    traces = load(tmp_path)
    answered, asked = list(traces)
    assert asked.outcome == "interrupted"
    assert story(asked, traces)[-1].endswith(f"Answered in trace {answered.trace_id}.")
    assert story(answered, traces)[0].endswith(f"Asked in trace {asked.trace_id}.")

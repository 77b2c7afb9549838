"""What a node's or a middleware's trace policy hides is in no span of it; one that fails hides everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import agentops_sdk as agentops

types = pytest.importorskip("langgraph.types", reason="langgraph is not installed")
if not hasattr(types, "TracePolicy"):
    pytest.skip("this version of langgraph has no trace policies", allow_module_level=True)

from langchain.agents import create_agent  # noqa: E402 - where there are policies
from langchain.agents.middleware import AgentMiddleware, configure_trace_policy  # noqa: E402 - the same
from langgraph.types import TracePolicy, omit_payload  # noqa: E402 - the same

Spans = Callable[[], tuple[Any, ...]]
INPUT, OUTPUT = "agentops.input", "agentops.output"
SECRET = "what nobody should find"
pytestmark = pytest.mark.filterwarnings("ignore::langgraph.warnings.LangGraphDeprecatedSinceV10")


class State(TypedDict, total=False):
    text: str
    answer: str


async def _later(state: State) -> State:
    return {"answer": state["text"]}


def _now(state: State) -> State:
    return {"answer": state["text"]}


async def run(policy: Any, spans: Spans, way: str) -> dict[str, Any]:
    """The attributes of each span of a graph whose first two nodes have a policy."""
    graph = StateGraph(State)
    graph.add_node("quiet", _now, trace_policy=policy)
    graph.add_node("quiet_too", _later if way.startswith("a") else _now, trace_policy=policy)
    graph.add_node("loud", _now)
    for begin, end in ((START, "quiet"), ("quiet", "quiet_too"), ("quiet_too", "loud")):
        graph.add_edge(begin, end)
    compiled = graph.compile(name="policies")
    given: State = {"text": SECRET}
    if way == "invoke":
        assert compiled.invoke(given)["answer"] == SECRET
    elif way == "stream":
        assert list(compiled.stream(given))
    elif way == "ainvoke":
        assert (await compiled.ainvoke(given))["answer"] == SECRET
    else:
        assert [piece async for piece in compiled.astream(given)]
    return {span.name: span.attributes for span in spans()}


WAYS = ["invoke", "stream", "ainvoke", "astream"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_nodes_policy_is_kept(way: str, spans: Spans) -> None:
    seen = await run(TracePolicy(process_inputs=omit_payload, process_outputs=omit_payload), spans, way)
    for name in ("quiet", "quiet_too"):
        assert (seen[name][INPUT], seen[name][OUTPUT]) == ("{}", "{}")
        assert SECRET not in json.dumps(dict(seen[name]))
    assert SECRET in seen["loud"][INPUT]
    assert SECRET in seen["loud"][OUTPUT]


@pytest.mark.parametrize("way", WAYS)
async def test_one_side_and_a_form_of_ones_own(way: str, spans: Spans) -> None:
    asked: list[Any] = []

    def shorten(state: Any) -> Any:
        asked.append(state)
        return {"letters": len(state["text"])}

    seen = await run(TracePolicy(process_inputs=shorten), spans, way)
    assert seen["quiet"][INPUT] == json.dumps({"letters": len(SECRET)}, separators=(",", ":"))
    assert SECRET in seen["quiet"][OUTPUT]
    assert len(asked) == 2  # once for each node: the program's function is not asked a second time


@pytest.mark.parametrize("way", WAYS)
async def test_a_policy_that_fails_hides_everything(way: str, spans: Spans) -> None:
    def fail(value: Any) -> Any:
        raise ValueError("no")

    seen = await run(TracePolicy(process_inputs=fail, process_outputs=fail), spans, way)
    for name in ("quiet", "quiet_too"):
        assert seen[name][INPUT] == seen[name][OUTPUT] == '"<trace policy failed>"'


async def test_changes_of_the_state_tell_nothing_of_it(memory: Any, spans: Spans) -> None:
    agentops.init(exporters=[memory], integrations=["langchain"], state_changes=True)
    seen = await run(TracePolicy(process_inputs=omit_payload), spans, "ainvoke")
    assert "agentops.graph.changes" not in seen["quiet"]
    assert "agentops.graph.changes" in seen["loud"]


def test_a_command_is_followed_all_the_same(spans: Spans) -> None:
    graph = StateGraph(State)
    policy = TracePolicy(process_outputs=omit_payload)
    graph.add_node("choose", lambda state: types.Command(goto="end", update={"answer": SECRET}), trace_policy=policy)
    graph.add_node("end", lambda state: {})
    graph.add_edge(START, "choose")
    graph.compile().invoke({"text": "x"})
    (span,) = [span for span in spans() if span.name == "choose"]
    assert span.attributes["agentops.graph.next"] == ["end"]
    assert span.attributes[OUTPUT] == "{}"


class Quiet(AgentMiddleware[Any, Any]):
    trace_policy = TracePolicy(process_inputs=omit_payload, process_outputs=omit_payload)

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any]:
        return {"messages": []}

    def after_agent(self, state: Any, runtime: Any) -> None:
        return None


class Plain(AgentMiddleware[Any, Any]):
    def before_model(self, state: Any, runtime: Any) -> None:
        return None


def test_a_middlewares_policy_is_kept(chat: Any, spans: Spans) -> None:
    create_agent(chat(), [], middleware=[Quiet()]).invoke({"messages": [("user", SECRET)]})
    hooks = [span for span in spans() if span.name.startswith("Quiet.")]
    assert sorted(span.name for span in hooks) == ["Quiet.after_agent", "Quiet.before_model"]
    for span in hooks:
        assert SECRET not in json.dumps(dict(span.attributes))


def test_the_policy_of_the_whole_program_is_kept(chat: Any, spans: Spans) -> None:
    agent = create_agent(chat(), [], middleware=[Plain()])
    configure_trace_policy(TracePolicy(process_inputs=omit_payload))
    try:
        agent.invoke({"messages": [("user", SECRET)]})
    finally:
        configure_trace_policy(None)
    (span,) = [span for span in spans() if span.name == "Plain.before_model"]
    assert span.attributes[INPUT] == "{}"


def test_functional_tasks_are_recorded_as_before(spans: Spans) -> None:
    from langgraph.func import entrypoint, task

    @task
    def shout(text: str) -> str:
        return text.upper()

    @entrypoint()
    def main(text: str) -> str:
        return shout(text).result()

    assert main.invoke("hello") == "HELLO"
    seen = {span.name: span.attributes for span in spans()}
    assert json.loads(seen["shout"][INPUT]) == {"text": "hello"}

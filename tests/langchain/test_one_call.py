"""A call that two report is one call in every count: a framework's tool and the decorated function it runs."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from examples.local_model import Reply, ToolCall
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, ToolException, tool

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.testing import capture
from agentops_sdk.traces.decisions.narrative import story
from agentops_sdk.traces.figures.loops import loops
from agentops_sdk.traces.figures.tables import stats


@tool
@agentops.tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool("weather")
@agentops.tool
async def async_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool("weather")
@agentops.tool(name="forecast")
def renamed(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool("weather")
@agentops.tool
@agentops.tool(name="forecast")
def decorated_twice(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


class Weather(BaseTool):
    name: str = "weather"
    description: str = "The weather in a city."

    @agentops.tool
    def _run(self, city: str) -> str:
        return f"sunny in {city}"


def _logged(function: Any) -> Any:
    @functools.wraps(function)
    def logged(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return logged


@tool("weather")
@_logged
@agentops.tool(name="forecast")
def with_another_between(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@agentops.tool(name="weather")
def _inside(city: str) -> str:
    return f"sunny in {city}"


@tool("weather")
def of_the_same_name_inside(city: str) -> str:
    """The weather in a city."""
    return _inside(city)


def plain(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


FORMS: dict[str, Any] = {
    "one name": weather,
    "async": async_weather,
    "two names": renamed,
    "decorated twice": decorated_twice,
    "a class": Weather(),
    "another decorator between": with_another_between,
    "the same name inside": of_the_same_name_inside,
    "a bare function": agentops.tool(name="weather")(plain),
    "both ways": StructuredTool.from_function(
        agentops.tool(plain),
        coroutine=agentops.tool(async_weather.coroutine),
        name="weather",
        description="The weather in a city.",
    ),
}


def _ask_once(request: dict[str, Any]) -> Reply:
    answered = any(message["role"] == "tool" for message in request["messages"])
    (offered,) = (each["function"]["name"] for each in request["tools"])
    return Reply(text="Sunny.") if answered else Reply(tool_calls=(ToolCall(offered, {"city": "Oslo"}),))


@pytest.mark.parametrize("form", FORMS)
async def test_a_tool_that_an_agent_runs_is_called_once(form: str, chat: Any) -> None:
    given = FORMS[form]
    name = "plain" if form == "a bare function" else "weather"
    with capture() as traces:
        agent = create_agent(chat(_ask_once), [given], name="forecaster")
        asked = {"messages": [("user", "x")]}
        await (agent.ainvoke(asked) if form in ("async", "both ways") else _now(agent.invoke, asked))
    traces.assert_tool_called(name, times=1, args={"city": "Oslo"})
    traces.assert_tools([name])
    trace = traces.one()
    (call,) = trace.tool_calls
    assert call.name == f"execute_tool {name}"
    assert json.loads(call.attributes[semconv.TOOL_CALL_RESULT]) == "sunny in Oslo"
    assert call.attributes[semconv.TOOL_CALL_ID]
    assert [row.calls for row in stats([trace], by="tool").rows if row.key == name] == [1]
    assert loops(trace) == []
    chosen = trace.decisions[0]
    assert [span.span_id for span in chosen.followed_by] == [call.span_id]
    assert trace.tree().count("execute_tool") == 1
    assert sum("called" in sentence and "without" not in sentence for sentence in story(trace)) == 1


async def _now(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def test_what_the_program_hides_is_hidden_in_the_one_call() -> None:
    @tool
    @agentops.tool(capture_input=False, process_output=lambda _: "hidden")
    def vault(code: str) -> str:
        """Open the vault."""
        return f"open with {code}"

    @tool
    @agentops.tool(process_input=lambda given: {"code": len(given["code"])}, capture_output=False)
    def door(code: str) -> str:
        """Open the door."""
        return f"open with {code}"

    with capture() as traces:
        assert vault.invoke({"code": "1234"}) == "open with 1234"
        assert door.invoke({"code": "1234"}) == "open with 1234"
    first, second = (trace.tool_calls[0].attributes for trace in traces)
    assert semconv.TOOL_CALL_ARGUMENTS not in first
    assert first[semconv.TOOL_CALL_RESULT] == '"hidden"'
    assert second[semconv.TOOL_CALL_ARGUMENTS] == '{"code":4}'
    assert semconv.TOOL_CALL_RESULT not in second
    assert "1234" not in str([span.attributes for span in traces.spans])


def test_arguments_are_those_of_the_model() -> None:
    """What a framework injects is in the function's arguments, and in none of the call's."""

    @tool
    @agentops.tool(cost=0.5, attributes={"team": "weather"})
    def search(word: str, session: Annotated[str, InjectedToolArg]) -> str:
        """Search."""
        agentops.current_span().set("inside", True)
        return word

    with capture() as traces:
        search.invoke({"word": "x", "session": "s-1"})
    (call,) = traces.tool_calls
    assert call.attributes["team"] == "weather"
    assert call.attributes["inside"] is True
    assert call.attributes[semconv.COST_AMOUNT] == 0.5
    assert traces.cost.amount == pytest.approx(0.5)


def test_failures_are_told_once() -> None:
    @tool
    @agentops.tool
    def broken(city: str) -> str:
        """Break."""
        raise ToolException("no")

    broken.handle_tool_error = True
    with capture() as traces:
        broken.invoke({"type": "tool_call", "id": "c", "name": "broken", "args": {"city": "Oslo"}})
        broken.handle_tool_error = False
        with pytest.raises(ToolException):
            broken.invoke({"city": "Oslo"})
    assert [call.outcome for call in traces.tool_calls] == ["error", "error"]
    assert [len(call.events) for call in traces.tool_calls] == [0, 1]


def test_what_runs_again_by_itself_is_still_one_call() -> None:
    attempts: list[int] = []

    def again(function: Any) -> Any:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ValueError:
                return function(*args, **kwargs)

        return run

    @tool
    @again
    @agentops.tool
    def flaky(city: str) -> str:
        """Work the second time."""
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError
        return "fine"

    with capture() as traces:
        assert flaky.invoke({"city": "Oslo"}) == "fine"
    traces.assert_tool_called("flaky", times=1)
    assert traces.tool_calls[0].outcome == "ok"


# --- calls that are two ---------------------------------------------------------------------------


def test_a_tool_that_calls_another_one() -> None:
    @agentops.tool
    def look_up(city: str) -> str:
        return f"sunny in {city}"

    @tool
    def outer(city: str) -> str:
        """Look it up."""
        return look_up(city)

    @tool
    @agentops.tool
    def decorated(city: str) -> str:
        """Look it up."""
        return look_up(city) + weather.invoke({"city": city})

    with capture() as traces:
        outer.invoke({"city": "Oslo"})
        decorated.invoke({"city": "Oslo"})
    assert [call.tool for call in traces.tool_calls] == ["outer", "look_up", "decorated", "look_up", "weather"]


def test_a_tool_that_calls_itself() -> None:
    @tool
    @agentops.tool
    def factorial(n: int) -> int:
        """Multiply."""
        return n * factorial.invoke({"n": n - 1}) if n else 1

    @agentops.tool
    def down(n: int) -> int:
        return n and down(n - 1)

    @agentops.tool
    def to_and_fro(n: int) -> int:
        return n and framework.invoke({"n": n - 1})

    framework = StructuredTool.from_function(to_and_fro, name="to_and_fro", description="Go.")

    with capture() as traces:
        assert factorial.invoke({"n": 3}) == 6
        down(3)
        to_and_fro(3)
        framework.invoke({"n": 3})
    for trace in traces:
        assert len(trace.tool_calls) == 4, trace.tree()
        numbers = [json.loads(call.attributes[semconv.TOOL_CALL_ARGUMENTS])["n"] for call in trace.tool_calls]
        assert numbers == [3, 2, 1, 0]


def test_the_same_tool_twice_in_a_row() -> None:
    @tool
    def several(city: str) -> str:
        """Ask twice."""
        return _inside(city) + _inside("Rome")

    with capture() as traces, agentops.span("run"):
        weather.invoke({"city": "Oslo"})
        weather.invoke({"city": "Oslo"})
        several.invoke({"city": "Oslo"})
    assert [call.tool for call in traces.tool_calls] == ["weather", "weather", "several", "weather", "weather"]
    assert [str(loop) for loop in loops(traces.one())] == ["tool weather was called 3 times with the same arguments"]


# --- the program around the framework ---------------------------------------------------------------


def test_a_decorated_function_that_runs_a_tool_of_its_name() -> None:
    @agentops.tool(name="weather")
    def around(city: str) -> str:
        return str(weather.invoke({"city": city})).upper()

    with capture() as traces:
        around("Oslo")
    (call,) = traces.tool_calls
    assert json.loads(call.attributes[semconv.TOOL_CALL_RESULT]) == "SUNNY IN OSLO"


def test_a_block_around_a_tool_of_its_name() -> None:
    with capture() as traces, agentops.span("weather", kind="tool") as span:
        span.set_input({"city": "Oslo"})
        weather.invoke({"city": "Oslo"})
    traces.assert_tools(["weather"])


@pytest.mark.parametrize("named", [True, False], ids=["named alike", "without a name"])
def test_an_agent_of_the_programs_that_runs_a_prebuilt_one(named: bool, chat: Any) -> None:
    model = chat(_ask_once)
    prebuilt = create_agent(model, [weather], **({"name": "forecaster"} if named else {}))

    @agentops.agent
    def forecaster(question: str) -> str:
        model.bind_tools([weather]).invoke("first of all")
        return str(prebuilt.invoke({"messages": [("user", question)]})["messages"][-1].content)

    with capture() as traces:
        assert forecaster("x") == "Sunny."
    trace = traces.one()
    (agent,) = trace.agents
    assert json.loads(agent.attributes["agentops.input"]) == {"question": "x"}
    assert json.loads(agent.attributes["agentops.output"]) == "Sunny."
    assert {span.attributes[semconv.AGENT_NAME] for span in trace.tool_calls} == {"forecaster"}
    traces.assert_tools(["weather"])
    (row,) = [row for row in stats([trace], by="agent").rows if row.calls]
    assert (row.key, row.calls) == ("forecaster", 1)


def test_a_supervisor_of_the_programs_and_its_workers(chat: Any) -> None:
    model = chat(lambda _: Reply(text="Done."))
    workers = [create_agent(model, [weather], name=name) for name in ("writer", "editor", "writer")]

    @agentops.agent
    def supervisor() -> None:
        for worker in workers:
            worker.invoke({"messages": [("user", "x")]})

    with capture() as traces:
        supervisor()
    assert traces.agents.names == ["supervisor", "writer", "editor", "writer"]


def test_an_agent_that_waits_for_a_person_is_interrupted(chat: Any) -> None:
    from typing import TypedDict

    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, StateGraph
    from langgraph.types import interrupt

    class State(TypedDict):
        answer: str

    graph = StateGraph(State)
    graph.add_node("ask", lambda state: {"answer": interrupt("may I?")})
    graph.add_edge(START, "ask")
    app = graph.compile(checkpointer=InMemorySaver(), name="payments")

    @agentops.workflow
    def payments() -> Any:
        return app.invoke({"answer": ""}, {"configurable": {"thread_id": "t"}})

    with capture() as traces:
        payments()
    root = traces.one().root
    assert root.outcome == "interrupted"
    assert semconv.GRAPH_CHECKPOINT_ID in root.attributes
    assert [made.kind for made in traces.decisions] == ["approval"]
    assert len(traces.spans(kind="workflow")) == 1

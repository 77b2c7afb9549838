"""Programs of graphs and agents as people write them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypedDict

from examples.local_model import Reply, ToolCall
from langgraph.types import Command, Send

Chat = Callable[..., Any]


def _calls(request: dict[str, Any], name: str, **arguments: Any) -> Reply:
    """Call a tool once, then answer."""
    answered = any(message["role"] == "tool" for message in request["messages"])
    return Reply(text="Done.") if answered else Reply(tool_calls=(ToolCall(name, arguments),))


def react_agent(chat: Chat) -> None:
    """A model in a loop with a tool."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"Sunny in {city}."

    model = chat(lambda request: _calls(request, "weather", city="Lisbon"))
    agent = create_agent(model, [weather], name="forecaster")
    assert agent.invoke({"messages": [("user", "Weather?")]})["messages"][-1].content == "Done."


async def async_react_agent_streamed(chat: Chat) -> None:
    """The same, asynchronous and streamed token by token."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    @tool
    async def weather(city: str) -> str:
        """Tell the weather."""
        return f"Sunny in {city}."

    agent = create_agent(
        chat(lambda request: _calls(request, "weather", city="Lisbon")), [weather], name="forecaster"
    )  # fmt: skip
    pieces = [piece async for piece in agent.astream({"messages": [("user", "Weather?")]}, stream_mode="messages")]
    assert pieces


def tool_error_and_recovery(chat: Chat) -> None:
    """A tool raises, the model is told, and tries another one."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import ToolCallLimitMiddleware  # a middleware hooks in as nodes of its own
    from langchain_core.tools import ToolException, tool

    @tool
    def flaky(city: str) -> str:
        """Tell the weather, sometimes."""
        raise ToolException("station is down")

    flaky.handle_tool_error = True

    @tool
    def steady(city: str) -> str:
        """Tell the weather."""
        return "Sunny."

    def script(request: dict[str, Any]) -> Reply:
        told = [message["content"] for message in request["messages"] if message["role"] == "tool"]
        wanted = ["flaky", "steady"][len(told) : len(told) + 1]
        return Reply(tool_calls=tuple(ToolCall(name, {"city": "Lisbon"}) for name in wanted), text="Done.")

    agent = create_agent(
        chat(script), [flaky, steady], middleware=[ToolCallLimitMiddleware(run_limit=9)], name="forecaster"
    )  # fmt: skip
    agent.invoke({"messages": [("user", "Weather?")]})


def failing_tool(chat: Chat) -> None:
    """A tool's exception ends the graph."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        raise ConnectionError("no route")

    agent = create_agent(chat(lambda request: _calls(request, "weather", city="Lisbon")), [weather])
    try:
        agent.invoke({"messages": [("user", "Weather?")]})
    except ConnectionError:
        return
    raise AssertionError


class Question(TypedDict, total=False):
    text: str
    topic: str
    answer: str


def router(chat: Chat) -> None:
    """A conditional edge between two answerers."""
    from langgraph.graph import END, START, StateGraph

    model = chat()

    def classify(state: Question) -> Question:
        return {"topic": "billing" if "bill" in state["text"] else "general"}

    def route(state: Question) -> Literal["billing", "general"]:
        return state["topic"]  # type: ignore[return-value]  # one of the two

    def answer(state: Question) -> Question:
        return {"answer": model.invoke(state["text"]).content}

    graph = StateGraph(Question)
    graph.add_node("classify", classify)
    graph.add_node("billing", answer)
    graph.add_node("general", answer)
    graph.add_edge(START, "classify")
    graph.add_conditional_edges("classify", route)
    graph.add_edge("billing", END)
    graph.add_edge("general", END)
    assert graph.compile(name="helpdesk").invoke({"text": "my bill"})["topic"] == "billing"


class Jokes(TypedDict, total=False):
    subjects: list[str]
    subject: str
    jokes: Annotated[list[str], operator.add]


def map_reduce(chat: Chat) -> None:
    """``Send`` fans out, one node gathers."""
    from langgraph.graph import END, START, StateGraph

    model = chat()
    graph = StateGraph(Jokes)
    graph.add_node("plan", lambda state: {"subjects": ["cats", "dogs", "owls"]})
    graph.add_node("joke", lambda state: {"jokes": [model.invoke(state["subject"]).content]})
    graph.add_node("pick", lambda state: {"subject": state["jokes"][0]})
    graph.add_edge(START, "plan")

    def fan_out(state: Jokes) -> list[Send]:
        return [Send("joke", {"subject": subject}) for subject in state["subjects"]]

    graph.add_conditional_edges("plan", fan_out, ["joke"])
    graph.add_edge("joke", "pick")
    graph.add_edge("pick", END)
    assert len(graph.compile().invoke({})["jokes"]) == 3


def commands(chat: Chat) -> None:
    """Nodes that say themselves where to go on."""
    from langgraph.graph import START, StateGraph

    def triage(state: Question) -> Command[Literal["expert", "clerk"]]:
        return Command(goto="expert", update={"topic": "hard"})

    def expert(state: Question) -> Question:
        return {"answer": "42"}

    graph = StateGraph(Question)
    graph.add_node("triage", triage)
    graph.add_node("expert", expert)
    graph.add_node("clerk", expert)
    graph.add_edge(START, "triage")
    assert graph.compile().invoke({"text": "?"})["answer"] == "42"


def subgraph(chat: Chat) -> None:
    """A graph as a node of another one."""
    from langgraph.graph import START, StateGraph

    model = chat()
    inner = StateGraph(Question)
    inner.add_node("think", lambda state: {"topic": model.invoke(state["text"]).content})
    inner.add_edge(START, "think")
    outer = StateGraph(Question)
    outer.add_node("research", inner.compile(name="research"))
    outer.add_node("write", lambda state: {"answer": state["topic"]})
    outer.add_edge(START, "research")
    outer.add_edge("research", "write")
    assert outer.compile(name="report").invoke({"text": "why"})["answer"] == "You said: why"


def supervisor(chat: Chat) -> None:
    """A supervisor hands over to two workers, one after the other."""
    from langchain.agents import create_agent
    from langgraph_supervisor import create_supervisor

    def script(request: dict[str, Any]) -> Reply:
        tools = {tool["function"]["name"] for tool in request.get("tools") or ()}
        if not tools:
            return Reply(text="Worked.")
        handed = sum(
            1
            for message in request["messages"]
            for call in message.get("tool_calls") or ()
            if call["function"]["name"].startswith("transfer_to_") and "back" not in call["function"]["name"]
        )
        wanted = ["transfer_to_writer", "transfer_to_editor"][handed : handed + 1]
        return Reply(tool_calls=tuple(ToolCall(name, {}) for name in wanted), text="All done.")

    model = chat(script)
    workers = [create_agent(model, [], name=name) for name in ("writer", "editor")]
    graph = create_supervisor(workers, model=model, supervisor_name="boss").compile(name="office")
    assert graph.invoke({"messages": [("user", "Write it.")]})["messages"][-1].content == "All done."


def swarm(chat: Chat) -> None:
    """Two agents, one hands over to the other by itself."""
    from langchain.agents import create_agent
    from langgraph_swarm import create_handoff_tool, create_swarm

    def script(request: dict[str, Any]) -> Reply:
        tools = {tool["function"]["name"] for tool in request.get("tools") or ()}
        called = any(message.get("tool_calls") for message in request["messages"])
        if "transfer_to_bob" in tools and not called:
            return Reply(tool_calls=(ToolCall("transfer_to_bob", {}),))
        return Reply(text="Ahoy.")

    model = chat(script)
    alice = create_agent(model, [create_handoff_tool(agent_name="bob")], name="alice")
    bob = create_agent(model, [create_handoff_tool(agent_name="alice")], name="bob")
    graph = create_swarm([alice, bob], default_active_agent="alice").compile(name="crew")
    assert graph.invoke({"messages": [("user", "Talk to Bob.")]})["messages"][-1].content == "Ahoy."


def approval(chat: Chat) -> None:
    """A human is asked, and answers, in one process."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, StateGraph
    from langgraph.types import interrupt

    def ask(state: Question) -> Question:
        return {"answer": interrupt({"may I": state["text"]})}

    graph = StateGraph(Question)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    compiled = graph.compile(checkpointer=InMemorySaver(), name="approval")
    config: Any = {"configurable": {"thread_id": "t1"}}
    assert "__interrupt__" in compiled.invoke({"text": "pay"}, config)
    assert compiled.invoke(Command(resume="yes"), config)["answer"] == "yes"


def breakpoint_before(chat: Chat) -> None:
    """A graph that stops before a node, and is told to go on."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, StateGraph

    graph = StateGraph(Question)
    graph.add_node("draft", lambda state: {"topic": "x"})
    graph.add_node("send", lambda state: {"answer": "sent"})
    graph.add_edge(START, "draft")
    graph.add_edge("draft", "send")
    compiled = graph.compile(checkpointer=InMemorySaver(), interrupt_before=["send"], name="mailer")
    config: Any = {"configurable": {"thread_id": "t2"}}
    compiled.invoke({"text": "x"}, config)
    assert compiled.invoke(None, config)["answer"] == "sent"


def functional(chat: Chat) -> None:
    """A workflow written as functions, two tasks at once."""
    from langgraph.func import entrypoint, task

    model = chat()

    @task
    def translate(word: str) -> str:
        return str(model.invoke(word).content)

    @entrypoint()
    def workflow(words: list[str]) -> list[str]:
        return [future.result() for future in [translate(word) for word in words]]

    assert len(workflow.invoke(["one", "two"])) == 2


def human_in_the_loop(chat: Chat) -> None:
    """An agent may not use a tool before a person agrees."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.tools import tool
    from langgraph.checkpoint.memory import InMemorySaver

    @tool
    def pay(amount: int) -> str:
        """Pay an amount."""
        return f"paid {amount}"

    agent = create_agent(
        chat(lambda request: _calls(request, "pay", amount=5)),
        [pay],
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"pay": True})],
        checkpointer=InMemorySaver(),
        name="cashier",
    )
    config: Any = {"configurable": {"thread_id": "t3"}}
    agent.invoke({"messages": [("user", "Pay 5.")]}, config)
    done = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
    assert done["messages"][-1].content == "Done."


def long_memory(chat: Chat) -> None:
    """A conversation over two runs, with a store that outlives it."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.store.base import BaseStore
    from langgraph.store.memory import InMemoryStore

    model = chat()

    def answer(state: MessagesState, *, store: BaseStore) -> Any:
        store.put(("facts",), str(len(state["messages"])), {"said": state["messages"][-1].content})
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    compiled = graph.compile(checkpointer=InMemorySaver(), store=InMemoryStore(), name="companion")
    config: Any = {"configurable": {"thread_id": "t4"}}
    for text in ("I am Ada.", "Who am I?"):
        done = compiled.invoke({"messages": [("user", text)]}, config)
    assert len(done["messages"]) == 4


async def mcp_tools(chat: Chat) -> None:
    """An agent whose tool lives in a server of its own, behind the Model Context Protocol."""
    import sys
    from pathlib import Path

    from langchain.agents import create_agent
    from langchain_mcp_adapters.client import MultiServerMCPClient

    server = {"transport": "stdio", "command": sys.executable, "args": [str(Path(__file__).parent / "mcp_server.py")]}
    tools = await MultiServerMCPClient({"sums": server}).get_tools()  # type: ignore[dict-item]  # a connection as plain data
    agent = create_agent(chat(lambda request: _calls(request, "add", a=2, b=3)), tools, name="clerk")
    done = await agent.ainvoke({"messages": [("user", "2 + 3?")]})
    assert done["messages"][-1].content == "Done."


async def parallel_nodes(chat: Chat) -> None:
    """Two nodes at once, one of which fails; the graph fails with it."""
    import asyncio

    from langgraph.graph import START, StateGraph

    async def good(state: Question) -> Question:
        await asyncio.Event().wait()
        return {"topic": "good"}

    async def bad(state: Question) -> Question:
        raise LookupError("nothing there")

    graph = StateGraph(Question)
    graph.add_node("good", good)
    graph.add_node("bad", bad)
    graph.add_edge(START, "good")
    graph.add_edge(START, "bad")
    try:
        await graph.compile(name="pair").ainvoke({"text": "?"})
    except LookupError:
        return
    raise AssertionError


async def graph_events(chat: Chat) -> None:
    """``astream_events`` over an agent; the events come as ever."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return "Sunny."

    agent = create_agent(chat(lambda request: _calls(request, "weather", city="Lisbon")), [weather], name="watched")
    given: Any = {"messages": [("user", "Weather?")]}
    kinds = [event["event"] async for event in agent.astream_events(given, version="v2")]
    assert kinds.count("on_tool_end") == 1
    assert "on_chat_model_stream" in kinds


PROGRAMS = [
    react_agent,
    async_react_agent_streamed,
    tool_error_and_recovery,
    failing_tool,
    router,
    map_reduce,
    commands,
    subgraph,
    supervisor,
    swarm,
    approval,
    breakpoint_before,
    functional,
    human_in_the_loop,
    long_memory,
    mcp_tools,
    parallel_nodes,
    graph_events,
]

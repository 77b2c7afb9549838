"""A graph that fans out and gathers, and then decides where to go: ``python examples/langgraph_map_reduce.py``."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk.cli import main as show


class State(TypedDict, total=False):
    """What the graph knows."""

    subjects: list[str]
    subject: str
    jokes: Annotated[list[str], operator.add]
    best: str


def joker(request: dict[str, Any]) -> Reply:
    """Play a model that knows one joke about everything."""
    subject = str(request["messages"][-1]["content"]).rsplit(" ", maxsplit=1)[-1]
    return Reply(text=f"Why did the {subject} cross the road? To be traced.")


def fan_out(state: State) -> list[Send]:
    return [Send("joke", {"subject": subject}) for subject in state["subjects"]]


def judge(state: State) -> Command[Literal["praise", "apologize"]]:
    best = max(state["jokes"], key=len)
    return Command(goto="praise" if "traced" in best else "apologize", update={"best": best})


def main() -> None:
    agentops.init(state_changes=True)
    with LocalModel(joker) as server:
        model = ChatOpenAI(model="gpt-4o-mini", base_url=server.base_url, api_key="local")  # type: ignore[arg-type]  # pydantic's SecretStr takes text

        def joke(state: State) -> State:
            return {"jokes": [str(model.invoke(f"A joke about a {state['subject']}").content)]}

        graph = StateGraph(State)
        graph.add_node("joke", joke)
        graph.add_node("judge", judge)
        graph.add_node("praise", lambda state: {"best": "Ha! " + state["best"]})
        graph.add_node("apologize", lambda _: {"best": "Sorry."})
        graph.add_conditional_edges(START, fan_out, ["joke"])
        graph.add_edge("joke", "judge")
        graph.add_edge("praise", END)
        graph.add_edge("apologize", END)
        print(graph.compile(name="comedy").invoke({"subjects": ["chicken", "span", "graph"]})["best"])
    agentops.shutdown()
    show(["show", "latest"])


if __name__ == "__main__":
    main()

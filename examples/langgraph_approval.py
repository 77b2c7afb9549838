"""A graph that asks a person and goes on in a later process.

Run it twice: ``python examples/langgraph_approval.py`` asks, ``python examples/langgraph_approval.py yes`` answers.
The second trace says which checkpoint it resumed, the first one ended with that very checkpoint.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

import agentops_sdk as agentops
from agentops_sdk.cli import main as show


class Payment(TypedDict, total=False):
    """What the graph knows."""

    amount: int
    approved: str


def ask(state: Payment) -> Payment:
    return {"approved": interrupt({"question": f"May I pay {state['amount']} euros?"})}


def pay(state: Payment) -> Payment:
    print("Paid." if state["approved"] == "yes" else "Not paid.")
    return {}


def main() -> None:
    agentops.init()
    graph = StateGraph(Payment)
    graph.add_node("ask", ask)
    graph.add_node("pay", pay)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "pay")
    graph.add_edge("pay", END)
    config: Any = {"configurable": {"thread_id": "payment-1"}}
    connection = sqlite3.connect("payments.sqlite", check_same_thread=False)
    compiled = graph.compile(checkpointer=SqliteSaver(connection), name="payment")
    if len(sys.argv) > 1:
        compiled.invoke(Command(resume=sys.argv[1]), config)
    else:
        asked = compiled.invoke({"amount": 120}, config)
        print(asked["__interrupt__"][0].value["question"])
    connection.close()
    agentops.shutdown()
    show(["show", "latest"])


if __name__ == "__main__":
    main()

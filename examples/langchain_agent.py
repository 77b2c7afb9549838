"""An agent of LangChain's with two tools, streamed: ``python examples/langchain_agent.py``.

Talks to the bundled model server, or to OpenAI where ``OPENAI_API_KEY`` is set.
"""

from __future__ import annotations

import os
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from local_model import LocalModel

import agentops_sdk as agentops
from agentops_sdk.cli import main as show


@tool
def get_weather(city: str) -> str:
    """The weather of tomorrow in a city."""
    with agentops.span("forecast", kind="task"):  # a span of the program's own nests where it belongs
        return f"{city} will be sunny, 24 degrees."


@tool
def convert_currency(amount: float, source: str, target: str) -> str:
    """Convert an amount of money from one currency to another."""
    return f"{amount:g} {source} are {amount * 0.92:.2f} {target}."


def main() -> None:
    agentops.init()
    with LocalModel() as server:
        if "OPENAI_API_KEY" not in os.environ:
            os.environ.update(OPENAI_API_KEY="local", OPENAI_BASE_URL=server.base_url)
        agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), [get_weather, convert_currency], name="trip_planner")
        question: Any = {"messages": [{"role": "user", "content": "Lisbon tomorrow with 120 USD: what do I need?"}]}
        pieces: Any = agent.stream(question, stream_mode="messages")
        for token, _ in pieces:
            print(token.text, end="", flush=True)
    print()
    agentops.shutdown()
    show(["show", "latest"])


if __name__ == "__main__":
    main()

"""A real agent loop, and what agentops shows of it: several model turns, two tools, one failure, one stream.

``make demo`` runs it. With ``OPENAI_API_KEY`` set it talks to the real service (or to ``OPENAI_BASE_URL``); without, to
the bundled model server beside this file, over real HTTP on loopback.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
from local_model import LocalModel

import agentops_sdk as agentops
from agentops_sdk.cli import main as show

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
RATES = {("USD", "EUR"): 0.92, ("USD", "GBP"): 0.79, ("EUR", "USD"): 1.09}
SYSTEM = (
    "You plan trips. Use the tools for every fact, several at once where you can. "
    "When a tool answers with an error, call it once more with the same arguments. "
    "When you have every fact, say so in one short sentence."
)
QUESTION = "I fly to Lisbon tomorrow with 120 US dollars in my pocket. What should I pack, and how many euros is that?"


@agentops.tool
def get_weather(city: str) -> str:
    """The weather of tomorrow in a city."""
    return f"{city} will be sunny, 24 degrees, with a light breeze."


class ExchangeClosedError(Exception):
    """The exchange office does not answer."""


class Exchange:
    """An exchange office whose first customer of the day has to come back."""

    def __init__(self) -> None:
        self.open = False

    @agentops.tool
    def convert_currency(self, amount: float, source: str, target: str) -> str:
        """Convert an amount of money from one currency to another."""
        if not self.open:
            self.open = True
            raise ExchangeClosedError("the exchange is just opening, try again")
        return f"{amount:g} {source} are {amount * RATES[source, target]:.2f} {target}."


def describe(name: str, description: str, **properties: str) -> Any:
    """What the model is told of a tool."""
    parameters = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = [
    describe("get_weather", "The weather of tomorrow in a city.", city="string"),
    describe(
        "convert_currency",
        "Convert an amount of money. Currencies are ISO 4217 codes.",
        amount="number",
        source="string",
        target="string",
    ),
]


@agentops.agent(name="trip_planner")
def plan_trip(client: openai.OpenAI, question: str) -> str:
    """Answer a traveller's question: let the model call tools until it has every fact, then stream its answer."""
    tools: dict[str, Callable[..., str]] = {
        "get_weather": get_weather,
        "convert_currency": Exchange().convert_currency,
    }
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    for _ in range(6):
        reply = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        message = reply.choices[0].message
        messages.append(message.to_dict())
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            if call.type == "function":
                result = use(tools[call.function.name], call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    messages.append({"role": "user", "content": "Now answer me in two sentences."})
    answer = ""
    asked: Any = {"include_usage": True}  # a server of one's own is not asked for its token counts unless one says so
    with client.chat.completions.create(model=MODEL, messages=messages, stream=True, stream_options=asked) as stream:
        for chunk in stream:
            piece = (chunk.choices[0].delta.content or "") if chunk.choices else ""
            print(piece, end="", flush=True)
            answer += piece
    print()
    return answer


def use(tool: Callable[..., str], arguments: str) -> str:
    """Call a tool as the model asked; what goes wrong is an answer as well, and the model's to deal with."""
    try:
        return tool(**json.loads(arguments))
    except (ExchangeClosedError, KeyError, TypeError, ValueError) as error:
        return f"error: {error}"


@contextlib.contextmanager
def connect() -> Iterator[openai.OpenAI]:
    """A client of the real service when there is a key, else of the bundled server."""
    if os.environ.get("OPENAI_API_KEY"):
        with openai.OpenAI() as client:
            print(f"Asking {MODEL} at {client.base_url.host} ...\n")
            yield client
        return
    with LocalModel(latency=0.15, chunk_delay=0.02) as server:
        print(f"No OPENAI_API_KEY: asking the bundled model server at {server.base_url} ...\n")
        with openai.OpenAI(base_url=server.base_url, api_key="local") as client:
            yield client


def main() -> int:
    """Run the agent, then show what was recorded; the exit code is the agent's."""
    agentops.init(service_name="demo")
    failure = 0
    with connect() as client:
        try:
            with agentops.context(session_id=f"demo-{uuid.uuid4().hex[:8]}"), agentops.span("demo", kind="workflow"):
                plan_trip(client, QUESTION)
        except openai.APIError as error:
            print(f"The model service failed: {error}", file=sys.stderr)
            failure = 1
    agentops.shutdown()

    file = max(Path(".agentops/traces").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    print("\nWhat agentops recorded:\n")
    show(["show", str(file)])
    print(f"\nThe records: {file}\nSee the tree again: {command()} show latest   (with what was said: --messages)")
    return failure


def command() -> str:
    """How to call `agentops` from this shell."""
    beside = Path(sys.executable).with_name("agentops")
    if shutil.which("agentops") or not beside.exists():
        return "agentops"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


if __name__ == "__main__":
    sys.exit(main())

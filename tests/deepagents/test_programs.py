"""A deep agent over real HTTP: it is a graph of LangGraph's, seen with its names, todos, subagents."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.integrations.framework_programs import MODES, check

pytest.importorskip("deepagents", reason="deepagents is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the library's own


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """What is left to the collector is collected here, where its warnings are known."""
    yield
    gc.collect()


def look_up(order: str) -> str:
    """Look up an order."""
    return "sent"


def desk(server: LocalModel) -> None:
    """An agent that writes down what is to be done, and has a subagent look it up."""
    from deepagents import create_deep_agent
    from langchain.agents.middleware import TodoListMiddleware
    from langchain_openai import ChatOpenAI

    def answer(request: dict[str, Any]) -> Reply:
        asked = {call["function"]["name"] for each in request["messages"] for call in each.get("tool_calls") or ()}
        if "You are the clerk" in str(request["messages"][0]):
            done = Reply(text="sent")
            return done if "look_up" in asked else Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))
        if "write_todos" not in asked:
            todos = [{"content": "ask the clerk", "status": "in_progress"}]
            return Reply(tool_calls=(ToolCall("write_todos", {"todos": todos}),))
        if "task" not in asked:
            arguments = {"description": "Where is order 7?", "subagent_type": "clerk"}
            return Reply(tool_calls=(ToolCall("task", arguments),))
        return Reply(text="It is on its way.")

    server.script = answer
    model = ChatOpenAI(model="gpt-4o-mini", base_url=server.base_url, api_key="none")
    clerk = {"name": "clerk", "description": "knows orders", "system_prompt": "You are the clerk", "tools": [look_up]}
    agent = create_deep_agent(model, [], subagents=[clerk], middleware=[TodoListMiddleware()], name="lead")
    result = agent.invoke({"messages": [("user", "Where is it?")]})
    assert result["messages"][-1].content == "It is on its way."


@pytest.mark.parametrize("mode", MODES)
def test_program(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = {span.name: span.attributes for span in check(desk, TREES, mode, monkeypatch)}
    assert "ask the clerk" in spans["execute_tool write_todos"]["gen_ai.tool.call.arguments"]
    assert spans["execute_tool look_up"]["gen_ai.agent.name"] == "clerk"

"""A session in text over real HTTP: its tree, and tokens that count once wherever they are exported."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.integrations.framework_programs import MODES, check

pytest.importorskip("livekit.agents", reason="livekit-agents is not installed")
pytest.importorskip("livekit.plugins.openai", reason="livekit-plugins-openai is not installed")

TREES = Path(__file__).parent / "trees"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def orders(server: LocalModel) -> None:
    """A session of one turn: the agent calls a tool, and answers."""
    from livekit.agents import Agent, AgentSession, function_tool
    from livekit.plugins import openai

    def script(request: dict[str, Any]) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Reply(text="It is on its way.")
        return Reply(tool_calls=(ToolCall("look_up", {"order": "7"}),))

    server.script = script

    class Clerk(Agent):
        def __init__(self) -> None:
            super().__init__(instructions="Be brief.")

        @function_tool
        async def look_up(self, order: str) -> str:
            """Looks up an order."""
            return "packed"

    async def run() -> None:
        model = openai.LLM(model="gpt-4o-mini", base_url=server.base_url, api_key="none")
        model.prewarm = lambda *args, **kwargs: None  # a request of its own, whenever it comes
        async with model as llm, AgentSession(llm=llm) as session:
            await session.start(Clerk())
            result = await session.run(user_input="Where is it?")
            assert "on its way" in str(result.events[-1].item.text_content)

    asyncio.run(run())


@pytest.mark.parametrize("mode", [*MODES, "late"])
def test_program(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(orders, TREES, mode, monkeypatch)
    (tool,) = (span for span in spans if span.name == "execute_tool look_up")
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"order": "7"}
    assert tool.attributes["gen_ai.tool.call.result"] == '"packed"'

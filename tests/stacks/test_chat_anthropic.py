"""The scenario programs with LangChain over Anthropic's client: all is there, in both states, and nothing is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.client_scenarios import CLAUDE, CLAUDE_CALLED, CLAUDE_SAID, CLAUDE_STREAMED
from tests.conformance.providers import measured
from tests.conformance.scenarios import Scenario

pytest.importorskip("langchain_anthropic", reason="langchain-anthropic is not installed")

_ASKED = [("system", "Be brief."), ("human", "Weather in Rome?")]


def _chat(url: str) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(
        model_name=CLAUDE, base_url=url.removesuffix("/v1"), api_key="k", max_retries=0, max_tokens_to_sample=100,
        stop=["END"],
    )  # fmt: skip


def _weather() -> Any:
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Get the current weather in a city."""
        return f"rain in {city}"

    return weather


def _inference(url: str) -> None:
    _chat(url).invoke(_ASKED)


def _streaming(url: str) -> None:
    for _ in _chat(url).stream(_ASKED):
        pass


def _tool_calling(url: str) -> None:
    from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

    model = _chat(url).bind_tools([_weather()])
    messages: list[Any] = [SystemMessage("Be brief."), HumanMessage("Weather in Rome?")]
    messages.append(model.invoke(messages))
    messages += [ToolMessage("rain", tool_call_id=call["id"]) for call in messages[-1].tool_calls]
    model.invoke(messages)


def _agent(url: str) -> None:
    from langchain.agents import create_agent

    agent = create_agent(_chat(url), [_weather()], system_prompt="Be brief.", name="clerk")
    agent.invoke({"messages": [("human", "Weather in Rome?")]})


_SET = ("max_tokens", "stop_sequences", "system_instructions")
_WRITES = ("usage.cache_creation.input_tokens", "usage.cache_write.input_tokens", "usage.cache_read.input_tokens")
PROGRAMS = (
    Scenario("inference", "langchain", _inference, (CLAUDE_SAID,), {"chat": 1}, {"chat": (*_SET, *_WRITES)}),
    Scenario(
        "streaming", "langchain", _streaming, (CLAUDE_STREAMED,), {"chat": 1},
        {"chat": (*_SET, *_WRITES, "stream", "response.time_to_first_chunk")},
    ),
    Scenario(
        "tool_calling", "langchain", _tool_calling, (CLAUDE_CALLED, CLAUDE_SAID), {"chat": 2},
        {"chat": (*_SET, *_WRITES, "tool.definitions")},
    ),
    Scenario(
        "agent", "langchain", _agent, (CLAUDE_CALLED, CLAUDE_SAID), {"chat": 2, "invoke_agent": 1, "execute_tool": 1},
        {
            "chat": (*_SET, *_WRITES, "tool.definitions"),
            "invoke_agent": ("agent.name", "model", *_SET, "tool.definitions", *_WRITES),
            "execute_tool": ("agent.name", "tool.call.id", "tool.description", "tool.type"),
        },
    ),
)  # fmt: skip


@pytest.mark.parametrize("state", ["pin", "main"])
def test_all_is_there_and_nothing_is_wrong(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measure = measured(PROGRAMS, state, ["langchain", "anthropic"], monkeypatch)
    assert (measure.missing, measure.wrong) == ({}, {})

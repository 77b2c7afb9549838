"""Programs that give a framework's agent all that it can be given: settings, a description, instructions, a tool.

Each asks its agent once, who calls the tool and answers, and then once more, where the model refuses. What was given
stands on the spans by the conventions' names, whoever passes it on. Long because each framework has its own program.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from examples.local_model import LocalModel, Reply, ToolCall
from tests.conformance.spans import STATES, check

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

MODEL = "gpt-4o-mini"
SAMPLING = ("max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop_sequences")
_NUMBERS: dict[str, Any] = {
    "temperature": 0.5, "top_p": 0.9, "frequency_penalty": 0.5, "presence_penalty": 0.25, "seed": 42, "max_tokens": 100,
}  # fmt: skip
_ALL = {**_NUMBERS, "stop": ["END"]}
_ABOUT = "knows orders"
_SYSTEM = "Be brief."
_QUESTION = "Where is it?"
_ANSWER = "It is on its way."


@dataclass(frozen=True)
class Settings:
    """One program.

    Attributes:
        run: the program; takes the model server.
        unsaid: what its spans have not, by operation: the library does not tell it.
    """

    run: Callable[[LocalModel], None]
    unsaid: tuple[str, ...] = ()


def look_up(order: str) -> str:
    """Looks up an order.

    Args:
        order: the number
    """
    return f"order {order}: packed"


def answer(request: dict[str, Any]) -> Reply:
    """Calls the tool, then answers; refuses a question of which the word is that it should."""
    if "refuse" in str(request["messages"]):
        return Reply(text="no", status=400, error_code="invalid_request")
    if request.get("tools") and request["messages"][-1]["role"] != "tool":
        name = next(one["function"]["name"] for one in request["tools"] if "look_up" in one["function"]["name"])
        return Reply(tool_calls=(ToolCall(name, {"order": "7"}),))
    return Reply(text=_ANSWER, cached_tokens=2)


def _twice(ask: Callable[[str], Any]) -> None:
    ask(_QUESTION)
    with suppress(Exception):
        ask("Now refuse.")


async def _twice_async(ask: Callable[[str], Any]) -> None:
    await ask(_QUESTION)
    with suppress(Exception):
        await ask("Now refuse.")


def _pydantic_ai(server: LocalModel) -> None:
    import openai
    import pydantic_ai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            settings = {**_NUMBERS, "stop_sequences": ["END"]}
            agent = pydantic_ai.Agent(
                OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client)), name="clerk", description=_ABOUT,
                instructions=_SYSTEM, tools=[look_up], model_settings=settings,  # type: ignore[arg-type,unused-ignore]  # they are a dict of its own
            )  # fmt: skip
            await _twice_async(agent.run)

    asyncio.run(run())


def _openai_agents(server: LocalModel) -> None:
    import agents
    import openai

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            numbers = {name: value for name, value in _NUMBERS.items() if name != "seed"}
            settings = agents.ModelSettings(**numbers, extra_args={"seed": 42, "stop": ["END"]})
            agent = agents.Agent(
                name="clerk", instructions=_SYSTEM, tools=[agents.function_tool(look_up)], model_settings=settings,
                model=agents.OpenAIChatCompletionsModel(MODEL, client), handoff_description=_ABOUT,
            )  # fmt: skip
            await _twice_async(lambda text: agents.Runner.run(agent, text))

    asyncio.run(run())


def _strands(server: LocalModel) -> None:
    import strands
    from strands.models.openai import OpenAIModel
    from strands.session.file_session_manager import FileSessionManager

    model = OpenAIModel(client_args={"base_url": server.base_url, "api_key": "none"}, model_id=MODEL, params=_ALL)
    with tempfile.TemporaryDirectory() as folder:
        _twice(strands.Agent(
            model, name="clerk", description=_ABOUT, system_prompt=_SYSTEM, tools=[strands.tool(look_up)],
            callback_handler=None, session_manager=FileSessionManager("s1", folder),
        ))  # fmt: skip


def _agent_framework(server: LocalModel) -> None:
    import openai
    from agent_framework import Agent
    from agent_framework.openai import OpenAIChatCompletionClient

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            chat = OpenAIChatCompletionClient(model=MODEL, async_client=client)
            agent = Agent(
                chat, name="clerk", description=_ABOUT, instructions=_SYSTEM, tools=[look_up], default_options=_ALL
            )
            await _twice_async(agent.run)

    asyncio.run(run())


def _autogen(server: LocalModel) -> None:
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    async def run() -> None:
        client = OpenAIChatCompletionClient(
            model=MODEL, base_url=server.base_url, api_key="none", max_retries=0, **_ALL
        )  # type: ignore[call-arg,unused-ignore]  # not installed here
        agent = AssistantAgent(
            "clerk", client, description=_ABOUT, system_message=_SYSTEM, tools=[look_up], reflect_on_tool_use=True
        )
        await _twice_async(lambda text: agent.run(task=text))
        await client.close()

    asyncio.run(run())


def _ag2(server: LocalModel) -> None:
    import httpx2
    from ag2 import Agent, tool
    from ag2.config import OpenAIConfig

    async def run() -> None:
        async with httpx2.AsyncClient() as http:
            config = OpenAIConfig(
                MODEL, base_url=server.base_url, api_key="none", http_client=http, max_retries=0, **_ALL
            )
            await _twice_async(Agent("clerk", prompt=_SYSTEM, config=config, tools=[tool(look_up)]).ask)

    asyncio.run(run())


def _semantic_kernel(server: LocalModel) -> None:
    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
    from semantic_kernel.functions import KernelArguments, kernel_function

    class Orders:
        @kernel_function(description="Looks up an order.")
        def look_up(self, order: str) -> str:
            return look_up(order)

    async def run() -> None:
        async with AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            agent = ChatCompletionAgent(
                service=OpenAIChatCompletion(ai_model_id=MODEL, async_client=client), name="clerk", description=_ABOUT,
                instructions=_SYSTEM, arguments=KernelArguments(
                    OpenAIChatPromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto(), **_ALL)
                ),
                plugins=[Orders()],
            )  # fmt: skip
            await _twice_async(lambda text: agent.get_response(messages=text))

    asyncio.run(run())


def _agno(server: LocalModel) -> None:
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    model = OpenAIChat(id=MODEL, base_url=server.base_url, api_key="none", max_retries=0, **_ALL)
    agent = Agent(
        name="clerk", id="clerk", description=_ABOUT, instructions=_SYSTEM, model=model, tools=[look_up],
        session_id="s1", telemetry=False,
    )  # fmt: skip
    _twice(agent.run)


def _crewai(server: LocalModel) -> None:
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    model = LLM(model=MODEL, base_url=server.base_url, api_key="none", max_retries=0, **_ALL)
    clerk = Agent(role="clerk", goal=_ABOUT, backstory=_SYSTEM, llm=model, tools=[tool("look_up")(look_up)])

    def ask(text: str) -> None:
        work = Task(name="find", description=text, expected_output="a place", agent=clerk)
        Crew(name="desk", agents=[clerk], tasks=[work]).kickoff()

    _twice(ask)


def _smolagents(server: LocalModel) -> None:
    import smolagents

    model = smolagents.OpenAIModel(
        MODEL, api_base=server.base_url, api_key="none", client_kwargs={"max_retries": 0}, **_ALL
    )

    def ask(text: str) -> None:
        agent = smolagents.ToolCallingAgent(
            [smolagents.tool(look_up)], model, name="clerk", description=_ABOUT, instructions=_SYSTEM,
            verbosity_level=0, max_steps=2,
        )  # fmt: skip
        agent.run(text)

    _twice(ask)


def _haystack(server: LocalModel) -> None:
    from haystack.components.agents import Agent
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.tools import tool
    from haystack.utils import Secret

    model = OpenAIChatGenerator(
        Secret.from_token("none"), model=MODEL, api_base_url=server.base_url, max_retries=0, generation_kwargs=_ALL
    )
    agent = Agent(chat_generator=model, tools=[tool(look_up)], system_prompt=_SYSTEM)
    _twice(lambda text: agent.run(messages=[ChatMessage.from_user(text)]))


def _dspy(server: LocalModel) -> None:
    import dspy

    def reply(request: dict[str, Any]) -> Reply:
        if "refuse" in str(request["messages"]):
            return Reply(text="no", status=400)
        if "next_tool_name" not in str(request["messages"][0]):
            return Reply(text=f"[[ ## reasoning ## ]]\nso\n\n[[ ## answer ## ]]\n{_ANSWER}\n\n[[ ## completed ## ]]")
        done = "observation_0" in str(request["messages"][1:])
        name, given = ("finish", "{}") if done else ("look_up", '{"order": "7"}')
        return Reply(text=f"[[ ## next_thought ## ]]\nso\n\n[[ ## next_tool_name ## ]]\n{name}\n\n"
                          f"[[ ## next_tool_args ## ]]\n{given}\n\n[[ ## completed ## ]]")  # fmt: skip

    server.script = reply
    model = dspy.LM(f"openai/{MODEL}", api_base=server.base_url, api_key="none", num_retries=0, cache=False, **_ALL)
    clerk = dspy.ReAct("question -> answer", tools=[look_up])
    with dspy.context(lm=model):
        _twice(lambda text: clerk(question=text))


def _llama_index(server: LocalModel) -> None:
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.core.tools import FunctionTool
    from llama_index.llms.openai import OpenAI

    more = {name: value for name, value in _ALL.items() if name not in ("temperature", "max_tokens")}
    model = OpenAI(
        model=MODEL, api_base=server.base_url, api_key="none", max_retries=0, temperature=0.5, max_tokens=100,
        additional_kwargs=more,
    )  # fmt: skip
    agent = FunctionAgent(
        name="clerk", description=_ABOUT, system_prompt=_SYSTEM, llm=model, tools=[FunctionTool.from_defaults(look_up)]
    )

    async def ask(text: str) -> Any:
        return await agent.run(user_msg=text)

    asyncio.run(_twice_async(ask))


SETTINGS: dict[str, Settings] = {
    "pydantic_ai": Settings(_pydantic_ai),
    "openai_agents": Settings(
        _openai_agents,
        unsaid=("invoke_agent agent.description",),  # what it has is told to other agents, and no span has it
    ),
    "strands": Settings(_strands),
    "agent_framework": Settings(_agent_framework),
    "autogen": Settings(_autogen),
    "ag2": Settings(_ag2, unsaid=("invoke_agent agent.description",)),
    "semantic_kernel": Settings(_semantic_kernel),
    "agno": Settings(_agno),
    "crewai": Settings(_crewai),
    "smolagents": Settings(_smolagents, unsaid=("execute_tool tool.call.id",)),
    "haystack": Settings(_haystack, unsaid=("invoke_agent agent.description",)),
    "dspy": Settings(
        _dspy,
        # its agent calls tools by words in a reply, and each of its modules instructs the model in another way
        unsaid=("execute_tool tool.call.id", "invoke_agent agent.description", "invoke_agent system_instructions"),
    ),
    "llama_index": Settings(_llama_index),
}


_AGENT = ("agent.name", "input.messages", "output.messages", "model", "response.finish_reasons", "error.type",
          "system_instructions", "tool.definitions", "agent.description")  # fmt: skip
_TOOL = ("tool.name", "tool.description", "tool.call.id", "tool.call.arguments", "tool.call.result", "agent.name")

_IN_A_SESSION = ("agno", "strands")
"""Whose program has a session, which all of it is in."""


def check_given(name: str) -> None:
    """What the program of an integration gives its agent is on its spans, but for what its row says."""
    program = SETTINGS[name]
    for state in STATES if os.environ.get("COLLECT_CONFORMANCE") else ("main",):
        exporter: Any = MemoryExporter()
        agentops.init(exporters=[exporter], semconv=state)
        with LocalModel(answer) as server:
            program.run(server)
        gc.collect()  # clients that the library has left open
        assert agentops.flush(10)
        spans = exporter.finished_spans()
        agentops.shutdown()
        check(spans, state)
        seen: dict[str, set[str]] = defaultdict(set)
        for span in spans:
            told = {key.removeprefix("gen_ai.").removeprefix("request.") for key in span.attributes}
            seen[span.attributes.get("gen_ai.operation.name", "")] |= told
        wanted = {"chat": {*SAMPLING, "error.type"}, "invoke_agent": {*SAMPLING, *_AGENT}, "execute_tool": {*_TOOL}}
        missing = {f"{kind} {one}" for kind, names in wanted.items() for one in names - seen[kind]}
        assert missing == {*program.unsaid}
        if name in _IN_A_SESSION:
            conversations = {span.attributes.get("gen_ai.conversation.id") for span in spans}
            assert conversations == {"s1"}

"""Programs as people write them with the Agents SDK; ``trees/`` holds what each leaves."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.openai_agents.conftest import Model, call, text

import agentops_sdk as agentops


async def help_desk(model: Any, script: Model) -> None:
    """An agent hands over to another one, whose tool a person has to approve: the run stops, and goes on."""
    import agents

    def answer(tools: list[str], items: list[Any]) -> Any:
        if "transfer_to_billing" in tools:
            return call("transfer_to_billing")
        if any(item.get("call_id") == "call_refund" for item in items):
            return text("You have your money back.")
        return call("refund", amount=12)

    @agents.function_tool(needs_approval=True)
    def refund(amount: int) -> str:
        """Pay an amount back."""
        with agentops.span("bank"):
            return f"{amount} paid"

    @agents.input_guardrail
    async def polite(context: Any, agent: Any, asked: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    script.script = answer
    billing = agents.Agent("billing", model=model, tools=[refund])
    triage = agents.Agent("triage", model=model, handoffs=[billing], input_guardrails=[polite])
    stopped = await agents.Runner.run(triage, "I want my money back.")
    state = stopped.to_state()
    for interruption in stopped.interruptions:
        state.approve(interruption)
    result = await agents.Runner.run(triage, state)
    assert result.final_output == "You have your money back."


async def research(model: Any, script: Model) -> None:
    """A streamed run with an agent as a tool and a tool that fails, then another one in the same trace."""
    import agents

    def answer(tools: list[str], items: list[Any]) -> Any:
        done = {item.get("call_id") for item in items}
        for name in tools:
            if f"call_{name}" not in done:
                return call(name, input="prices") if name == "ask_expert" else call(name)
        return text("It is so.")

    @agents.function_tool
    async def look_up() -> str:
        """Look it up."""
        await asyncio.sleep(0)
        raise LookupError("the archive is closed")

    script.script = answer
    expert = agents.Agent("expert", model=model)
    tools = [expert.as_tool("ask_expert", "Asks an expert."), look_up]
    researcher = agents.Agent("researcher", model=model, tools=tools)
    writer = agents.Agent("writer", model=model)
    with agents.trace("report", group_id="thread-7"):
        streamed = agents.Runner.run_streamed(researcher, "What do they cost?")
        async for _ in streamed.stream_events():
            pass
        with agents.custom_span("outline", {"chapters": 2}):
            result = await agents.Runner.run(writer, str(streamed.final_output))
    assert result.final_output == "It is so."


PROGRAMS = (help_desk, research)

"""Endings, people's answers, privacy, voice, the program's own processors: what a run's spans say of each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.openai_agents.conftest import TOKENS, Model, call, text
from tests.wire.http import HANG, Reply

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import BoundedMap


@pytest.fixture
def spans(model: Any) -> Callable[[], dict[str, Any]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    def ended() -> dict[str, Any]:
        assert agentops.flush()
        assert agentops.status().spans["open"] == 0
        return {span.name: span for span in exporter.finished_spans()}

    return ended


def outcomes(spans: dict[str, Any]) -> dict[str, str]:
    ends = {}
    for name, span in spans.items():
        failed = str(span.attributes.get("error.type", "")).rpartition(".")[2]
        ends[name] = " ".join(filter(None, (span.attributes["agentops.outcome"], failed)))
    return ends


def _tool(failing: bool) -> Any:
    import agents

    def look_up() -> str:
        if failing:
            raise LookupError("closed")
        return "found"

    return agents.function_tool(look_up, failure_error_function=None)


async def _trips(context: Any, agent: Any, asked: Any) -> Any:
    import agents

    return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


async def _fails(context: Any, agent: Any, answer: Any) -> Any:
    raise RuntimeError("the guard is away")


@pytest.mark.parametrize(
    ("options", "output", "expected"),
    [
        (
            lambda agents: {},
            Reply({"error": {"message": "no", "code": "bad"}}, status=400),
            {"chat gpt-4o": "error BadRequestError", "invoke_agent a": "error BadRequestError"},
        ),
        (
            lambda agents: {"tools": [_tool(failing=True)]},
            call("look_up"),
            {"chat gpt-4o": "ok", "execute_tool look_up": "error UserError", "invoke_agent a": "error UserError"},
        ),
        (
            lambda agents: {"tools": [_tool(failing=False)]},
            call("look_up"),
            {"execute_tool look_up": "ok", "invoke_agent a": "error MaxTurnsExceeded"},
        ),
        (
            lambda agents: {"input_guardrails": [agents.InputGuardrail(_trips, name="strict", run_in_parallel=False)]},
            text("Done."),
            {"guardrail strict": "ok", "invoke_agent a": "error InputGuardrailTripwireTriggered"},
        ),
        (
            lambda agents: {"output_guardrails": [agents.OutputGuardrail(_fails, name="lax")]},
            text("Done."),
            {"guardrail lax": "error RuntimeError", "invoke_agent a": "error RuntimeError"},
        ),
    ],
    ids=["refused", "tool", "turns", "tripwire", "guardrail"],
)
async def test_an_error_is_the_callers_and_the_spans(
    options: Any, output: Any, expected: dict[str, str], model: Any, script: Model, spans: Any
) -> None:
    import agents

    script.script = lambda tools, items: output
    with pytest.raises(Exception) as caught:
        await agents.Runner.run(agents.Agent("a", model=model, **options(agents)), "Hello", max_turns=2)
    ended = spans()
    assert expected.items() <= outcomes(ended).items()
    assert outcomes(ended)["invoke_workflow Agent workflow"] == f"error {type(caught.value).__name__}"
    strict = ended.get("guardrail strict")
    assert strict is None or strict.attributes["agentops.decision.chosen"] == "trip"
    lax = ended.get("guardrail lax")
    assert lax is None or "agentops.decision.chosen" not in lax.attributes


async def test_a_run_in_an_except_block_did_not_fail(model: Any, script: Model, spans: Any) -> None:
    import agents

    try:
        raise ValueError("what the program is about to mend")
    except ValueError:
        await agents.Runner.run(agents.Agent("a", model=model), "Hello")
    assert set(outcomes(spans()).values()) == {"ok"}


async def test_a_cancelled_run_is_cancelled(model: Any, script: Model, spans: Any) -> None:
    import agents

    script.script = lambda tools, items: Reply(HANG)
    run = asyncio.create_task(agents.Runner.run(agents.Agent("a", model=model), "Hello"))
    async with asyncio.timeout(30):
        while not model.wire.requests:
            await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert set(outcomes(spans()).values()) == {"cancelled"}


async def test_a_streamed_run_that_is_cancelled(model: Any, script: Model, spans: Any) -> None:
    import agents

    script.script = lambda tools, items: Reply(HANG) if items[1:] else call("look_up")
    streamed = agents.Runner.run_streamed(agents.Agent("a", model=model, tools=[_tool(failing=False)]), "Hello")
    async for event in streamed.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_output":
            streamed.cancel()
    async with asyncio.timeout(30):
        while not streamed.run_loop_task.done():
            await asyncio.sleep(0.01)
    ends = outcomes(spans())
    assert ends["execute_tool look_up"] == "ok"
    assert (ends["invoke_agent a"], ends["invoke_workflow Agent workflow"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
async def test_a_person_says_no(elsewhere: bool, model: Any, script: Model, spans: Any) -> None:
    """Here, or in a process that knows of the first one only what the state says."""
    import agents

    def pay() -> str:
        raise AssertionError("it ran")

    script.script = lambda tools, items: text("As you wish.") if items[1:] else call("pay")
    agent = agents.Agent("a", model=model, tools=[agents.function_tool(pay, needs_approval=True)])
    stopped = await agents.Runner.run(agent, "Pay")
    first = spans()
    assert outcomes(first)["execute_tool pay"] == "interrupted"
    assert outcomes(first)["invoke_workflow Agent workflow"] == "interrupted"
    asking = first["invoke_agent a"].attributes
    assert json.loads(asking["agentops.interrupts"]) == [
        {"id": "call_pay", "value": {"tool": "pay", "arguments": "{}"}}
    ]
    state = stopped.to_state()
    if elsewhere:
        from agentops_integrations.openai_agents import tool_approvals

        tool_approvals._questions._asked.clear()
        state = await agents.RunState.from_json(agent, json.loads(json.dumps(state.to_json())))
    state.reject(state.get_interruptions()[0], rejection_message="too much")
    assert (await agents.Runner.run(agent, state)).final_output == "As you wish."
    second = spans()
    assert second["execute_tool pay"].context == first["execute_tool pay"].context  # it was not run again
    run = second["invoke_workflow Agent workflow"]
    assert run.attributes["agentops.outcome"] == "ok"
    chosen = {name: run.attributes[f"agentops.decision.{name}"] for name in ("name", "chosen", "by", "reason")}
    assert chosen == {"name": "run pay", "chosen": "reject", "by": "human", "reason": "too much"}
    assert run.attributes["agentops.graph.resumed_from.checkpoint.id"] == asking["agentops.graph.checkpoint.id"]
    assert ("agentops.decision.waited" in run.attributes, len(run.links)) == ((False, 0) if elsewhere else (True, 1))


@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_content_stays_out(whose: str, model: Any, script: Model) -> None:
    """By our switch, or by the SDK's own for one run: the client below keeps it out as well."""
    import agents

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=whose != "ours")
    script.script = lambda tools, items: text("secret answer") if items[1:] else call("look_up", about="secret thing")

    @agents.function_tool
    def look_up(about: str) -> str:
        return "secret result"

    config = agents.RunConfig(trace_include_sensitive_data=whose != "theirs")
    agent = agents.Agent("a", model=model, tools=[look_up], instructions="secret rule")
    await agents.Runner.run(agent, "secret question", run_config=config)
    assert agentops.flush()
    for span in exporter.finished_spans():
        told = [span.attributes, *(event.attributes for event in span.events)]
        assert "secret" not in str([dict(each) for each in told]), span.name
    calls = [span for span in exporter.finished_spans() if span.name == "chat gpt-4o"]
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in calls] == [TOKENS[0]] * 2


def test_spans_that_no_client_of_ours_stands_behind(model: Any, spans: Any) -> None:
    """Models of other libraries, voice, MCP: the SDK's span is all there is."""
    import agents

    message = {"role": "assistant", "content": "Sunny."}
    with agents.trace("voice"):
        with agents.generation_span(
            input=[{"role": "user", "content": "Weather?"}], output=[message], model="claude",
            usage={"input_tokens": 3, "output_tokens": 2},
        ):  # fmt: skip
            pass
        with agents.generation_span(model="untold", usage={"input_tokens": 0, "output_tokens": 0}):
            pass
        with agents.mcp_tools_span(server="files") as listing:
            listing.span_data.result = ["read"]
        heard = agents.transcription_span(model="whisper", input="UklGRg==", input_format="wav")
        heard.start()
        heard.span_data.output = "Hello"
        with agents.speech_group_span("Hi"), agents.speech_span(model="tts", input="Hi", output="UklGRg=="):
            pass
        heard.finish()
    ended = spans()
    said = {name: span.attributes for name, span in ended.items()}
    assert said["chat claude"]["gen_ai.usage.input_tokens"] == 3
    assert "gen_ai.usage.input_tokens" not in said["chat untold"]  # nobody has counted
    assert json.loads(said["chat claude"]["gen_ai.input.messages"])[0]["parts"][0]["content"] == "Weather?"
    assert json.loads(said["chat claude"]["gen_ai.output.messages"])[0]["parts"][0]["content"] == "Sunny."
    assert said["transcription"]["agentops.output"] == "Hello"
    assert said["speech"]["agentops.input"] == "Hi"
    assert json.loads(said["list tools"]["agentops.output"]) == ["read"]
    assert "UklGRg" not in str([dict(each) for each in said.values()])
    assert {span.parent.span_id for name, span in ended.items() if span.parent is not None} == {
        ended[name].context.span_id for name in ("invoke_workflow voice", "speech group")
    }


def test_the_programs_own_processors_stay(model: Any) -> None:
    """Ours is added beside them, survives that the program sets others, and goes when we go."""
    import agents

    class Own(agents.TracingProcessor):
        ended = 0

        def on_span_end(self, span: Any) -> None:
            self.ended += 1

        on_trace_start = on_trace_end = on_span_start = lambda self, item: None
        shutdown = force_flush = lambda self: None

    provider, first, second = agents.tracing.get_trace_provider(), Own(), Own()
    agents.set_trace_processors([first])
    for _ in range(2):
        exporter = MemoryExporter()
        agentops.init(exporters=[exporter])
        agents.add_trace_processor(second)
        with agents.trace("t"), agents.custom_span("one"):
            pass
        agents.set_trace_processors([first, second])
        with agents.trace("t"), agents.custom_span("two"):
            pass
        assert agentops.flush()
        assert [span.name for span in exporter.finished_spans()] == [
            "one",
            "invoke_workflow t",
            "two",
            "invoke_workflow t",
        ]
        agentops.shutdown()
        assert provider._multi_processor._processors == (first, second)
        agents.set_trace_processors([first])
    with agents.trace("t"), agents.custom_span("three"):
        pass
    assert (first.ended, second.ended, len(exporter.finished_spans())) == (5, 4, 4)
    agents.set_trace_processors([])


def test_what_is_remembered_is_bounded() -> None:
    from agentops_integrations.openai_agents import tool_approvals

    assert isinstance(tool_approvals._questions._asked, BoundedMap)
    assert isinstance(tool_approvals._answers, BoundedMap)

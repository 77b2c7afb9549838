"""Functions that the client's tool runner calls by itself: a span for each, beside those of the model's calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.openai.bodies import RESPONSE
from tests.openai.test_chat import aclient, client
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

runners = pytest.importorskip("openai.lib.responses_tool_runner", reason="this version has no tool runner")

PARAMETERS = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": PARAMETERS, "strict": True}
CALLED, ANSWERED = RESPONSE["output"][1:2], RESPONSE["output"][2:]
REPLIES = [{**RESPONSE, "output": CALLED, "tools": [TOOL]}, {**RESPONSE, "id": "resp_2", "output": ANSWERED}]
ASKED: dict[str, Any] = {"model": "gpt-5", "input": [{"role": "user", "content": "Weather?"}], "store": False}


def check(spans: list[Any], outcome: str = "ok") -> Any:
    first, tool, *rest, user = spans
    assert [span.name for span in (first, tool)] == ["chat gpt-5", "execute_tool weather"]
    assert [span.name for span in rest] == (["chat gpt-5"] if outcome == "ok" else [])
    assert {span.span.parent.span_id for span in (first, tool, *rest)} == {user.span.context.span_id}
    assert tool["gen_ai.tool.call.id"] == "call_1"
    assert tool["gen_ai.tool.description"] == "Now"
    assert tool.json("gen_ai.tool.call.arguments") == {"city": "Rome"}
    assert tool.outcome == outcome
    return tool


@pytest.mark.parametrize("decorated", [False, True])
def test_a_run(recorded: Any, decorated: bool) -> None:
    def weather(arguments: dict[str, object]) -> str:
        return f"sunny in {arguments['city']}"

    execute = agentops.track(kind="tool")(weather) if decorated else weather
    with Wire(*map(Reply, REPLIES)) as wire, agentops.span("user"):
        runner = runners.ResponsesToolRunner(functions=[runners.RegisteredFunction(TOOL, execute)])
        assert runner.run(client(wire), ASKED).id == "resp_2"
    assert "sunny in Rome" in check(recorded())["gen_ai.tool.call.result"]


def test_a_function_that_fails(recorded: Any) -> None:
    def weather(arguments: dict[str, object]) -> str:
        raise KeyError(arguments["city"])

    with Wire(*map(Reply, REPLIES)) as wire, agentops.span("user"):
        runner = runners.ResponsesToolRunner(functions=[runners.RegisteredFunction(TOOL, weather)])
        with pytest.raises(Exception) as caught:
            runner.run(client(wire), ASKED)
    assert caught.value is not None
    assert check(recorded(), "error")["error.type"] == "KeyError"


async def test_asynchronous(recorded: Any) -> None:
    async def weather(arguments: dict[str, object]) -> str:
        with agentops.span("look"):
            return f"sunny in {arguments['city']}"

    with Wire(*map(Reply, REPLIES)) as wire:
        async with aclient(wire) as asking:
            with agentops.span("user"):
                runner = runners.AsyncResponsesToolRunner(functions=[runners.AsyncRegisteredFunction(TOOL, weather)])
                assert (await runner.run(asking, ASKED)).id == "resp_2"
    spans = recorded()
    look = next(span for span in spans if span.name == "look")
    tool = check([span for span in spans if span is not look])
    assert look.span.parent.span_id == tool.span.context.span_id


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_action_that_a_decision_selects(recorded: Any, asynchronous: bool) -> None:
    acting = pytest.importorskip("openai.lib.decisions_tool_runner", reason="this version decides nothing")
    done = {"id": "done", "description": "It is done.", "done": True}
    failing = {"id": "break", "description": "Breaks.", "execute": lambda: 1 / 0}
    seen = iter(("open", "broken", "done"))

    def shut(cancelled: Any) -> str:
        with agentops.span("look"):
            return "left" if cancelled is not None and cancelled() else "shut"

    async def shut_later(cancelled: Any) -> str:
        await asyncio.sleep(0)
        return shut(cancelled)

    def candidates(observation: Any) -> list[Any]:
        action = {"id": "shut", "description": "Shuts it.", "execute": shut}
        if asynchronous:
            action["execute"] = lambda cancelled: shut_later(cancelled)
        return [action, failing, done]

    async def run(wire: Wire, asked: Any) -> None:
        async def observe() -> str:
            return next(seen)

        async def candidates_later(observation: Any) -> list[Any]:
            return candidates(observation)

        async with aclient(wire) as asking:
            await acting.AsyncDecisionsToolRunner(observe=observe, candidates=candidates_later).run(asking, asked)

    asked = {"model": "gpt-6-luna", "input": "Shut the door."}
    with Wire(*(Reply(_decided(name)) for name in ("shut", "break"))) as wire, agentops.span("user"):
        with pytest.raises(acting.DecisionsToolRunnerError) as caught:
            if asynchronous:
                asyncio.run(run(wire, asked))
            else:
                acting.DecisionsToolRunner(observe=lambda: next(seen), candidates=candidates).run(client(wire), asked)
        assert (caught.value.reason, caught.value.completed_candidate_ids) == ("failed", ("shut",))
    first, look, tool, second, broken, user = recorded()
    assert [span["agentops.decision.chosen"] for span in (first, second)] == ["shut", "break"]
    assert [span.name for span in (tool, broken)] == ["execute_tool shut", "execute_tool break"]
    assert (tool.outcome, tool["gen_ai.tool.description"], tool.json("gen_ai.tool.call.result")) == (
        "ok", "Shuts it.", "shut",
    )  # fmt: skip
    assert (broken.outcome, broken["error.type"]) == ("error", "ZeroDivisionError")
    assert look.span.parent.span_id == tool.span.context.span_id
    assert {span.span.parent.span_id for span in (first, tool, second, broken)} == {user.span.context.span_id}


def _decided(name: str) -> dict[str, Any]:
    read = {"cached_tokens": 0, "cache_write_tokens": 0}
    usage = {
        "input_tokens": 9, "output_tokens": 2, "total_tokens": 11, "input_tokens_details": read,
        "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    probabilities = [{"value": each, "probability": float(each == name)} for each in ("shut", "break", "done")]
    answer = {"name": "next_action", "type": "choice", "choice": name, "confidence": 1.0}
    return {"model": "gpt-6-luna", "answers": [{**answer, "probabilities": probabilities}], "usage": usage}

"""Runs with everything that figures, filters and views have to tell apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.traces.samples import T0, span

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord

ONE, TWO, THREE, FOUR = (f"{number:032x}" for number in (0xA1, 0xB2, 0xC3, 0xD4))
USAGE = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "agentops.usage.source": "reported"}
PRICE = {"agentops.cost.amount": 0.25, "agentops.cost.currency": "USD"}


def chat(model: str, **more: Any) -> dict[str, Any]:
    return {
        "agentops.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.request.model": model,
        "gen_ai.response.model": model, **{name.replace("__", "."): value for name, value in more.items()},
    }  # fmt: skip


def runs() -> list[SpanRecord]:
    """Four runs: one with everything, one that failed, one with a figure on the agent alone, one that was rated."""
    ids = iter(f"{number:016x}" for number in range(1, 100))

    def add(name: str, attributes: dict[str, Any], **more: Any) -> SpanRecord:
        record = span(name, attributes, span_id=next(ids), **more)
        records.append(record)
        return record

    records: list[SpanRecord] = []
    agent = add(
        "invoke_agent planner",
        {
            "agentops.kind": "agent", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner",
            "session.id": "s-1", "user.id": "u'1", "agentops.tags": ["daily", "eu"], "agentops.metadata.release": "1.1",
            "agentops.metadata.score": 7, "agentops.input": '{"q":"ä ö"}',
        },
        took=900, trace_id=ONE,
        events=[{"name": "gen_ai.evaluation.result", "time_ns": T0 + 5, "attributes":
                 {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 1.0}}],
    )  # fmt: skip
    # A framework's span around the provider's, which knows more: one call.
    outer = add("chat gpt-4o", chat("gpt-4o"), parent=agent, at=10, took=300, trace_id=ONE)
    add("chat gpt-4o", chat("gpt-4o", gen_ai__response__id="r1") | USAGE | PRICE, parent=outer, at=20, took=200,
        trace_id=ONE, span_kind="CLIENT")  # fmt: skip
    add("chat llama", chat("llama") | USAGE | {"agentops.cost.unknown_reason": "no price known",
        "agentops.decision.name": "tool choice", "agentops.decision.options": '[{"name":"search"},{"name":"mail"}]',
        "agentops.decision.chosen": "search", "agentops.decision.by": "model", "agentops.decision.by.name": "router"},
        parent=agent, at=320, took=100, trace_id=ONE)  # fmt: skip
    add("chat gpt-4o", chat("gpt-4o", agentops__cached=True) | USAGE, parent=agent, at=430, took=1, trace_id=ONE)
    add("execute_tool search", {"agentops.kind": "tool", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name":
        "search", "gen_ai.tool.call.id": "c1", "gen_ai.tool.call.arguments": '{"q":1}', "agentops.cost.amount": 0.01},
        parent=agent, at=440, took=50, trace_id=ONE)  # fmt: skip
    add("decision route", {"agentops.kind": "decision", "agentops.decision.name": "route", "agentops.decision.chosen":
        "yes", "agentops.decision.confidence": 0.75, "agentops.decision.by": "code"}, parent=agent, at=500, took=1,
        trace_id=ONE, events=[{"name": "agentops.decision", "time_ns": T0 + 9, "attributes":
        {"agentops.decision.name": "edge", "agentops.decision.chosen": "end"}}])  # fmt: skip
    failed = add("invoke_agent writer", {"agentops.kind": "agent", "gen_ai.agent.name": "writer", "session.id": "s-2",
        "user.id": "u2", "agentops.metadata.release": "1.0", "error.type": "ValueError"}, at=5_000, took=2_000,
        trace_id=TWO, status="error", status_message="no way")  # fmt: skip
    add("chat gpt-4o", chat("gpt-4o", agentops__outcome="error"), parent=failed, at=5_100, took=50, trace_id=TWO,
        status="error")  # fmt: skip
    add("invoke_agent whole", {"agentops.kind": "agent", "gen_ai.agent.name": "whole"} | USAGE | PRICE, at=9_000,
        trace_id=THREE)  # fmt: skip
    rated = add("answer", {"agentops.kind": "task", "agentops.outcome": "cancelled"}, at=12_000, trace_id=FOUR)
    add("evaluate helpful", {"gen_ai.evaluation.name": "helpful", "agentops.feedback.target": "span",
        "agentops.feedback.trace_id": FOUR, "agentops.feedback.span_id": rated.span_id}, parent=rated, at=60_000,
        took=0, trace_id=FOUR, events=[{"name": "gen_ai.evaluation.result", "time_ns": T0 + 7, "attributes":
        {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.label": "no",
         "gen_ai.evaluation.explanation": "too long"}}])  # fmt: skip
    return records


def more() -> list[SpanRecord]:
    """Runs that are plain: prices whose binary forms do not add up, estimates, refusals, times to the first chunk."""
    records: list[SpanRecord] = []
    for number in range(1, 30):
        trace_id = f"{number:032x}"
        top = span("invoke_agent a", {"agentops.kind": "agent"}, trace_id=trace_id, at=number * 3_600_000)
        failed = number % 7 == 0
        told: dict[str, Any] = {
            **chat("gpt-4o" if number % 3 else "llama"), **USAGE, **PRICE, "agentops.cost.amount": number / 1e7 + 0.1,
            "gen_ai.response.time_to_first_chunk": number / 7, "gen_ai.usage.cache_read.input_tokens": number,
        }  # fmt: skip
        if number % 5 == 0:
            told["agentops.usage.source"] = "estimated"
        if number % 4 == 0:
            told |= {"agentops.cost.unknown_reason": "no price known"}
            del told["agentops.cost.amount"]
        if failed:
            told = chat("gpt-4o", agentops__outcome="error")
            if number % 2:
                told["agentops.decision.name"] = ("limit", "tool choice")[number % 3 % 2]  # never made; a failure
            if number == 21:  # a decision of the program's own by that name, of a call that was made
                told |= USAGE | PRICE | {"gen_ai.response.time_to_first_chunk": 9.0}
        status = "error" if failed else "unset"
        at = number * 3_600_000 + 1
        records += [top, span("chat", told, trace_id=trace_id, at=at, took=number, parent=top, status=status)]
        records.append(span("chat", chat("silent"), trace_id=trace_id, at=at, took=2, parent=top))
    return records


def question(text: str, **more: Any) -> dict[str, Any]:
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
    return chat("gpt-4o") | {"gen_ai.input.messages": messages} | more


def tool(name: str, arguments: str) -> dict[str, Any]:
    return {"agentops.kind": "tool", "gen_ai.tool.name": name, "gen_ai.tool.call.arguments": arguments}


def choice(name: str, chosen: str | None, **more: Any) -> dict[str, Any]:
    told = {"agentops.kind": "decision", "agentops.decision.name": name, "agentops.decision.chosen": chosen, **more}
    return {key: value for key, value in told.items() if value is not None}


UNUSUAL: list[list[dict[str, Any]]] = [
    [tool("search", '{"a": 1, "b": "ä"}'), tool("search", '{"b":"\\u00e4","a":1.0}')],  # no loop: 1 is not 1.0
    [tool("search", '{"a": 1, "b": "ä"}'), tool("search", '{"b":"\\u00e4","a":1}')],  # a loop
    [tool("search", "{}"), tool("search", "{}"), tool("other", "{}")],
    [question("Why?", agentops__outcome="error"), question("Why?")],  # asked again
    [question("Why?"), chat("gpt-4o", gen_ai__response__finish_reasons=["refusal"])],
    [choice("route", '["a", "b"]'), choice("route", None), choice("route", "true"), choice("", "x")],
    [choice("ask", '{"approved": true}', **{"agentops.decision.by": "human"})],
    [chat("gpt-4o", agentops__decision__name="handoff", agentops__decision__chosen="writer")],
    [chat("gpt-4o", agentops__decision__name="tool choice", agentops__decision__chosen="search",
          agentops__decision__by="model"), tool("search", "[]")],
    [{"agentops.kind": "guardrail", "gen_ai.guardrail.name": "shield"}],
    [{"agentops.kind": "agent", "gen_ai.agent.name": name} for name in "abab"],
    [chat("gpt-4o", agentops__attempts='[{"status": 500}, {"status": 200}]')],
    [{"agentops.kind": "decision", "agentops.decision.options": "[1, 2]"}],
]  # fmt: skip
"""What is below the outermost step of a run, of which something may have to be inferred."""


def deciding() -> list[SpanRecord]:
    """Runs of all these sorts, three times, on both sides."""
    records = []
    for number in range(3 * len(UNUSUAL)):
        trace_id, at = f"{0x5000 + number:032x}", number * 7_200_000
        release = "2.1" if (number // 3) % 2 else "2.0"
        failures = [{"name": "exception", "time_ns": T0 + 1, "attributes": {}}] if number % 2 else []
        about = {"agentops.kind": "workflow", "agentops.metadata.release": release}
        top = span(f"top {number}", about, at=at, trace_id=trace_id, took=500 + number, events=failures)
        records.append(top)
        for place, told in enumerate(UNUSUAL[number % len(UNUSUAL)]):
            ended = told.get("agentops.outcome", "ok")
            told = {name.replace("__", "."): value for name, value in told.items()}
            records.append(
                span(f"step {place}", told, trace_id=trace_id, at=at + 10 * place, took=5, parent=top,
                     status="error" if ended == "error" else "unset")
            )  # fmt: skip
        if number % 10 == 4:  # an orphan that began first
            records.append(span("lost", {"agentops.kind": "task"}, trace_id=trace_id, at=at - 5, parent=records[0]))
    return records

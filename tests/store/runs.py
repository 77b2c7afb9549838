"""Runs with everything that figures, filters and views have to tell apart."""

from __future__ import annotations

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

"""Records made by hand, as the write side makes them: a run with an agent, model calls, tools, decisions."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.classify import iso, kind_of, outcome_of
from agentops_sdk.traces.record import SpanRecord

T0 = 1_786_000_000_000_000_000
MS = 1_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_ids = count(1)


def span(
    name: str,
    attributes: dict[str, Any] | None = None,
    *,
    parent: SpanRecord | str | None = None,
    at: float = 0,
    took: float = 100,
    status: str = "unset",
    trace_id: str = TRACE,
    span_id: str | None = None,
    **more: Any,
) -> SpanRecord:
    """A record; ``at`` and ``took`` are milliseconds, ``at`` since the start of the samples."""
    attributes = attributes or {}
    start = T0 + int(at * MS)
    end = start + int(took * MS)
    return SpanRecord.model_validate(
        {
            "trace_id": trace_id,
            "span_id": span_id or f"{next(_ids):016x}",
            "parent_id": parent.span_id if isinstance(parent, SpanRecord) else parent,
            "name": name,
            "kind": kind_of(attributes),
            "start_ns": start,
            "end_ns": end,
            "start": iso(start),
            "end": iso(end),
            "status": status,
            "outcome": outcome_of(attributes, status),
            "attributes": attributes,
            "resource": {semconv.SERVICE_NAME: "demo"},
            "scope": {"name": "agentops_sdk"},
            **more,
        }
    )


def message(role: str, content: str) -> dict[str, Any]:
    """One message in the conventions' schema."""
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def chat(
    parent: SpanRecord | None,
    *,
    model: str = "gpt-4o-mini",
    tokens: tuple[int, int] | None = (800, 40),
    cost: float | None = 0.000144,
    source: str = "reported",
    attributes: dict[str, Any] | None = None,
    **more: Any,
) -> SpanRecord:
    """A model call."""
    made: dict[str, Any] = {
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: model,
        semconv.RESPONSE_MODEL: f"{model}-2024-07-18",
        semconv.RESPONSE_ID: f"chatcmpl-{next(_ids)}",
    }
    if tokens is not None:
        made |= {
            semconv.USAGE_INPUT_TOKENS: tokens[0],
            semconv.USAGE_OUTPUT_TOKENS: tokens[1],
            semconv.USAGE_SOURCE: source,
        }
    if cost is not None:
        made |= {semconv.COST_AMOUNT: cost, semconv.COST_CURRENCY: "USD"}
    return span(f"chat {model}", made | (attributes or {}), parent=parent, span_kind="CLIENT", **more)


def agent(
    name: str, parent: SpanRecord | None = None, attributes: dict[str, Any] | None = None, **more: Any
) -> SpanRecord:
    """An agent invocation."""
    made = {semconv.OPERATION_NAME: "invoke_agent", semconv.AGENT_NAME: name}
    return span(f"invoke_agent {name}", made | (attributes or {}), parent=parent, **more)


def tool(name: str, parent: SpanRecord | None, attributes: dict[str, Any] | None = None, **more: Any) -> SpanRecord:
    """A tool execution."""
    made = {semconv.OPERATION_NAME: "execute_tool", semconv.TOOL_NAME: name}
    return span(f"execute_tool {name}", made | (attributes or {}), parent=parent, **more)


def run(trace_id: str = TRACE, at: float = 0) -> list[SpanRecord]:
    """An agent that asks a model three times and uses two tools; one tool fails once and is tried again."""
    top = agent("travel", took=3400, at=at, trace_id=trace_id, attributes={semconv.SESSION_ID: "s-1"})
    first = chat(
        top,
        at=at + 10,
        took=820,
        trace_id=trace_id,
        attributes={
            semconv.INPUT_MESSAGES: json.dumps([message("user", "What is the weather in Paris?\nAnd the time?")]),
            semconv.OUTPUT_MESSAGES: json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [
                            {
                                "type": "tool_call",
                                "id": "c1",
                                "name": "weather",
                                "arguments": {"city": "Paris"},
                            }
                        ],
                        "finish_reason": "tool_call",
                    }
                ]
            ),
        },
    )
    failed = tool(
        "weather",
        top,
        at=at + 900,
        took=120,
        status="error",
        trace_id=trace_id,
        status_message="upstream took longer than 100 ms",
        attributes={semconv.ERROR_TYPE: "TimeoutError", semconv.TOOL_CALL_ARGUMENTS: '{"city": "Paris"}'},
    )
    second = chat(top, at=at + 1100, took=640, tokens=(900, 30), cost=0.000153, trace_id=trace_id)
    decision = span(
        "retry or give up",
        {
            semconv.KIND: "decision",
            semconv.DECISION_NAME: "retry or give up",
            semconv.DECISION_OPTIONS: '["retry", "give up"]',
            semconv.DECISION_CHOSEN: "retry",
            semconv.DECISION_REASON: "one failure only, and the user needs the answer",
            semconv.DECISION_CONFIDENCE: 0.9,
            semconv.DECISION_BY: "code",
        },
        parent=top,
        at=at + 1750,
        took=0.02,
        trace_id=trace_id,
    )
    again = tool("weather", top, at=at + 1760, took=95, trace_id=trace_id, attributes={semconv.COST_AMOUNT: 0.002})
    clock = tool("clock", top, at=at + 1770, took=3, trace_id=trace_id)
    streamed = chat(
        top,
        at=at + 1900,
        took=1450,
        tokens=(1012, 187),
        cost=0.000264,
        trace_id=trace_id,
        attributes={
            semconv.REQUEST_STREAM: True,
            semconv.STREAM_CHUNKS: 42,
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: 0.31,
            semconv.USAGE_SOURCE: "injected",
            semconv.OUTPUT_MESSAGES: json.dumps([{**message("assistant", "Rainy, 14 °C."), "finish_reason": "stop"}]),
        },
    )
    # Children end before their parents, so a file holds them first.
    return [first, failed, second, decision, again, clock, streamed, top]


def troubled() -> list[SpanRecord]:
    """What goes wrong: a missing parent, clock skew, an unknown price, an estimate, an abandoned stream."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    top = span("plan the trip", {semconv.KIND: "workflow"}, took=900, trace_id=trace_id)
    early = chat(top, at=-50, took=20, model="my-own-model", cost=None, trace_id=trace_id,
                 attributes={semconv.COST_UNKNOWN_REASON: "no price for my-own-model"})  # fmt: skip
    guessed = chat(top, at=100, source="estimated", trace_id=trace_id,
                   attributes={semconv.REQUEST_STREAM: True, semconv.OUTCOME: "abandoned"})  # fmt: skip
    orphan = tool("search", None, at=300, trace_id=trace_id)
    orphan = orphan.model_copy(update={"parent_id": "00000000deadbeef"})
    return [early, guessed, orphan, top]

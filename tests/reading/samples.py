"""Spans as other recorders write them in OTLP, made by hand: small, and each of one sort."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentops_sdk.traces import SpanRecord, Trace, load

T0 = 1_786_000_000_000_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLED = {
    "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 100,
    "gen_ai.usage.completion_tokens": 20, "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.tool_calls.0.id": "c1", "gen_ai.completion.0.tool_calls.0.name": "lookup",
    "gen_ai.completion.0.tool_calls.0.arguments": "{}",
}  # fmt: skip
"""A model's call of a tool, by OpenLLMetry's older names."""


def value(plain: Any) -> dict[str, Any]:
    """A value as OTLP/JSON has it."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(item) for item in plain]}}
    return {"stringValue": plain}


def span(number: int, attributes: dict[str, Any], parent: int | None = None, **more: Any) -> dict[str, Any]:
    """One span of OTLP/JSON, the ``number``-th of its trace."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        **({} if parent is None else {"parentSpanId": f"{parent:016x}"}),
        "name": "step",
        "kind": 1,
        "startTimeUnixNano": str(T0 + number * 1_000_000),
        "endTimeUnixNano": str(T0 + number * 1_000_000 + 500_000),
        "attributes": [{"key": key, "value": value(plain)} for key, plain in attributes.items()],
        **more,
    }


def otlp(*spans: dict[str, Any]) -> dict[str, Any]:
    """A document with these spans."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "demo"}}]}
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "theirs"}, "spans": list(spans)}]}]
    }


def trace_of(*documents: Any) -> Trace:
    """The one trace in documents, one on each line."""
    (trace,) = load([json.dumps(document) for document in documents])
    return trace


def only(attributes: dict[str, Any], **more: Any) -> SpanRecord:
    """What becomes of a single span with these attributes."""
    (record,) = trace_of(otlp(span(1, attributes, **more))).spans
    return record


def parts(record: SpanRecord, attribute: str) -> list[tuple[str, Any]]:
    """Role and first text of every message in an attribute."""
    return [
        (message["role"], next((part.get("content", part.get("response")) for part in message["parts"]), None))
        for message in json.loads(record.attributes[attribute])
    ]


FIXTURES = Path(__file__).parent / "fixtures"

"""How each kind of operation is named: span name, span kind and the attribute that carries its name."""

from __future__ import annotations

from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv


class KindRule(NamedTuple):
    """One row of the table below."""

    operation: str | None
    prefix: str | None
    name_attribute: str | None
    span_kind: SpanKind


_INTERNAL, _CLIENT = SpanKind.INTERNAL, SpanKind.CLIENT

RULES: dict[str, KindRule] = {
    "agent": KindRule("invoke_agent", "invoke_agent", semconv.AGENT_NAME, _INTERNAL),
    "workflow": KindRule("invoke_workflow", "invoke_workflow", semconv.WORKFLOW_NAME, _INTERNAL),
    "task": KindRule(None, None, None, _INTERNAL),
    "tool": KindRule("execute_tool", "execute_tool", semconv.TOOL_NAME, _INTERNAL),
    "llm": KindRule("chat", "chat", semconv.REQUEST_MODEL, _CLIENT),
    "embedding": KindRule("embeddings", "embeddings", semconv.REQUEST_MODEL, _CLIENT),
    "retriever": KindRule("retrieval", "retrieval", semconv.DATA_SOURCE_ID, _CLIENT),
    "plan": KindRule("plan", "plan", None, _INTERNAL),
    # The conventions have no span for a guardrail or a decision made inside the process.
    "guardrail": KindRule(None, "guardrail", semconv.GUARDRAIL_NAME, _INTERNAL),
    "decision": KindRule(None, "decision", semconv.DECISION_NAME, _INTERNAL),
    "span": KindRule(None, None, None, _INTERNAL),
}


def begin(kind: str, name: str | None, operation: str | None = None) -> tuple[str, SpanKind, dict[str, Any]]:
    """Span name, span kind and first attributes of an operation of ``kind`` called ``name``.

    ``operation`` overrides the kind's usual ``gen_ai.operation.name``.
    """
    rule = RULES[kind]
    operation = operation or rule.operation
    prefix = operation or rule.prefix
    attributes: dict[str, Any] = {semconv.KIND: kind}
    if operation is not None:
        attributes[semconv.OPERATION_NAME] = operation
    if name is not None and rule.name_attribute is not None:
        attributes[rule.name_attribute] = name
    if kind == "tool":
        attributes[semconv.TOOL_TYPE] = "function"
    return " ".join(part for part in (prefix, name) if part) or kind, rule.span_kind, attributes

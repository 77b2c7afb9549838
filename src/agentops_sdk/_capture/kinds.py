"""How an operation begins: its span's name, its span kind and its first attributes, by the table of kinds."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv


def begin(kind: str, name: str | None, operation: str | None = None) -> tuple[str, SpanKind, dict[str, Any]]:
    """Span name, span kind and first attributes of an operation of ``kind`` called ``name``.

    ``operation`` overrides the kind's usual ``gen_ai.operation.name``.
    """
    row = semconv.SPAN_KINDS[kind]
    operation = operation or row.operation
    prefix = operation or row.prefix
    attributes: dict[str, Any] = {semconv.KIND: kind}
    if operation is not None:
        attributes[semconv.OPERATION_NAME] = operation
    if name is not None and row.named_by is not None:
        attributes[row.named_by] = name
    if kind == "tool":
        attributes[semconv.TOOL_TYPE] = "function"
    span_kind = SpanKind.CLIENT if row.client else SpanKind.INTERNAL
    return " ".join(part for part in (prefix, name) if part) or kind, span_kind, attributes

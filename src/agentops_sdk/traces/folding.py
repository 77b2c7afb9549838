"""What a tree shows of a trace: without the plumbing of frameworks, whose children move up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk import semconv

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace


def shown_below(trace: Trace, span: SpanRecord) -> list[SpanRecord]:
    """The children of ``span`` with those of folded spans in their place, in the order of their starts."""
    shown: list[SpanRecord] = []
    stack = list(reversed(trace.children(span)))
    while stack:
        child = stack.pop()
        if is_folded(trace, child):
            stack.extend(reversed(trace.children(child)))
        else:
            shown.append(child)
    return shown


def is_folded(trace: Trace, span: SpanRecord) -> bool:
    """Whether a span is plumbing and hides nothing: what went wrong in it alone stays in sight."""
    if span.attributes.get(semconv.PLUMBING) is not True:
        return False
    return span.outcome == "ok" or any(child.outcome == span.outcome for child in trace.children(span))

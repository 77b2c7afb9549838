"""Handoffs: the agent that passes a task on and the one that takes it are linked, each to the other."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call

_MOST_PENDING = 1_000

pending: OrderedDict[tuple[str, str], tuple[Call, dict[str, Any]]] = OrderedDict()
"""By trace and name of the agent that is to take over; the oldest are forgotten."""


def offer(call: Call, to: str, reason: str | None = None) -> None:
    """``call``'s agent hands over to the agent called ``to``; the next span of that agent in this trace takes it."""
    about = {semconv.LINK_TYPE: "handoff", semconv.HANDOFF_TO: to}
    source = call.span.attributes.get(semconv.AGENT_NAME)
    if source is not None:
        about[semconv.HANDOFF_FROM] = source
    call.event(semconv.HANDOFF_EVENT, about if reason is None else {**about, semconv.HANDOFF_REASON: reason})
    pending[call.trace_id, to] = (call, about)
    while len(pending) > _MOST_PENDING:
        pending.popitem(last=False)


def take(call: Call) -> None:
    """``call`` is an agent that begins: link it with whoever handed over to it."""
    found = pending.pop((call.trace_id, str(call.span.attributes.get(semconv.AGENT_NAME))), None)
    if found is None:
        return
    origin, about = found
    call.link(origin.span.otel.get_span_context(), about)
    origin.link(call.span.otel.get_span_context(), about)

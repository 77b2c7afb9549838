"""Handoffs: the agent that passes a task on and the one that takes it are linked, each to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from opentelemetry.trace import SpanContext

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call, NullCall

_MOST_PENDING = 1_000

pending: BoundedMap[tuple[str, str], tuple[SpanContext, ReferenceType[Call], dict[str, Any]]] = BoundedMap(
    _MOST_PENDING
)
"""By trace and name of the agent that is to take over. Most are taken never or late: the call itself is not kept."""


def offer(call: Call, to: str, reason: str | None = None) -> None:
    """``call``'s agent hands over to the agent called ``to``; the next span of that agent in this trace takes it."""
    about = {semconv.LINK_TYPE: "handoff", semconv.HANDOFF_TO: to}
    source = call.span.attributes.get(semconv.AGENT_NAME)
    if source is not None:
        about[semconv.HANDOFF_FROM] = source
    call.event(semconv.HANDOFF_EVENT, about if reason is None else {**about, semconv.HANDOFF_REASON: reason})
    pending[call.trace_id, to] = (call.span.otel.get_span_context(), ref(call), about)


def has_handed_over(call: Call | NullCall) -> bool:
    """Whether :func:`offer` was called for it."""
    events = getattr(getattr(call, "span", None), "events", ())
    return any(event[0] == semconv.HANDOFF_EVENT for event in events)


def take(call: Call) -> None:
    """``call`` is an agent that begins: link it with whoever handed over to it."""
    offered = pending.pop((call.trace_id, str(call.span.attributes.get(semconv.AGENT_NAME))), None)
    if offered is None:
        return
    origin, origin_call, about = offered
    call.link(origin, about)
    if (still_live := origin_call()) is not None:
        still_live.link(call.span.otel.get_span_context(), about)

"""A lean span with the fields of the ReadableSpan that every OpenTelemetry exporter expects. Consumer thread only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._recorder.host_provider import EndedSpan
from agentops_sdk._recorder.recorder import UNSET, LeanSpan, link_to_parent
from agentops_sdk._recorder.span_completion import Completer
from agentops_sdk._recorder.tail_sampling import HeldSpan
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._scrub.private_form import attributes_of, event_name_of, name_of
from agentops_sdk.traces.formats.finished_span import FinishedEvent, FinishedSpan
from agentops_sdk.traces.formats.json_values import INT_MAX
from agentops_sdk.traces.formats.wire_values import is_time, with_dropped

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope


def readable(span: LeanSpan, completer: Completer, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """Complete ``span`` and freeze it; the span itself keeps its identity and lets go of all it was told.

    Contexts outlive what ran in them: a timer or a task that was started inside has the span current for good.
    """
    policy = completer.policy
    told, redactions = span.status, policy.redactions
    message = None if told is UNSET else told.description  # asked by name, it takes a call
    # Contexts are asked by place: by name, each answer takes a call.
    trace_id, span_id, parent = span.context[0], span.context[1], span.parent
    parent_id = None if parent is None or parent[2] else parent[1]
    ids = None if span.measured else (span_id, parent_id)  # else its run has been told already
    done = completer.complete(span.attributes, span.deferred, span.events, message, span.account, ids, trace_id)
    private = semconv.PRIVATE in done.attributes
    status = told if message is None else Status(StatusCode.ERROR, done.message)
    if done.attributes.get(semconv.OUTCOME) == "error" and status.is_unset:  # its reply told so, read on this thread
        status = Status(StatusCode.ERROR)
    links: Sequence[trace.Link] = ()
    if span.links:
        links = [trace.Link(link.context, policy.apply(_left(link.attributes, private))) for link in span.links]
    if span.missing or span.sampled_elsewhere:
        done.attributes.update(_sampling(span))
    start, end = span.start_ns, max(span.end_ns, span.start_ns)
    if completer.findings is not None and not private:
        completer.look_for_findings(done.attributes, done.events, span.ids, (start, end), outermost=span.outermost)
    events = [FinishedEvent(name, attributes, at) for name, at, attributes in done.events] if done.events else ()
    dropped, name = span.dropped_events, span.name
    span.event_content = done.event_content
    span.forget()
    name = name_of(done.attributes) if private else policy.text(name) or ""
    completed = FinishedSpan(
        name, span.context, span.parent, resource, scope, done.attributes, span.kind, status, start, end, events, links,
        dropped,
    )  # fmt: skip
    # The policy has made every value fit; where it has redacted, or a time was given by somebody else, it is looked at.
    in_range = type(start) is int and type(end) is int and 0 <= start <= end <= INT_MAX
    is_fit = in_range and not private and policy.personal_data is None and policy.redactions == redactions
    completed.is_fit = is_fit and (not done.events or all(is_time(at) for _, at, _ in done.events))
    return completed  # type: ignore[return-value]  # one by its fields


def _left(attributes: Mapping[str, Any] | None, private: bool) -> Mapping[str, Any]:
    """The attributes of a link."""
    return attributes_of(attributes or {}) if private else attributes or {}


def _sampling(span: HeldSpan) -> dict[str, Any]:
    """What is known to be missing of the run whose outermost span this is, or may be."""
    known = {semconv.MISSING_SPANS: span.missing} if span.missing else {}
    return known | ({semconv.SAMPLED_ELSEWHERE: True} if span.sampled_elsewhere else {})


def with_sampling(completed: Any, span: HeldSpan) -> Any:
    """A span that was completed before it was known that it is kept."""
    if more := _sampling(span):
        if type(completed) is FinishedSpan:
            completed.attributes.update(more)
            return completed
        completed._attributes = with_dropped({**(completed.attributes or {}), **more}, completed.dropped_attributes)  # noqa: SLF001 - it has no setter, and is ours
    return completed


def scrubbed(ended: EndedSpan, policy: Policy, completer: Completer | None = None) -> ReadableSpan:
    """A copy of a span of the program's provider as our sinks get it: limited and scrubbed once more, among ours.

    What other people's code put on it by OpenTelemetry's own methods has not passed our policy.
    """
    from opentelemetry.sdk.trace import Event, ReadableSpan

    span = ended.span
    status, description = span.status, span.status.description
    name, found = span.name, dict(span.attributes or {})
    events = [(event.name, event.timestamp, event.attributes or {}) for event in span.events]
    if ended.whole is not None:
        name, own, own_events, message = ended.whole
        found.pop(semconv.TRUNCATED, None)  # by the provider, and not here
        found, description = {**found, **own}, message if description is not None else None
        known = {(event, at) for event, at, _ in own_events}
        events = [*(event for event in events if event[:2] not in known), *own_events]
        ended.whole = None
    content = policy.captures(found, ended.ids[0])
    private = semconv.PRIVATE in found
    attributes = policy.apply(attributes_of(found) if private else found, content)
    on_span = content and policy.settings.capture_content
    if aside := policy.event_content(attributes):
        ended.event_content = aside
    attributes.update(_sampling(ended))
    if completer is not None and completer.findings is not None and not private:
        told: list[tuple[str, int, dict[str, Any]]] = []
        times = span.start_time or 0, span.end_time or 0
        completer.look_for_findings(attributes, told, ended.ids, times, outermost=ended.outermost)
        events += told
    if private:
        name, description = name_of(attributes), None
        events = [(event_name_of(event), at, attributes_of(fields)) for event, at, fields in events]
    links = span.links if ended.true_parent is None else (*span.links, link_to_parent(ended.true_parent))
    return ReadableSpan(
        name=policy.text(name) or "",
        context=span.context,
        parent=ended.parent,
        resource=span.resource,
        attributes=attributes,
        events=[Event(policy.name(event), policy.apply(fields, on_span), at) for event, at, fields in events],
        links=[trace.Link(link.context, policy.apply(_left(link.attributes, private))) for link in links],
        kind=span.kind,
        status=status if description is None else Status(status.status_code, policy.text(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )

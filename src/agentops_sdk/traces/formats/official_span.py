"""A finished span of ours as objects of OpenTelemetry's SDK, for exporters that read more than the common fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.finished_span import FinishedSpan, ProcessResource, ProcessScope
from agentops_sdk.traces.formats.wire_values import list_with_dropped, mark_encodable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["official", "official_identity"]


def official(span: Any) -> ReadableSpan:
    """The SDK's own object with the same fields."""
    from opentelemetry.sdk.trace import Event, ReadableSpan

    if type(span) is not FinishedSpan:
        return span  # type: ignore[no-any-return]  # it is one

    resource, scope = official_identity(span.resource, span.instrumentation_scope)
    events = [Event(event.name, event.attributes, event.timestamp) for event in span.events]
    made = ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=resource,
        attributes=span.attributes,
        events=list_with_dropped(events, span.dropped_events),
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=scope,
    )
    return mark_encodable(made) if span.is_fit else made


# A process has one resource and one scope: replaced as a whole, so threads are safe.
_known: tuple[Any, Any, Any, Any] = (None, None, None, None)


def official_identity(resource: Any, scope: Any) -> tuple[Any, Any]:
    """A resource and a scope as the SDK's own objects."""
    global _known
    of, by, made, made_by = _known
    if of is not resource or by is not scope:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        made, made_by = resource, scope
        if type(resource) is ProcessResource:
            made = Resource(resource.attributes, resource.schema_url)
        if type(scope) is ProcessScope:
            made_by = InstrumentationScope(scope.name, scope.version, scope.schema_url, scope.attributes)
        _known = resource, scope, made, made_by
    return made, made_by

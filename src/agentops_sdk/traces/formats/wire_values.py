"""A finished span that every exporter can encode: UTF-8 text, 64-bit numbers, times a clock can have.

Spans of other people's tracers reach the sinks as they are, and one that protobuf or JSON refuses would
take the whole batch with it. Runs once per span on the consumer thread; a span without fault is returned
as it is. Long because a span has spans', events', links', resources' and scopes' values, each in two classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.finished_span import FinishedEvent, FinishedSpan, ProcessResource, ProcessScope
from agentops_sdk.traces.formats.json_values import INT_MAX, INT_MIN, integer, kind_name

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link

__all__ = ["UNENCODABLE", "encodable", "encodable_identity", "is_time", "mark_encodable", "utf8"]

UNENCODABLE: Final = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError)
"""What an encoder raises over a span that breaks its own contract, such as one without a context."""

_MARK: Final = "_agentops_encodable"
_DEEPEST: Final = 32
_MOST_VALUES: Final = 10_000
_FIXED: Final = (bool, float, type(None))
_TEXT: Final = frozenset({str})

# A process has one resource and a handful of scopes: look at each once. Replaced as a whole, so threads are safe.
_resource: tuple[Resource | None, Resource | None] = (None, None)
_scope: tuple[InstrumentationScope | None, InstrumentationScope | None] = (None, None)


def encodable(span: ReadableSpan) -> ReadableSpan:
    """``span``, or a copy in which only what no exporter can encode is written otherwise.

    Text that has no UTF-8 (lone surrogates) shows the escape it would have in source code; integers beyond
    64 bits become decimal text; times outside of what 63 bits of nanoseconds can hold become the nearest
    one. The names of what was changed are listed in the attribute ``agentops.altered``.

    Raises:
        ValueError, TypeError, AttributeError, …: see ``UNENCODABLE``; the span breaks OpenTelemetry's contract.
    """
    ours: Any = span if span.__class__ is FinishedSpan else None  # type: ignore[comparison-overlap]  # by its fields
    if ours is not None and ours.is_fit:
        return span
    resource, scope = _known_resource(span.resource), _known_scope(span.instrumentation_scope)
    if getattr(span, _MARK, False) is True and resource is span.resource and scope is span.instrumentation_scope:
        return span
    altered: list[str] = []
    name = _checked(altered, "name", span.name, _text)
    attributes = _attributes(span.attributes, altered)
    message = _checked(altered, "status_message", span.status.description, _text)
    start = _checked(altered, "start_time", span.start_time, _time)
    end = _checked(altered, "end_time", span.end_time, _time)
    events, links = _events(span.events, altered), _links(span.links, altered)
    if not altered and resource is span.resource and scope is span.instrumentation_scope:
        return span
    from opentelemetry.trace import Status

    if altered:
        attributes = {**attributes, semconv.ALTERED: sorted(set(altered))}
    status = span.status if message is span.status.description else Status(span.status.status_code, message)
    if ours is not None:
        return FinishedSpan(  # type: ignore[return-value]  # one by its fields
            name, span.context, span.parent, resource, scope, dict(attributes), span.kind, status, start, end, events,
            links, ours.dropped_events,
        )  # fmt: skip
    from opentelemetry.sdk.trace import ReadableSpan

    return ReadableSpan(
        name=name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=resource,
        attributes=with_dropped(attributes, span.dropped_attributes),
        events=list_with_dropped(events, span.dropped_events),
        links=list_with_dropped(links, span.dropped_links),
        kind=span.kind,
        status=status,
        start_time=start,
        end_time=end,
        instrumentation_scope=scope,
    )


def encodable_identity(resource: Any, scope: Any) -> tuple[Any, Any]:
    """A resource and a scope, or copies in which only what no exporter can encode is written otherwise."""
    return _known_resource(resource), _known_scope(scope)


def mark_encodable(span: ReadableSpan) -> ReadableSpan:
    """``span``, of ours, which :func:`encodable` need not look at any more."""
    setattr(span, _MARK, True)
    return span


def is_time(value: Any) -> bool:
    """Whether a clock can have it."""
    return type(value) is int and 0 <= value <= INT_MAX


def utf8(text: str) -> str:
    """The text itself, or with each lone surrogate as the escape it would have in source code."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _checked(altered: list[str], name: str, value: Any, check: Any) -> Any:
    fit = check(value)
    if fit is not value:
        altered.append(name)
    return fit


def _text(value: Any) -> Any:
    if value is None:
        return None
    return utf8(value) if isinstance(value, str) else f"<{kind_name(value)}>"


def _time(value: Any) -> Any:
    if value is None or is_time(value):
        return value
    return min(max(int(value), 0), INT_MAX)


def _attributes(attributes: Mapping[str, Any] | None, altered: list[str]) -> Mapping[str, Any]:
    """The mapping itself if all of it can be encoded, else a dictionary in its place."""
    if not attributes:
        return attributes or {}
    plain = dict(attributes)  # OpenTelemetry's mapping is slow to walk
    fits = all(
        (value.isascii() or utf8(value) is value)
        if (kind := type(value)) is str
        else kind in _FIXED or (INT_MIN <= value <= INT_MAX if kind is int else _is_list_of_ascii(value))
        for value in plain.values()
    )
    if fits and _TEXT.issuperset(map(type, plain)) and all(map(str.isascii, plain)):
        return attributes
    changed: dict[Any, tuple[str, Any]] = {}
    for key, value in plain.items():
        name, fit = _key(key), _Values().fit(value)
        if name is not key or fit is not value:
            changed[key] = name, fit
    if not changed:
        return attributes
    altered += [name for name, _ in changed.values()]
    return dict(changed.get(key, (key, value)) for key, value in plain.items())


def _is_list_of_ascii(value: Any) -> bool:
    return type(value) in (list, tuple) and all(type(item) is str and item.isascii() for item in value)


def with_dropped(attributes: Mapping[str, Any], dropped: int) -> Mapping[str, Any]:
    """The attributes, still knowing how many did not fit."""
    if not dropped:
        return attributes
    from opentelemetry.attributes import BoundedAttributes

    bounded = BoundedAttributes(attributes=attributes)
    bounded.dropped = dropped
    return bounded


def list_with_dropped(items: Sequence[Any], dropped: int) -> Sequence[Any]:
    if not dropped:
        return items
    from opentelemetry.sdk.util import BoundedList

    bounded: BoundedList[Any] = BoundedList.from_seq(len(items), items)
    bounded.dropped = dropped
    return bounded


def _key(key: Any) -> str:
    if isinstance(key, str):
        return utf8(key)
    return str(key) if key is None or type(key) in (bool, int, float) else f"<{kind_name(key)}>"


class _Values:
    """One attribute's value, however deep; bounded, so that a list within itself ends too."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def fit(self, value: Any, depth: int = 0) -> Any:
        """The value itself, or what can be encoded in its place."""
        kind = type(value)
        if kind is str:
            return utf8(value)
        if kind in _FIXED or kind is bytes:
            return value
        if kind is int:
            return integer(value)
        if isinstance(value, str):
            return utf8(str.__str__(value))
        if isinstance(value, int):
            return integer(int(value))
        if isinstance(value, float):
            return float(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        self._left -= 1
        if not isinstance(value, Mapping | Sequence):
            return f"<{kind_name(value)}>"
        if depth >= _DEEPEST or self._left < 0:
            return "…"
        if isinstance(value, Mapping):
            members = {_key(key): self.fit(item, depth + 1) for key, item in list(value.items())}
            same = all(key in value and value[key] is item for key, item in members.items())
            return value if same else members
        items = [self.fit(item, depth + 1) for item in value]
        return value if all(item is old for item, old in zip(items, value, strict=True)) else items


def _events(events: Sequence[Event], altered: list[str]) -> Sequence[Event]:
    return [_event(event, altered) for event in events] if events else events


def _event(event: Any, altered: list[str]) -> Any:
    changed: list[str] = []
    name = _checked(changed, "name", event.name, _text)
    at = _checked(changed, "time", event.timestamp, _time)
    attributes = _attributes(event.attributes, changed)
    if not changed:
        return event
    altered += [f"events.{name}" for name in changed]
    if type(event) is FinishedEvent:
        return FinishedEvent(name, attributes, at)  # one by its fields
    from opentelemetry.sdk.trace import Event

    return Event(name, with_dropped(attributes, event.dropped_attributes), at)


def _links(links: Sequence[Link], altered: list[str]) -> Sequence[Link]:
    return [_link(link, altered) for link in links] if links else links


def _link(link: Link, altered: list[str]) -> Link:
    changed: list[str] = []
    attributes = _attributes(link.attributes, changed)
    if not changed:
        return link
    from opentelemetry.trace import Link

    altered += [f"links.{name}" for name in changed]
    return Link(link.context, with_dropped(attributes, link.dropped_attributes))


def _known_resource(resource: Resource) -> Resource:
    global _resource
    known, fit = _resource
    if known is not resource or fit is None:
        fit = _fit_resource(resource)
        _resource = (resource, fit)
    return fit


def _fit_resource(resource: Any) -> Any:
    altered: list[str] = []
    attributes = _attributes(resource.attributes, altered)
    url = _checked(altered, "schema_url", resource.schema_url, _text)
    if not altered:
        return resource
    if type(resource) is ProcessResource:
        return ProcessResource(attributes, url)
    from opentelemetry.sdk.resources import Resource

    return Resource(attributes, url)


def _known_scope(scope: InstrumentationScope | None) -> InstrumentationScope | None:
    global _scope
    known, fit = _scope
    if scope is None:
        return None
    if known is not scope or fit is None:
        fit = _fit_scope(scope)
        _scope = (scope, fit)
    return fit


def _fit_scope(scope: Any) -> Any:
    altered: list[str] = []
    name = _checked(altered, "name", scope.name, _text)
    version = _checked(altered, "version", scope.version, _text)
    url = _checked(altered, "schema_url", scope.schema_url, _text)
    attributes = _attributes(scope.attributes, altered)
    if not altered:
        return scope
    if type(scope) is ProcessScope:
        return ProcessScope(name, version, url, attributes)
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    return InstrumentationScope(name, version, url, attributes)

"""OpenTelemetry's limits of a span: how many attributes, events and links, and how long a text. Consumer thread only.

Nothing is limited unless somebody says so. What a reader cannot do without stays; what goes is counted on the span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.official_span import official
from agentops_sdk.traces.formats.wire_values import list_with_dropped, with_dropped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk.config import Settings

__all__ = ["FIRST", "limited", "limits_anything"]

FIRST: Final = (semconv.KIND, semconv.OUTCOME, semconv.OPERATION_NAME)
"""What goes last."""


def limits_anything(settings: Settings) -> bool:
    """Whether :func:`limited` would ever change a span."""
    return any(
        limit is not None
        for limit in (
            settings.attribute_count_limit,
            settings.attribute_length_limit,
            settings.event_count_limit,
            settings.link_count_limit,
            settings.event_attribute_count_limit,
            settings.link_attribute_count_limit,
        )
    )


def limited(complete: ReadableSpan, settings: Settings) -> ReadableSpan:
    """A span of ours as sinks get it, within the limits; what it measures is told by ``complete``, before."""
    from opentelemetry.sdk.trace import Event
    from opentelemetry.trace import Link

    span = official(complete)
    length = settings.attribute_length_limit
    attributes = _shortened(span.attributes or {}, length, mark=True)
    span._attributes = _bounded(attributes, settings.attribute_count_limit, span.dropped_attributes)  # noqa: SLF001 - it has no setter, and is ours
    events, lost = _firsts(span.events, settings.event_count_limit)
    of_event = settings.event_attribute_count_limit
    span._events = list_with_dropped(  # noqa: SLF001 - the same
        [
            Event(
                event.name,
                _bounded(_shortened(event.attributes or {}, length), of_event, event.dropped_attributes),
                event.timestamp,
            )
            for event in events
        ],
        span.dropped_events + lost,
    )
    links, lost = _firsts(span.links, settings.link_count_limit)
    of_link = settings.link_attribute_count_limit
    span._links = list_with_dropped(  # noqa: SLF001 - the same
        [
            Link(link.context, _bounded(_shortened(link.attributes or {}, length), of_link, link.dropped_attributes))
            for link in links
        ],
        span.dropped_links + lost,
    )
    return span


def _firsts(items: Sequence[Any], most: int | None) -> tuple[Sequence[Any], int]:
    return (items, 0) if most is None or len(items) <= most else (items[:most], len(items) - most)


def _bounded(attributes: Mapping[str, Any], most: int | None, dropped: int) -> Mapping[str, Any]:
    if most is None or len(attributes) <= most:
        return with_dropped(attributes, dropped)
    names = [*(name for name in FIRST if name in attributes), *(name for name in attributes if name not in FIRST)]
    return with_dropped({name: attributes[name] for name in names[:most]}, dropped + len(attributes) - most)


def _shortened(attributes: Mapping[str, Any], length: int | None, *, mark: bool = False) -> Mapping[str, Any]:
    if length is None:
        return attributes
    shortened = {name: _short(value, length) for name, value in attributes.items()}
    cut = [name for name, value in shortened.items() if value is not attributes[name]]
    if mark and cut:
        known = attributes.get(semconv.TRUNCATED) or ()
        shortened[semconv.TRUNCATED] = sorted({*known, *cut})
    return shortened


def _short(value: Any, length: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= length else value[:length]
    if isinstance(value, (list, tuple)) and any(isinstance(item, str) and len(item) > length for item in value):
        return [_short(item, length) for item in value]
    return value

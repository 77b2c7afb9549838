"""A span that has ended, with the fields that OpenTelemetry's ``ReadableSpan`` has, and nothing of its SDK.

That is what goes through the pipeline where the program has no provider of its own: plain slots, read many times a
span. An exporter gets the SDK's objects unless it says that these fields are all it reads (``lean``); whoever records
into our own sinks alone never loads the SDK. Annotations call all of them by the SDK's names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.trace import Link, SpanContext, SpanKind, Status

__all__ = ["FinishedEvent", "FinishedSpan", "ProcessResource", "ProcessScope", "SpanForm"]


class ProcessResource:
    """Who made the spans, in place of a ``Resource``."""

    __slots__ = ("attributes", "schema_url")

    def __init__(self, attributes: Mapping[str, Any], schema_url: str = "") -> None:
        self.attributes = attributes
        self.schema_url = schema_url


class ProcessScope:
    """By what they were made, in place of an ``InstrumentationScope``."""

    __slots__ = ("attributes", "name", "schema_url", "version")

    def __init__(
        self, name: str, version: str | None, schema_url: str = "", attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.version = version
        self.schema_url = schema_url
        self.attributes = attributes or {}


class FinishedEvent:
    """What happened while a span was open, in place of an ``Event``."""

    __slots__ = ("attributes", "name", "timestamp")
    dropped_attributes = 0

    def __init__(self, name: str, attributes: Mapping[str, Any], timestamp: int) -> None:
        self.name = name
        self.attributes = attributes
        self.timestamp = timestamp


class SpanForm:
    """What spans of one name, kind, outcome and set of attributes share; encoders keep here what they make of it.

    Attributes:
        asked: the attributes whose values differ from span to span.
        line: what a line of JSON has of it.
        message: what a message of OTLP has of it.
    """

    __slots__ = ("asked", "line", "message")

    def __init__(self, asked: tuple[str, ...]) -> None:
        self.asked = asked
        self.line: Any = None
        self.message: Any = None


class FinishedSpan:
    """A complete span of ours, in place of a ``ReadableSpan``.

    Attributes:
        is_fit: whether every value of it is known to be one that can be encoded, and so is who made it.
        form: of a plain step: no events, links, status or state, values that are texts in ASCII or figures as JSON and
            OTLP have them, times after the first second of the epoch.
    """

    __slots__ = (
        "attributes", "context", "dropped_events", "end_time", "events", "form", "instrumentation_scope", "is_fit",
        "kind", "links", "name", "parent", "resource", "start_time", "status",
    )  # fmt: skip
    dropped_attributes = dropped_links = 0

    def __init__(
        self,
        name: str,
        context: SpanContext | None,
        parent: SpanContext | None,
        resource: Any,
        instrumentation_scope: Any,
        attributes: dict[str, Any],
        kind: SpanKind,
        status: Status,
        start_time: int,
        end_time: int,
        events: Sequence[Any] = (),
        links: Sequence[Link] = (),
        dropped_events: int = 0,
        form: SpanForm | None = None,
    ) -> None:
        self.name = name
        self.context = context
        self.parent = parent
        self.resource = resource
        self.instrumentation_scope = instrumentation_scope
        self.attributes = attributes
        self.kind = kind
        self.status = status
        self.start_time = start_time
        self.end_time = end_time
        self.events = events
        self.links = links
        self.dropped_events = dropped_events
        self.form = form
        self.is_fit = form is not None

    def get_span_context(self) -> SpanContext | None:
        return self.context

"""OTLP/JSON that is not in the usual form: what Tempo, Jaeger's newer interface, older and other writers make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.formats.otlp_forms import groups, usual
from agentops_sdk.traces.formats.otlp_lines import span_fields
from agentops_sdk.traces.formats.readers import Fields, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    """The spans in OTLP/JSON of every form."""
    for document in documents:
        for fields in span_fields(usual(groups(document) or [])):
            if "resourceSpans" not in fields:
                yield fields
            else:
                yield from _by_message_classes(fields)


def _by_message_classes(one: dict[str, Any]) -> Iterator[Fields | None]:
    """A span in which something is unusual all the same: the message classes know every way of writing it."""
    from google.protobuf.json_format import ParseError

    from agentops_sdk.traces.otlp import from_otlp_json

    try:
        records = list(from_otlp_json(one))
    except (ParseError, ValueError, AttributeError, TypeError):
        yield None
        return
    if not records:
        yield None
    for record in records:
        yield record.model_dump(mode="json", exclude={"start", "end"})


READER = Reader(
    "OTLP/JSON",
    lambda document: groups(document) is not None,
    spans,
    written_by="OpenTelemetry Collector, Grafana Tempo, Jaeger 2, every OTLP exporter that writes JSON",
)

"""OTLP in JSON, a request on each line, as the OpenTelemetry Collector's file exporter writes it."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from agentops_sdk.traces.otlp import to_otlp_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.trace import Trace

SUFFIX: Final = ".otlp.jsonl"
_SPANS: Final = 1_000


def write(traces: Iterable[Trace], file: BinaryIO) -> None:
    """Write the lines. What has not ended is left out, as OTLP has only what has."""
    for trace in traces:
        ended = (span for span in trace if span.ended)
        while spans := list(islice(ended, _SPANS)):
            file.write(json.dumps(to_otlp_json(spans), separators=(",", ":")).encode() + b"\n")

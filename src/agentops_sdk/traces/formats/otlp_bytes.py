"""OTLP's own bytes: what exporters send and what the Collector writes where it is told ``format: proto``.

Bytes do not say of which signal they are: what is none of it has no ids, times or names where that has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["messages"]

_LENGTH = 4


def messages(data: bytes) -> Iterator[dict[str, Any] | None]:
    """OTLP/JSON of one message, or of several with their length before each (four bytes, the big end first).

    Spans, or log records or metrics. ``None`` stands for a message that cannot be read.
    """
    from google.protobuf.json_format import MessageToDict

    for part in _parts(data):
        try:
            message = _message(part)
            yield None if message is None else MessageToDict(message, use_integers_for_enums=True)
        except ValueError:
            yield None


def _message(data: bytes) -> Any:
    """A message of the signal that the bytes are of; of spans where it is of none, ``None`` where it is damaged."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    signals = (
        (TracesData, ("resource_spans", "scope_spans", "spans"), ("trace_id", "span_id")),
        (LogsData, ("resource_logs", "scope_logs", "log_records"), ("time_unix_nano", "observed_time_unix_nano")),
        (MetricsData, ("resource_metrics", "scope_metrics", "metrics"), ("name",)),
    )
    spans = None
    for signal, levels, told in signals:
        try:
            message = signal.FromString(data)
        except DecodeError:
            continue
        members = [message]
        for level in levels:
            members = [item for member in members for item in getattr(member, level)]
        if any(getattr(member, name) for member in members for name in told):
            return message
        if signal is TracesData:
            spans = message
    return spans


def _parts(data: bytes) -> Iterator[bytes]:
    if data[:1] != b"\0":
        yield data
        return
    position = 0
    while position + _LENGTH <= len(data):
        length = int.from_bytes(data[position : position + _LENGTH], "big")
        position += _LENGTH
        yield data[position : position + length]
        position += length

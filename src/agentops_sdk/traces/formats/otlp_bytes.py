"""OTLP's own bytes: what exporters send and what the Collector writes where it is told ``format: proto``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["messages"]

_LENGTH = 4


def messages(data: bytes) -> Iterator[dict[str, Any] | None]:
    """OTLP/JSON of one message, or of several with their length before each (four bytes, the big end first).

    ``None`` stands for a message that cannot be read.
    """
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    for message in _parts(data):
        try:
            yield MessageToDict(TracesData.FromString(message), use_integers_for_enums=True)
        except (DecodeError, ValueError):
            yield None


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

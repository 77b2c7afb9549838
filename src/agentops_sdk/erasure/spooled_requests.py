"""Requests that wait in a spool: spans, and events, of the traces that go are taken out of them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from agentops_sdk.erasure.trace_lines import is_named
from agentops_sdk.exporters.jsonl.rewriting import PART
from agentops_sdk.exporters.otlp.segment import Segment, frame

__all__ = ["holds", "is_of_metrics", "rewrite_segment", "trace_ids_in"]


def _items(path: Path, payload: bytes) -> tuple[Any, list[Any]]:
    """A request, and what it holds lists of: spans, or the records of events, as the name of its spool says.

    Raises:
        ValueError: it is none.
    """
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    is_events = path.parent.parent.name.endswith("-logs")
    request: Any = LogsData() if is_events else TracesData()
    try:
        request.ParseFromString(payload)
    except DecodeError as error:
        raise ValueError("no request") from error
    if is_events:
        return request, [scope.log_records for group in request.resource_logs for scope in group.scope_logs]
    return request, [scope.spans for group in request.resource_spans for scope in group.scope_spans]


def is_of_metrics(path: Path) -> bool:
    """Whether a segment holds measurements, as the name of its spool says."""
    return path.parent.parent.name.endswith("-metrics")


def holds(path: Path, texts: Collection[str]) -> bool:
    """Whether a segment of measurements, which is not taken apart, holds one of ``texts``.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no segment.
    """
    needles = [text.encode() for text in texts]
    return any(needle in payload for payload, _ in _payloads(path) for needle in needles)


def _payloads(path: Path) -> list[tuple[bytes, bool]]:
    """Each request in a segment, and whether it was acknowledged."""
    segment = Segment.reopen(path)
    until, segment.acked = segment.acked, 0
    return [(piece.payload, piece.start < until) for piece in segment.read(1 << 40)]


def trace_ids_in(path: Path, users: Collection[str], sessions: Collection[str]) -> set[str]:
    """Ids of the traces of which a segment says that they are of one of these users or sessions.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no segment of spans or events.
    """
    found: set[str] = set()
    for payload, _ in _payloads(path):
        for items in _items(path, payload)[1]:
            for item in items:
                attributes = {pair.key: pair.value.string_value for pair in item.attributes}
                if is_named({"attributes": attributes}, users, sessions):
                    found.add(item.trace_id.hex())
    return found


def rewrite_segment(path: Path, trace_ids: Collection[str], dry: bool = False) -> int:
    """Write a segment that nobody uses anew without the spans, or events, of some traces; how many went.

    Raises:
        OSError: it cannot be read, or written; it is as it was then.
        ValueError: it is no segment of spans or events.
    """
    gone = 0
    kept: list[tuple[bytes, int]] = []
    sent = False  # what was acknowledged still lies in the file
    for payload, acknowledged in _payloads(path):
        request, lists = _items(path, payload)
        left = 0
        before = gone
        for items in lists:
            stay = [item for item in items if not _goes(item, trace_ids)]
            gone += len(items) - len(stay)
            left += len(stay)
            if len(stay) != len(items):
                del items[:]
                items.extend(stay)
        if acknowledged:
            sent, gone = sent or gone > before, before
        elif gone == before:
            kept.append((payload, left))
        elif left:
            kept.append((request.SerializeToString(), left))
    if dry or not (gone or sent):
        return gone
    if not kept:
        path.unlink()
        return gone
    facts = path.stat()
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    segment = Segment(part)
    try:
        for payload, spans in kept:
            segment.append(frame(payload, spans), spans)
        segment.close()
        os.utime(part, (facts.st_mtime, facts.st_mtime))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return gone


def _goes(span: Any, trace_ids: Collection[str]) -> bool:
    return span.trace_id.hex() in trace_ids or any(
        pair.key == "agentops.feedback.trace_id" and pair.value.string_value in trace_ids for pair in span.attributes
    )

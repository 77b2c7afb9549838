"""Requests that wait in a spool: spans of the traces that go are taken out of them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from agentops_sdk.exporters.jsonl.rewriting import PART
from agentops_sdk.exporters.otlp.segment import Segment, frame

__all__ = ["rewrite_segment", "trace_ids_in"]


def _request(payload: bytes) -> Any:
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    request = TracesData()
    try:
        request.ParseFromString(payload)
    except DecodeError:
        return None
    return request


def _payloads(path: Path) -> list[tuple[bytes, bool]]:
    """Each request in a segment, and whether it was acknowledged."""
    segment = Segment.reopen(path)
    until, segment.acked = segment.acked, 0
    return [(piece.payload, piece.start < until) for piece in segment.read(1 << 40)]


def trace_ids_in(path: Path, names: Collection[str], wanted: Collection[str]) -> set[str]:
    """Ids of the traces of which a segment says, by an attribute of ``names``, that they are of one of ``wanted``.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no segment.
    """
    found: set[str] = set()
    for payload, _ in _payloads(path):
        request = _request(payload)
        for group in request.resource_spans if request is not None else ():
            for scope in group.scope_spans:
                for span in scope.spans:
                    if any(pair.key in names and pair.value.string_value in wanted for pair in span.attributes):
                        found.add(span.trace_id.hex())
    return found


def rewrite_segment(path: Path, trace_ids: Collection[str], dry: bool = False) -> int:
    """Write a segment that nobody uses anew without the spans of some traces; how many went.

    Raises:
        OSError: it cannot be read, or written; it is as it was then.
        ValueError: it is no segment.
    """
    gone = 0
    kept: list[tuple[bytes, int]] = []
    sent = False  # what was acknowledged still lies in the file
    for payload, acknowledged in _payloads(path):
        request = _request(payload)
        left = 0
        before = gone
        for group in request.resource_spans if request is not None else ():
            for scope in group.scope_spans:
                stay = [span for span in scope.spans if not _goes(span, trace_ids)]
                gone += len(scope.spans) - len(stay)
                left += len(stay)
                if len(stay) != len(scope.spans):
                    del scope.spans[:]
                    scope.spans.extend(stay)
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

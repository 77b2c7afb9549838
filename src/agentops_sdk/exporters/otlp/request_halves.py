"""Requests in halves: by their number, and one request by its spans."""

from __future__ import annotations

from agentops_sdk.exporters.otlp.segment import Piece

__all__ = ["halves", "joined"]


def joined(pieces: list[Piece]) -> Piece:
    """One request of many: serialized requests concatenate to a valid one."""
    return Piece(b"".join(piece.payload for piece in pieces), sum(piece.spans for piece in pieces))


def halves(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Two lists of about the same size; a single request is taken apart into its spans. The second may be empty."""
    if len(pieces) > 1:
        middle = len(pieces) // 2
        return pieces[:middle], pieces[middle:]
    return _split_spans(pieces[0])


def _split_spans(piece: Piece) -> tuple[list[Piece], list[Piece]]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]  # protobuf has no types
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        whole = ExportTraceServiceRequest.FromString(piece.payload)
    except DecodeError:
        return [piece], []
    places = [
        (at, within, number)
        for at, resource in enumerate(whole.resource_spans)
        for within, scope in enumerate(resource.scope_spans)
        for number in range(len(scope.spans))
    ]
    if len(places) < 2:
        return [piece], []
    middle = len(places) // 2
    result = []
    for wanted in (set(places[:middle]), set(places[middle:])):
        part = ExportTraceServiceRequest()
        for at, resource in enumerate(whole.resource_spans):
            kept = part.resource_spans.add()
            kept.resource.CopyFrom(resource.resource)
            kept.schema_url = resource.schema_url
            for within, scope in enumerate(resource.scope_spans):
                spans = [span for number, span in enumerate(scope.spans) if (at, within, number) in wanted]
                if spans:
                    group = kept.scope_spans.add(schema_url=scope.schema_url)
                    group.scope.CopyFrom(scope.scope)
                    group.spans.extend(spans)
            if not kept.scope_spans:
                del part.resource_spans[-1]
        result.append([Piece(part.SerializeToString(), len(wanted))])
    return result[0], result[1]

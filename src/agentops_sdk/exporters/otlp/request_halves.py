"""Requests in halves: by their number, and one request by its spans, metrics or log records."""

from __future__ import annotations

from typing import Any, Final

from agentops_sdk.exporters.otlp.compression import unpacked
from agentops_sdk.exporters.otlp.request_message import request_message
from agentops_sdk.exporters.otlp.segment import Piece

__all__ = ["halves", "joined"]

_FIELDS: Final = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
}


def joined(pieces: list[Piece]) -> Piece:
    """One request of many: serialized requests concatenate to a valid one."""
    return Piece(b"".join([unpacked(piece.payload) for piece in pieces]), sum(piece.spans for piece in pieces))


def halves(pieces: list[Piece], signal: str = "traces") -> tuple[list[Piece], list[Piece]]:
    """Two lists of about the same size; a single request is taken apart. The second may be empty."""
    if len(pieces) > 1:
        middle = len(pieces) // 2
        return pieces[:middle], pieces[middle:]
    return _split(pieces[0], signal)


def _split(piece: Piece, signal: str) -> tuple[list[Piece], list[Piece]]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]  # protobuf has no types

    request, (resources, scopes, items) = request_message(signal), _FIELDS[signal]
    try:
        whole = request.FromString(unpacked(piece.payload))
    except DecodeError:
        return [piece], []
    places = [
        (at, within, number)
        for at, resource in enumerate(getattr(whole, resources))
        for within, scope in enumerate(getattr(resource, scopes))
        for number in range(len(getattr(scope, items)))
    ]
    if len(places) < 2:
        return [piece], []
    middle = len(places) // 2
    result = []
    for wanted in (set(places[:middle]), set(places[middle:])):
        part, count = request(), 0
        for at, resource in enumerate(getattr(whole, resources)):
            kept = getattr(part, resources).add()
            kept.resource.CopyFrom(resource.resource)
            kept.schema_url = resource.schema_url
            for within, scope in enumerate(getattr(resource, scopes)):
                chosen = [item for number, item in enumerate(getattr(scope, items)) if (at, within, number) in wanted]
                if chosen:
                    group = getattr(kept, scopes).add(schema_url=scope.schema_url)
                    group.scope.CopyFrom(scope.scope)
                    getattr(group, items).extend(chosen)
                    count += sum(map(_points, chosen)) if signal == "metrics" else len(chosen)
            if not getattr(kept, scopes):
                del getattr(part, resources)[-1]
        result.append([Piece(part.SerializeToString(), count)])
    return result[0], result[1]


def _points(metric: Any) -> int:
    """Data points of one metric: what a request of metrics is counted by."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0

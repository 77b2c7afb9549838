"""One JSON array: an object for each run, with its figures, decisions and records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

SUFFIX: Final = ".json"


def write(traces: Iterable[Trace], file: BinaryIO) -> None:
    """Write the array, a run at a time."""
    between = b"[\n"
    for trace in traces:
        head = json.dumps(_about(trace), default=str).encode()
        file.write(between + head[:-1] + b',"spans":[\n')
        file.writelines((b",\n" if number else b"") + _record(span) for number, span in enumerate(trace))
        file.write(b"\n]}")
        between = b",\n"
    file.write(b"\n]\n" if between != b"[\n" else b"[]\n")


def _record(span: SpanRecord) -> bytes:
    try:
        return span.model_dump_json(exclude_unset=True).encode()
    except ValueError:  # half a surrogate pair, which UTF-8 does not have
        return json.dumps(span.model_dump(exclude_unset=True), default=str).encode()


def _about(trace: Trace) -> dict[str, Any]:
    usage, cost = trace.sums
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "outcome": trace.outcome,
        "complete": trace.complete,
        "start": trace.start.isoformat(),
        "duration_s": trace.duration,
        "session": trace.session_id,
        "user": trace.user_id,
        "models": trace.models,
        "usage": usage.as_dict(),
        "cost": cost.as_dict(),
        "decisions": [
            {
                "span_id": decision.span.span_id,
                "name": decision.name,
                "kind": decision.kind,
                "options": list(decision.options),
                "chosen": list(decision.choices),
                "reason": decision.reason,
                "by": decision.by,
            }
            for decision in trace.beginning.decisions
        ],
    }

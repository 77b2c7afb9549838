"""Chrome's trace events, for chrome://tracing and ui.perfetto.dev: a process for each run, steps at once in lanes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.trace import Trace

SUFFIX: Final = ".trace.json"
_LANES: Final = 500


def write(traces: Iterable[Trace], file: BinaryIO) -> None:
    """Write the events; times are microseconds since the first run in the file started."""
    file.write(b'{"displayTimeUnit":"ms","traceEvents":[')
    first_ns: int | None = None
    between = b"\n"
    for process, trace in enumerate(traces, 1):
        first_ns = trace.start_ns if first_ns is None else first_ns
        for event in _events(trace, process, first_ns):
            file.write(between + json.dumps(event, default=str).encode())
            between = b",\n"
    file.write(b"\n]}\n")


def _events(trace: Trace, process: int, first_ns: int) -> Iterator[dict[str, Any]]:
    title = f"{trace.name} {trace.trace_id[:8]}"
    yield {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": title}}
    lanes = _lanes(trace)
    outline = trace.outline
    for number, span in enumerate(trace):
        usage, cost = outline.usage(number), outline.cost(number)
        shown = {
            "span_id": span.span_id,
            "outcome": span.outcome,
            "model": outline.model(number),
            "tokens": number_format.tokens(usage, span.kind) if usage is not None else None,
            "cost": number_format.cost(cost) if cost is not None else None,
            "error": span.status_message,
        }
        yield {
            "ph": "X",
            "name": span.name,
            "cat": span.kind,
            "ts": (outline.start(number) - first_ns) / 1000,
            "dur": max(0, outline.ends[number] - outline.start(number)) / 1000,
            "pid": process,
            "tid": lanes[number],
            "args": {name: value for name, value in shown.items() if value},
        }


def _lanes(trace: Trace) -> list[int]:
    """By number a lane in which nothing overlaps but a step and those below it, its parent's where there is room."""
    outline = trace.outline
    lanes: list[int] = []
    open_in: list[list[int]] = []  # by lane the steps that go on, outermost first
    for number in range(outline.count):
        start, end, above = outline.start(number), outline.ends[number], outline.parents[number]
        preferred = lanes[above] if 0 <= above < number else 0
        for lane in (preferred, *range(len(open_in)), len(open_in)):
            if lane == len(open_in):
                open_in.append([])
            inside = open_in[lane]
            while inside and outline.ends[inside[-1]] <= start:
                inside.pop()
            if not inside or (inside[-1] == above and outline.ends[above] >= end) or lane >= _LANES:
                inside.append(number)
                lanes.append(lane)
                break
    return lanes

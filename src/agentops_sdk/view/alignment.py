"""Two runs step by step: what both did, and where they parted first."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.display.render import error_of
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces.trace import Trace

__all__ = ["align"]

_STEPS: Final = 2_000


def align(a: Trace, b: Trace) -> dict[str, Any]:
    """Rows of both, what is the same side by side; ``first`` is the row in which they part, if they do.

    Steps are the same where their depth, name, outcome and what they chose are. Where only the outcome of a step
    differs, and something below it differs too, they part there: what failed below is why it failed. Of very long
    runs the first steps.
    """
    left, right = _steps(a), _steps(b)
    rows: list[dict[str, Any]] = []
    keys = [[step.pop("key") for step in side] for side in (left, right)]
    for _, i, i_end, j, j_end in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        for offset in range(max(i_end - i, j_end - j)):
            one = left[i + offset] if i + offset < i_end else None
            other = right[j + offset] if j + offset < j_end else None
            same = one is not None and other is not None and keys[0][i + offset] == keys[1][j + offset]
            rows.append({"a": one, "b": other, "same": same})
    parting = (number for number, row in enumerate(rows) if not row["same"] and not _follows_from_below(rows, number))
    first = next(parting, None)
    longest = max(len(a), len(b))
    return {"rows": rows, "first": first, "left_out": max(0, longest - _STEPS), "a": _head(a), "b": _head(b)}


def _follows_from_below(rows: list[dict[str, Any]], number: int) -> bool:
    """Whether the two steps of a row differ in their outcome alone, and steps below them differ."""
    one, other = rows[number]["a"], rows[number]["b"]
    if one is None or other is None or any(one[key] != other[key] for key in ("depth", "name", "chosen")):
        return False
    below = takewhile(
        lambda row: all(step["depth"] > one["depth"] for step in (row["a"], row["b"]) if step), rows[number + 1 :]
    )
    return any(not row["same"] for row in below)


def _steps(trace: Trace) -> list[dict[str, Any]]:
    outline = trace.outline
    depths: dict[int, int] = {}
    steps = []
    for number in outline.preorder[:_STEPS]:
        above = outline.parents[number]
        depths[number] = depths[above] + 1 if above >= 0 else 0
        span = trace.record(number)
        if semconv.FEEDBACK_TARGET in span.attributes:
            continue  # what is thought of a run is nothing that it did
        chosen = span.attributes.get(semconv.DECISION_CHOSEN)
        usage, cost = outline.usage(number), outline.cost(number)
        steps.append(
            {
                "key": (depths[number], span.name, span.outcome, str(chosen)),
                "name": line(span.name, 300),
                "kind": span.kind,
                "outcome": span.outcome,
                "depth": depths[number],
                "chosen": line(str(chosen), 300) if chosen else "",
                "error": line(error_of(span)) if span.outcome != "ok" else "",
                "took": number_format.duration(outline.duration(number), at_least=not outline.ended(number)),
                "tokens": number_format.tokens(usage, span.kind) if usage is not None else "",
                "cost": number_format.cost(cost) if cost is not None else "",
            }
        )
    return steps


def _head(trace: Trace) -> dict[str, Any]:
    return {
        "id": trace.trace_id,
        "name": line(trace.name, 300),
        "outcome": trace.outcome,
        "took": number_format.duration(trace.duration, at_least=bool(trace.outline.open)),
        "tokens": number_format.tokens(trace.sums[0], trace.outline.kind_of_calls),
        "cost": number_format.cost(trace.sums[1]),
    }

"""The table by decision: how often each choice was made, and how it went and what it cost downstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk.traces.figures.table_rows import Row, Stats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.trace import Trace


def decision_stats(traces: Iterable[Trace]) -> Stats:
    """One row per decision and choice.

    A *call* is one time the choice was made, an *error* one whose consequences failed, a duration the time
    from the first consequence's start to the last one's end. Tokens and cost are those of all that
    followed; where one decision's consequences hold another's, both rows have them and the total once.
    """
    rows: dict[str, Row] = {}
    total, partial = Row("total"), 0
    for trace in traces:
        total.add_trace(trace)
        seen: set[str] = set()
        counted: set[str] = set()
        partial += trace.beginning is not trace
        for decision in trace.beginning.decisions:
            key = f"{decision.name}: {', '.join(decision.choices) or '(undecided)'}"
            row = rows.setdefault(key, Row(key))
            if key not in seen:
                seen.add(key)
                row.traces += 1
            for one in (row, total):
                _count(one, decision)
            for span in decision.followed_by:
                row.usage.add(trace.usage_below(span))
                row.cost.add(trace.cost_below(span))
                if span.outcome not in ("ok", "running"):
                    row.wasted.add(trace.cost_below(span))
                if span.span_id in counted or any(above.span_id in counted for above in trace.ancestors(span)):
                    continue
                counted.add(span.span_id)
                total.usage.add(trace.usage_below(span))
                total.cost.add(trace.cost_below(span))
                if span.outcome not in ("ok", "running"):
                    total.wasted.add(trace.cost_below(span))
    ordered = sorted(rows.values(), key=lambda row: (row.key.partition(": ")[0], -row.calls, row.key))
    return Stats("decision", ordered, total, partial)


def _count(row: Row, decision: Decision) -> None:
    row.calls += 1
    if not decision.followed_by:
        return
    row.errors += any(span.outcome in ("error", "unfinished") for span in decision.followed_by)
    row.running += any(span.outcome == "running" for span in decision.followed_by)
    row.unfinished += any(span.outcome == "unfinished" for span in decision.followed_by)
    if not all(span.ended for span in decision.followed_by):
        return  # how long it takes is not known
    end = max(span.end_ns for span in decision.followed_by)
    row.durations.append(max(0, end - decision.followed_by[0].start_ns) / 1e9)

"""Tables over many traces: what each model, tool, agent, session, day or tag did, took and cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.counting import MODEL_KINDS
from agentops_sdk.traces.trace import model_of, session_of
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

    Keys = tuple[str, ...]

BY: Final = ("model", "tool", "agent", "session", "day", "tag", "decision")
_OWN_KIND: Final = {"tool": "tool", "agent": "agent"}


@dataclass(slots=True)
class Row:
    """One line of the table.

    A *call* is a tool execution by tool, an agent invocation by agent, else a model call. Durations and
    times to first chunk are seconds. ``wasted`` is what calls cost that failed or were given up. Of the calls
    ``running`` have not ended yet and ``unfinished`` never did, their process being gone; of the total, the runs.
    """

    key: str
    calls: int = 0
    errors: int = 0
    durations: list[float] = field(default_factory=list)
    first_chunks: list[float] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost.nothing)
    wasted: Cost = field(default_factory=Cost.nothing)
    traces: int = 0
    running: int = 0
    unfinished: int = 0

    def add_trace(self, trace: Trace) -> None:
        """Count one run; this row is the total."""
        self.traces += 1
        self.running += trace.outcome == "running"
        self.unfinished += trace.outcome == "unfinished"
        if trace.unrecorded.usage is not None:
            self.usage.add(trace.unrecorded.usage)
        if trace.unrecorded.cost is not None:
            self.cost.add(trace.unrecorded.cost)

    def percentile(self, percent: float) -> float | None:
        """The duration that this percentage of the calls stayed within (nearest rank), in seconds."""
        return percentile(self.durations, percent)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "key": self.key,
            "traces": self.traces,
            "calls": self.calls,
            "errors": self.errors,
            "running": self.running,
            "unfinished": self.unfinished,
            "p50_s": self.percentile(50),
            "p95_s": self.percentile(95),
            "first_chunk_p50_s": percentile(self.first_chunks, 50),
            "usage": self.usage.as_dict(),
            "cache_hit_share": self.usage.cache_hit_share,
            "cost": self.cost.as_dict(),
            "wasted": self.wasted.as_dict(),
        }


@dataclass(slots=True)
class Stats:
    """Rows, costliest first, and the total. Only by ``tag`` can a call stand in several rows."""

    by: str
    rows: list[Row]
    total: Row

    def share(self, row: Row) -> float:
        """The row's part of the cost, or of the tokens where no cost is known; 0 to 1."""
        if self.total.cost.amount:
            return float(row.cost.amount / self.total.cost.amount)
        whole = self.total.usage.total
        return row.usage.total / whole if whole else 0.0


def stats(traces: Iterable[Trace], by: str = "model") -> Stats:
    """Add up traces, one at a time, by ``model``, ``tool``, ``agent``, ``session``, ``day``, ``tag`` or ``decision``.

    Tools and agents get what happened below them up to the next tool or agent; sessions and tags hold for
    everything below the span that carries them. What belongs to no row key is under ``(no tool)`` and the like.
    By decision there is a row per choice, see :func:`~agentops_sdk.traces.decision_stats.decision_stats`.

    Raises:
        ConfigError: another word than these.
    """
    if by not in BY:
        raise ConfigError("by", by, f"one of {', '.join(BY)}")
    if by == "decision":
        from agentops_sdk.traces.decision_stats import decision_stats

        return decision_stats(traces)
    rows: dict[str, Row] = {}
    total = Row("total")
    for trace in traces:
        total.add_trace(trace)
        seen: set[str] = set()
        for span, keys in _keyed(trace, by):
            for key in keys:
                row = rows.get(key)
                if row is None:
                    row = rows[key] = Row(key)
                if key not in seen and _add(row, trace, span, by):
                    seen.add(key)
                    row.traces += 1
                elif key in seen:
                    _add(row, trace, span, by)
            _add(total, trace, span, by, whole=True)
    kept = [row for row in rows.values() if row.traces]
    kept.sort(key=lambda row: (-row.cost.amount, -row.usage.total, -row.calls, row.key))
    return Stats(by, kept, total)


def _add(row: Row, trace: Trace, span: SpanRecord, by: str, *, whole: bool = False) -> bool:
    """Add one span to a row; False if it had nothing to add."""
    share = trace.share(span)
    own_kind = _OWN_KIND.get(by)
    is_call = span.kind == own_kind if own_kind else share.call
    if not is_call and share.usage is None and share.cost is None:
        return False
    if is_call:
        row.calls += 1
        row.errors += span.outcome == "error"
        if span.ended:
            row.durations.append(span.duration)
        elif not whole:
            row.running += span.outcome == "running"
            row.unfinished += span.outcome == "unfinished"
    if share.call:
        first = span.attributes.get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
        if isinstance(first, (int, float)):
            row.first_chunks.append(float(first))
    if share.usage is not None:
        row.usage.add(share.usage)
    if share.cost is not None:
        row.cost.add(share.cost)
        if span.outcome not in ("ok", "running"):
            row.wasted.add(share.cost)
    return True


def _keyed(trace: Trace, by: str) -> Iterable[tuple[SpanRecord, Keys]]:
    """Every span with its row keys: its own, or those of the nearest span above that has any."""
    own = _OWN_KEYS[by]
    if by in ("model", "day"):
        return ((span, own(span)) for span in trace.spans)
    known: dict[str, Keys] = {}
    for _, span in trace.walk():
        keys = own(span)
        if not keys:
            above = trace.parent(span)
            keys = known[above.span_id] if above is not None else ()
        known[span.span_id] = keys
    return ((span, known[span.span_id] or (f"(no {by})",)) for span in trace.spans)


def _model_key(span: SpanRecord) -> Keys:
    name = model_of(span)
    if name is None and not span.ended and span.kind not in MODEL_KINDS:
        return ()  # what it may still use stands in the total
    return (name or "(no model)",)


def _day_key(span: SpanRecord) -> Keys:
    return (str(span.start.date()) if span.start is not None else "(none)",)


def _session_key(span: SpanRecord) -> Keys:
    found = session_of(span)
    return (found,) if found else ()


def _tag_keys(span: SpanRecord) -> Keys:
    tags = span.attributes.get(semconv.TAGS)
    if isinstance(tags, str):
        return (tags,)
    return tuple(dict.fromkeys(str(tag) for tag in tags)) if isinstance(tags, list) else ()


def _tool_key(span: SpanRecord) -> Keys:
    return (str(span.attributes.get(semconv.TOOL_NAME) or span.name),) if span.kind == "tool" else ()


def _agent_key(span: SpanRecord) -> Keys:
    return (str(span.attributes.get(semconv.AGENT_NAME) or span.name),) if span.kind == "agent" else ()


_OWN_KEYS: Final[dict[str, Callable[[SpanRecord], Keys]]] = {
    "model": _model_key,
    "tool": _tool_key,
    "agent": _agent_key,
    "session": _session_key,
    "day": _day_key,
    "tag": _tag_keys,
}


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least this percentage of all values do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = ceil(Decimal(str(percent)) * len(ordered) / 100)
    return ordered[max(0, rank - 1)]

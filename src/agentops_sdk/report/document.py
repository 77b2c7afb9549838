"""What the page is made of, as plain data: one overview of all runs, and of each run the records as JSON lines.

The overview holds what the tree shows of every span, so that a browser opens a large run without reading its records.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._version import VERSION
from agentops_sdk.report.backend_page import backend_page
from agentops_sdk.traces.decisions.narrative import sentence
from agentops_sdk.traces.display.render import error_of
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.figures.loops import loops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

__all__ = ["of_traces"]

MOST_TEXT: Final = 1_000_000
"""Characters of one text; what is beyond is counted in its place."""
MOST_DETAILS: Final = 64_000_000
"""Characters of all records of a page; of the spans beyond it, only what the tree shows is there."""
_OF_DECISION: Final = (
    *("name", "kind", "options", "reason", "confidence", "scores", "descriptions", "evidence", "inputs", "rejected"),
    *("by", "by_name", "model", "policy", "forced", "unlisted"),
)
_MOST_VERDICTS: Final = 20
_SHARED: Final = frozenset(("resource", "scope", "resource_schema_url"))


def of_traces(runs: Sequence[Trace]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The overview, and by run the details of its spans."""
    room = MOST_DETAILS
    overviews, details = [], []
    for trace in runs:
        run = _Run(trace, room)
        room -= run.size
        overviews.append(run.overview)
        details.append({"shared": list(run.shared), "lines": run.lines})
    marks = {kind: row.marks[0] for kind, row in semconv.SPAN_KINDS.items()}
    return {"version": VERSION, "marks": marks, "runs": overviews}, details


class _Run:
    """One trace as the page has it. Spans go by their place in the tree, parents before children."""

    def __init__(self, trace: Trace, room: int) -> None:
        self.trace, self._room = trace, room
        self.shared: dict[str, int] = {}
        self.lines: list[list[Any] | None] = []
        self.size = 0
        self._places = trace.outline.places
        rows = self._rows()
        self.overview = {
            **_head(trace),
            "rows": rows,
            "decisions": [self._decision(decision) for decision in trace.beginning.decisions],
            "loops": [
                {"text": line(str(loop)), "rows": [self._place(span) for span in loop.spans]}
                for loop in loops(trace.beginning)
            ],
            "remarks": _remarks(trace, self.lines.count(None)),
        }

    def _rows(self) -> list[dict[str, Any]]:
        outline = self.trace.outline
        summed = {
            number
            for number in range(outline.count)
            if outline.parents[number] < 0 or outline.kind(number) in ("agent", "workflow")
        }
        totals = outline.totals(summed)
        depths: dict[int, int] = {}
        rows = []
        for number in outline.preorder:
            above = outline.parents[number]
            depths[number] = depths[above] + 1 if above >= 0 else 0
            record = self.trace.record(number)
            usage, cost = totals.get(number) or (outline.usage(number), outline.cost(number))
            row = {
                "name": line(record.name, 300),
                "kind": record.kind,
                "outcome": record.outcome,
                "depth": depths[number],
                "size": outline.sizes[number],
                "parent": self._places[above] if above >= 0 else -1,
                "start": (outline.start(number) - self.trace.start_ns) / 1e9,
                "seconds": outline.duration(number),
                "took": number_format.duration(outline.duration(number), at_least=not outline.ended(number)),
                "tokens": number_format.tokens(usage, record.kind) if usage is not None else "",
                "cost": number_format.cost(cost) if cost is not None else "",
                "error": line(error_of(record)) if record.outcome != "ok" else "",
                "call": record.attributes.get(semconv.TOOL_CALL_ID),
                "skewed": outline.skewed(number),
                "unknown": dict(cost.unknowns) if cost is not None else {},
            }
            rows.append({name: value for name, value in row.items() if value or type(value) in (int, float)})
            self._add_details(record)
        return rows

    def _add_details(self, record: SpanRecord) -> None:
        if self.size > self._room:
            self.lines.append(None)
            return
        own = _json(record, exclude=_SHARED)
        around = _json(record, include=_SHARED)
        self.size += len(own)
        self.lines.append([own, self.shared.setdefault(around, len(self.shared))])

    def _place(self, span: SpanRecord) -> int:
        return self._places[self.trace.outline.number(span.span_id)]

    def _decision(self, decision: Decision) -> dict[str, Any]:
        trace = self.trace
        fields = {
            **{name: getattr(decision, name) for name in _OF_DECISION},
            "row": self._place(decision.span),
            "at": (decision.moment_ns - trace.start_ns) / 1e9,
            "sentence": sentence(decision, agent=len(trace.agents) > 1 if not trace.is_large else True),
            "chosen": decision.choices,
            "waited": None if decision.waited is None else number_format.duration(decision.waited),
            "times": decision.times if decision.times > 1 else None,
            "fingerprint": decision.prompt_fingerprint,
            "followed_by": [self._place(span) for span in decision.followed_by],
        }
        present = {name: value for name, value in fields.items() if value is not None and value is not False}
        return {name: _plain(value) for name, value in present.items()}


def _head(trace: Trace) -> dict[str, Any]:
    outline, usage, cost = trace.outline, trace.usage, trace.cost
    return {
        "id": trace.trace_id,
        "name": line(trace.name, 300),
        "outcome": trace.outcome,
        "start": f"{trace.start:%Y-%m-%d %H:%M:%S} UTC",
        "seconds": trace.duration,
        "took": number_format.duration(trace.duration, at_least=bool(outline.open)),
        "tokens": number_format.tokens(usage, outline.kind_of_calls),
        "usage": usage.as_dict(),
        "cost": number_format.cost(cost),
        "money": cost.as_dict(),
        "models": [line(model, 100) for model in trace.models],
        "session": trace.session_id,
        "url": backend_page(trace.trace_id),
        "calls": outline.llm_calls,
        "tools": sum(1 for _ in outline.of_kind("tool")),
    }


def _remarks(trace: Trace, without_details: int) -> list[str]:
    outline = trace.outline
    remarks = []
    if without_details:
        remarks.append(f"the records of {without_details:,} spans are not in this page: it would be too large")
    if outline.orphans:
        remarks.append(f"{len(outline.orphans):,} span(s) whose parent is missing")
    if outline.skews:
        remarks.append(f"{outline.skews:,} span(s) with clock skew")
    if trace.missing_spans:
        remarks.append(f"{trace.missing_spans:,} span(s) were not kept")
    if trace.cost.unknowns:
        reasons = "; ".join(f"{count} × {line(reason)}" for reason, count in trace.cost.unknowns.items())
        remarks.append(f"cost is {'a lower bound' if trace.cost.known else 'unknown'}: {reasons}")
    if trace.cost.is_estimated or trace.usage.is_estimated:
        remarks.append("~ marks figures that were estimated, not reported")
    if trace.beginning is not trace:
        remarks.append(f"decisions and loops of the first {len(trace.beginning):,} spans alone were looked for")
    said = trace.evaluations
    for each in said[:_MOST_VERDICTS]:
        comment = f": {line(each.comment, 500)}" if each.comment else ""
        remarks.append(f"{line(each.name)} {line(each.verdict)}{comment}")
    if len(said) > _MOST_VERDICTS:
        remarks.append(f"{len(said) - _MOST_VERDICTS:,} more verdicts")
    return remarks


def _json(record: SpanRecord, **choice: Any) -> str:
    """A record as one JSON object, every integer as it is: a browser that only parsed it would round the times."""
    try:
        content = record.model_dump_json(exclude_unset=True, **choice)
    except ValueError:  # half a surrogate pair, which UTF-8 does not have
        content = json.dumps(_plain(record.model_dump(exclude_unset=True, **choice)))
    return content if len(content) <= MOST_TEXT else json.dumps(_plain(json.loads(content)), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """The same for JSON: what is no JSON as text, no text longer than :data:`MOST_TEXT`, no number that is none."""
    if isinstance(value, str):
        more = len(value) - MOST_TEXT
        return value if more <= 0 else f"{value[:MOST_TEXT]}… ({more:,} more characters are not in this page)"
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return value if value is None or isinstance(value, bool | int) else str(value)

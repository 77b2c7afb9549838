"""What people and programs thought of runs: the conventions' evaluation results, each with the run that it is about.

They stand in the run itself, on a span of its own below it, or in a trace of their own that names the run or its
session. What consists of nothing else is no run.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk.traces.figures.span_facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

__all__ = ["Evaluation", "evaluations", "evaluations_in", "evaluations_of", "is_run", "judged_runs"]


class Evaluation(NamedTuple):
    """One verdict.

    Attributes:
        name: what was judged.
        score: as a number, where it is one; True and False are 1 and 0.
        label: in a word, where there is one.
        comment: why.
        at_ns: when, in nanoseconds since the epoch.
        trace_id: of the run that it is about; empty where it is about a session.
        span_id: of the step that it is about; empty where it is about all of the run.
        session_id: of the session that it is about.
    """

    name: str
    score: float | None
    label: str | None
    comment: str | None
    at_ns: int
    trace_id: str
    span_id: str = ""
    session_id: str = ""

    @property
    def verdict(self) -> str:
        """What was said, for people."""
        if self.label is not None:
            return self.label
        return "" if self.score is None else f"{self.score:g}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return self._asdict()


def evaluations_in(trace: Trace) -> list[Evaluation]:
    """Every verdict that stands in a trace, whatever it is about, in the order they were given."""
    outline = trace.outline
    columns = outline.columns
    found: list[Evaluation] = []
    for number in outline.having(Fact.EVENTS):
        row = outline.rows[number]
        if trace.is_large and row not in columns.verdicts:
            continue  # of very many spans those alone that hold nothing else
        fields = columns.fields(row)
        found += _of_span(trace.record(number)) if fields is None else _of_fields(fields)
    return sorted(found, key=lambda each: each.at_ns)


def _of_span(span: SpanRecord) -> Iterator[Evaluation]:
    events = [(event.name, event.attributes, event.time_ns) for event in span.events]
    return _told(span.attributes, span.trace_id, span.span_id, span.parent_id, events)


def _of_fields(fields: dict[str, Any]) -> Iterator[Evaluation]:
    """What a span's parsed line tells."""
    events = [(event["name"], event.get("attributes") or {}, event["time_ns"]) for event in fields["events"]]
    return _told(fields["attributes"], fields["trace_id"], fields["span_id"], fields.get("parent_id"), events)


def _told(
    about: dict[str, Any],
    own_trace_id: str,
    own_id: str,
    parent_id: str | None,
    events: list[tuple[str, dict[str, Any], int]],
) -> Iterator[Evaluation]:
    trace_id = str(about.get(semconv.FEEDBACK_TRACE_ID) or own_trace_id)
    is_own = semconv.FEEDBACK_TARGET in about
    session = str(about.get(semconv.SESSION_ID) or "") if about.get(semconv.FEEDBACK_TARGET) == "session" else ""
    span_id = str(about.get(semconv.FEEDBACK_SPAN_ID) or "") if is_own else own_id if parent_id else ""
    for name, told, time_ns in events:
        if name != semconv.EVALUATION_EVENT:
            continue
        score, label = told.get(semconv.EVALUATION_SCORE_VALUE), told.get(semconv.EVALUATION_SCORE_LABEL)
        comment = told.get(semconv.EVALUATION_EXPLANATION)
        yield Evaluation(
            str(told.get(semconv.EVALUATION_NAME, "")),
            float(score) if isinstance(score, (int, float)) else None,
            None if label is None else str(label),
            None if comment is None else str(comment),
            time_ns,
            "" if session else trace_id,
            span_id,
            session,
        )


def evaluations_of(trace: Trace, elsewhere: Iterable[SpanRecord] = ()) -> list[Evaluation]:
    """Every verdict on a run: those in it, and those in spans of other traces that name it or its session."""
    own = [each for each in evaluations_in(trace) if each.session_id or each.trace_id == trace.trace_id]
    found = dict.fromkeys((*own, *(each for span in elsewhere for each in _of_span(span))))
    return sorted(found, key=lambda each: each.at_ns)


def is_run(trace: Trace) -> bool:
    """Whether a trace is more than a verdict on another one."""
    outline = trace.outline
    return not all(row in outline.columns.verdicts for row in outline.rows)


def judged_runs(traces: Iterable[Trace]) -> list[tuple[Trace, list[Evaluation]]]:
    """The runs, each with all that was thought of it; what is thought of a session holds for each of its runs.

    Of traces that were loaded together, verdicts are found wherever they lie; of others, in those handed over.
    """
    runs: list[Trace] = []
    elsewhere: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for trace in traces:
        if is_run(trace):
            runs.append(trace)
        else:
            for each in evaluations_in(trace):
                elsewhere[each.trace_id, each.session_id].append(each)
    judged = []
    for trace in runs:
        more = [*elsewhere.get((trace.trace_id, ""), ()), *elsewhere.get(("", trace.session_id or ""), ())]
        judged.append((trace, list(dict.fromkeys((*trace.evaluations, *more)))))
    return judged


def evaluations(traces: Iterable[Trace]) -> list[Evaluation]:
    """Every verdict in these traces, in the order they were given."""
    return sorted((each for trace in traces for each in evaluations_in(trace)), key=lambda each: each.at_ns)

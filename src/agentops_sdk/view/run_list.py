"""The list of runs, and of sessions, as the page has them: figures as numbers and as people read them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.session import exchange, sessions

if TYPE_CHECKING:
    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.session import Session
    from agentops_sdk.traces.trace import Trace

__all__ = ["run_list", "session_list"]

_MOST: Final = 500
_MOST_VERDICTS: Final = 20
_LONGEST: Final = 20_000


def run_list(traces: Traces) -> dict[str, Any]:
    """The latest runs, and what they cost together, with its marks."""
    runs = traces.runs
    listed = list(islice(runs, _MOST))
    total = Cost.nothing()
    for trace in listed:
        total.add(trace.sums[1])
    rows, cost = [_run(trace) for trace in listed], number_format.cost(total)
    return {"rows": rows, "count": len(runs), "cost": cost, "remarks": [line(remark) for remark in traces.remarks]}


def session_list(traces: Traces, wanted: str) -> dict[str, Any]:
    """The sessions that runs name, the latest first; or one, with what was asked and answered run by run."""
    every = sessions(traces.runs)
    if not wanted:
        return {"rows": [_session(session) for session in every[:_MOST]], "count": len(every), "turns": []}
    named = [session for session in every if session.session_id == wanted]
    turns = [_turn(trace) for session in named for trace in session.traces[-_MOST:]]
    return {"rows": [_session(session) for session in named], "count": len(named), "turns": turns}


def _run(trace: Trace) -> dict[str, Any]:
    usage, cost = trace.sums
    verdicts = trace.evaluations
    return {
        "id": trace.trace_id,
        "at": trace.start_ns / 1e9,
        "start": f"{trace.start:%Y-%m-%d %H:%M:%S}",
        "name": line(trace.name, 300),
        "outcome": trace.outcome,
        "seconds": trace.duration,
        "took": number_format.duration(trace.duration, at_least=bool(trace.outline.open)),
        "session": line(trace.session_id or "", 200),
        "user": line(trace.user_id or "", 200),
        "models": [line(model, 100) for model in trace.models],
        "errors": len(trace.outline.errors),
        "tokens": number_format.all_tokens(usage),
        "cost": number_format.cost(cost),
        "amount": float(cost.amount),
        "feedback": line(", ".join(dict.fromkeys(f"{each.name} {each.verdict}" for each in verdicts)), 200),
        "verdicts": [
            {
                "name": line(each.name, 200),
                "verdict": line(each.verdict, 200),
                "comment": line(each.comment or "", 2_000),
            }
            for each in verdicts[:_MOST_VERDICTS]
        ],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.session_id,
        "name": line(session.session_id, 200),
        "start": f"{session.start:%Y-%m-%d %H:%M:%S}",
        "last": f"{session.traces[-1].start:%Y-%m-%d %H:%M:%S}",
        "users": [line(user, 200) for user in session.users[:10]],
        "runs": len(session),
        "failed": session.failed,
        "seconds": [trace.duration for trace in session.traces[-_MOST:]],
        "tokens": number_format.all_tokens(session.usage),
        "cost": number_format.cost(session.cost),
        "outcome": session.outcome,
    }


def _turn(trace: Trace) -> dict[str, Any]:
    asked, answered = exchange(trace)
    return {**_run(trace), "asked": _said(asked), "answered": _said(answered)}


def _said(text: str) -> str:
    more = len(text) - _LONGEST
    return block(text[:_LONGEST]) + (f"… ({more:,} more characters: in the run)" if more > 0 else "")

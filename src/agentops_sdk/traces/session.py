"""Several traces as one conversation: the runs that name the same session."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.display.conversation import contents
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from agentops_sdk.traces.record import Outcome, SpanRecord
    from agentops_sdk.traces.trace import Trace

__all__ = ["Session", "exchange", "sessions"]


class Session:
    """The runs of one session or conversation, oldest first."""

    def __init__(self, session_id: str, traces: Sequence[Trace]) -> None:
        """Put them together.

        Args:
            session_id: what they name.
            traces: at least one, in any order.
        """
        self.session_id = session_id
        self.traces: Sequence[Trace] = sorted(traces, key=lambda trace: (trace.start_ns, trace.trace_id))

    @property
    def start(self) -> datetime:
        """When the first run started, in UTC."""
        return self.traces[0].start

    @cached_property
    def end(self) -> datetime:
        """When the last step of any run ended, in UTC."""
        return max(trace.end for trace in self.traces)

    @cached_property
    def users(self) -> list[str]:
        """The users that the runs name, each once."""
        columns = ((trace.outline.columns, row) for trace in self.traces for row in _different(trace))
        named = (words.words(row).get(semconv.USER_ID) for words, row in columns)
        return list(dict.fromkeys(str(user) for user in named if user))

    @cached_property
    def usage(self) -> Usage:
        """All tokens."""
        total = Usage()
        for trace in self.traces:
            total.add(trace.sums[0])
        return total

    @cached_property
    def cost(self) -> Cost:
        """All money."""
        total = Cost.nothing()
        for trace in self.traces:
            total.add(trace.sums[1])
        return total

    @property
    def outcome(self) -> Outcome:
        """How its last run ended."""
        return self.traces[-1].outcome

    @property
    def failed(self) -> int:
        """How many runs did not end well."""
        return sum(trace.outcome not in ("ok", "running") for trace in self.traces)

    def __len__(self) -> int:
        return len(self.traces)

    def __repr__(self) -> str:
        return f"<Session {self.session_id!r} {len(self)} runs>"


def sessions(traces: Iterable[Trace]) -> list[Session]:
    """The sessions that traces name, the one with the latest run first. A trace without one is in none."""
    by_id: dict[str, list[Trace]] = {}
    for trace in traces:
        if (session_id := trace.session_id) is not None:
            by_id.setdefault(session_id, []).append(trace)
    grouped = [Session(session_id, runs) for session_id, runs in by_id.items()]
    return sorted(grouped, key=lambda session: (-session.traces[-1].start_ns, session.session_id))


def exchange(trace: Trace) -> tuple[str, str]:
    """What a run was asked and what it answered, as far as content was captured; empty where it was not.

    The last message of a user that its first model call got. What the outermost step told as its own message, which
    need not be what a model said last; else that. Where no model was asked, the input and output of the outermost step.
    """
    calls, root = trace.outline.calls, trace.root
    asked, answered = "", _last(root, "assistant")
    if calls:
        asked = _last(trace.record(calls[0]), "user")
        answered = answered or _last(trace.record(calls[-1]), "assistant")
    return asked or _last(root, "input"), answered or _last(root, "output")


def _last(span: SpanRecord, label: str) -> str:
    return next((text for name, text in reversed(list(contents(span))) if name == label), "")


def _different(trace: Trace) -> Sequence[int]:
    return trace.outline.columns.different(trace.outline.rows)

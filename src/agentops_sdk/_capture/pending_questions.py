"""Questions to people: the run that stops at them, what was answered, and the run that goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from opentelemetry.trace import SpanContext

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.decision_attributes import decision_attributes
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._snapshot.snapshot import snapshot

__all__ = ["Answer", "PendingQuestions", "WaitingCall", "person_answered"]

_OPTIONS = snapshot([{"name": "approve"}, {"name": "reject"}]).decode()
_MOST_ASKED = 100
_MOST_TEXT = 100_000


class WaitingCall(NamedTuple):
    """A tool call that a person is asked about.

    Attributes:
        id: the call's, by which the answer names it.
        tool: the tool's name.
        arguments: what it would be given; recorded as content.
    """

    id: str | None
    tool: str
    arguments: Any = None


class Answer(NamedTuple):
    """What a person said.

    Attributes:
        attributes: the decision's.
        span: the span that asked, where that was in this process.
        checkpoint: where the run had stopped, as the span that asked has it.
    """

    attributes: dict[str, Any]
    span: SpanContext | None
    checkpoint: str | None


class PendingQuestions:
    """Of one library, for its module's life.

    As many as fit are kept, in this process: an answer that comes in another one has no waiting time and no link.
    """

    def __init__(self) -> None:
        self._asked: BoundedMap[str, tuple[float, SpanContext, str]] = BoundedMap(1_000)

    def __contains__(self, key: str) -> bool:
        return key in self._asked

    def asked(self, call: Call | NullCall, waiting: Sequence[WaitingCall]) -> None:
        """``call``'s run stops until somebody has said whether these calls may run. May come for one after another."""
        for each in waiting[:_MOST_ASKED]:
            self.question(call, each.id, {"tool": each.tool, "arguments": each.arguments})

    def question(self, call: Call | NullCall, key: str | None, value: Any, *, stops: bool = True) -> None:
        """``call``'s run asks a person; the first question's key is the checkpoint that it stops at.

        Args:
            call: the call that asks.
            key: what the answer names the question by.
            value: the question; recorded as content.
            stops: whether what asks ends here, and something else goes on with the answer.
        """
        span = getattr(call, "span", None)
        if span is None:
            return
        first = span.attributes.get(semconv.GRAPH_CHECKPOINT_ID) or key or ""
        self._asked[key or ""] = time.monotonic(), span.otel.get_span_context(), first
        if not stops:
            return
        call.set(semconv.GRAPH_CHECKPOINT_ID, first or None)
        if _recorder_port.active.settings.records_content:
            text, before = snapshot([{"id": key, "value": value}]).decode(), span.attributes.get(semconv.INTERRUPTS)
            if before is None:
                call.set(semconv.INTERRUPTS, text)
            elif len(before) + len(text) < _MOST_TEXT:
                call.set(semconv.INTERRUPTS, f"{before[:-1]},{text[1:]}")

    def approval(
        self,
        call: WaitingCall,
        *,
        approved: bool,
        reason: Any = None,
        by_name: str | None = None,
        checkpoint: str | None = None,
    ) -> Answer:
        """A person has decided now whether a call may run.

        Args:
            call: the call that waited.
            approved: whether it may run.
            reason: why, in a sentence.
            by_name: the person's.
            checkpoint: where the run had stopped, where that may not be known in this process.
        """
        arguments = call.arguments if _recorder_port.active.settings.records_content else None
        return self._answer(
            call.id, checkpoint, chosen="approve" if approved else "reject", name=f"run {call.tool}", options=_OPTIONS,
            reason=reason, by_name=by_name,
            inputs=arguments if arguments is None or type(arguments) is str else snapshot(arguments).decode(),
        )  # fmt: skip

    def answer(self, key: str | None, text: Any) -> Answer:
        """A person has answered a question now, in words or values of their own."""
        return self._answer(key, None, chosen=_words(text), name="resume")

    def _answer(self, key: str | None, checkpoint: str | None, **decision: Any) -> Answer:
        since, span, checkpoint = self._asked.get(key or "") or (None, None, checkpoint)
        waited = None if since is None else max(0.0, time.monotonic() - since)
        return Answer(decision_attributes(by="human", waited=waited, **decision), span, checkpoint)

    def resumed(self, call: Call | NullCall, answers: Iterable[Answer]) -> None:
        """``call``'s run goes on: the answers it goes on with, and where it had stopped."""
        for answer in answers:
            if not _decide(call, answer.attributes):
                continue
            call.set(semconv.GRAPH_RESUMED_FROM, answer.checkpoint)
            if answer.span is not None:
                call.link(answer.span, {semconv.GRAPH_RESUMED_FROM: answer.checkpoint})


def person_answered(
    call: Call | NullCall | None,
    answer: Any,
    since: float,
    *,
    tool: str | None = None,
    by: str | None = "human",
    by_name: str | None = None,
    reason: Any = None,
) -> None:
    """A person was asked inside of ``call``, which went on with the answer.

    Args:
        call: what asked.
        answer: in words or values of their own; ``approve`` or ``reject`` where a ``tool`` was asked about.
        since: when, by ``time.monotonic()``.
        tool: the tool that waited.
        by: ``None`` where what asked may as well have been answered by code.
        by_name: the person's.
        reason: why, in a sentence.
    """
    if call is None:
        return
    waited = max(0.0, time.monotonic() - since)
    if tool is None:
        decision = decision_attributes(_words(answer), name="resume", by=by, by_name=by_name, waited=waited)
    else:
        decision = decision_attributes(
            answer, name=f"run {tool}", options=_OPTIONS, reason=reason, by=by, by_name=by_name, waited=waited
        )
    _decide(call, decision)


def _decide(call: Call | NullCall, decision: dict[str, Any]) -> bool:
    """A call's first decision is its attributes, each further one an event; returns whether it is the first."""
    first = semconv.DECISION_CHOSEN not in getattr(getattr(call, "span", None), "attributes", ())
    if first:
        call.update(decision)
    else:
        call.event(semconv.DECISION_EVENT, decision)
    return first


def _words(answer: Any) -> str:
    if not _recorder_port.active.settings.records_content:
        return "answered"
    return answer if type(answer) is str else snapshot(answer).decode()

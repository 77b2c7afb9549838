"""Assertions on what a run may use and must not do: money, tokens, time, errors, loops, secrets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk.testing.assertions.assertion_message import failure, here
from agentops_sdk.testing.queries import Queries
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces import Cost, Usage
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_DEAREST = 3


class LimitAssertions(Queries):
    """What may be used, and what must not happen."""

    def assert_cost_below(self, limit: float | Decimal) -> None:
        """Everything together cost less, in US dollars. An unknown price fails: it cannot be verified."""
        __tracebackhide__ = True
        cost = self.cost
        if cost < limit:
            return
        raise self.say_cost(cost, f"expected a cost below ${limit}", limit)

    def assert_tokens_below(self, limit: int) -> None:
        """All model calls together used fewer tokens, input and output. An unknown count fails."""
        __tracebackhide__ = True
        usage = self.usage
        if not usage.lower_bound and usage.total < limit:
            return
        raise self.say_tokens(usage, f"expected fewer than {limit:,} tokens", limit)

    def assert_duration_below(self, seconds: float) -> None:
        """The runs together took less time, from the first start to the last end of each."""
        __tracebackhide__ = True
        going_on = [trace for trace in self.judged if trace.open]
        if self.duration < seconds and not going_on:
            return
        if self.duration < seconds:
            expected = f"expected to take less than {seconds:g} s, which cannot be verified"
            raise failure(f"{expected}: it has not ended", going_on, _not_ended(going_on))
        raise self.say_duration(f"expected to take less than {seconds:g} s")

    def say_cost(self, cost: Cost, expected: str, limit: float | Decimal) -> AssertionError:
        """The failure: what it cost, and what cost most."""
        if cost.lower_bound and cost.amount < Decimal(repr(limit) if isinstance(limit, float) else limit):
            marks = {
                span.span_id: "unknown price"
                for span, part in _shares(self.judged, "cost")
                if part.lower_bound
            }  # fmt: skip
            reasons = "; ".join(cost.unknowns)
            return failure(f"{expected}, which cannot be verified: it is {cost} ({reasons})", self.judged, marks)
        parts = sorted(_shares(self.judged, "cost"), key=lambda pair: -pair[1].amount)
        marks = {span.span_id: f"{_percent(part.amount, cost.amount)} of the cost" for span, part in parts[:_DEAREST]}
        return failure(f"{expected}, it is {cost}", self.judged, marks)

    def say_tokens(self, usage: Usage, expected: str, limit: int) -> AssertionError:
        """The failure: how many there were, and where most."""
        parts = _shares(self.judged, "usage")
        if usage.total < limit:
            marks = {span.span_id: "unknown size" for span, part in parts if part.lower_bound}
            open_marks = _not_ended(self.judged)
            why = "it has not ended" if open_marks else f"{usage.unknown} of the model calls did not tell"
            return failure(f"{expected}, which cannot be verified: {why}", self.judged, open_marks or marks)
        parts.sort(key=lambda pair: -pair[1].total)
        marks = {span.span_id: f"{part.total:,} tokens" for span, part in parts[:_DEAREST]}
        text = f"{usage.total:,} ({usage.input:,} in, {usage.output:,} out)"
        return failure(f"{expected}, there were {'at least ' if usage.lower_bound else ''}{text}", self.judged, marks)

    def say_duration(self, expected: str) -> AssertionError:
        """The failure: how long it took, and what took longest."""
        slowest = sorted(_own_time(self.judged), key=lambda pair: -pair[1])[:_DEAREST]
        marks = {span.span_id: f"{number_format.duration(seconds)} of its own" for span, seconds in slowest}
        return failure(f"{expected}, it took {number_format.duration(self.duration)}", self.judged, marks)

    def assert_no_errors(self) -> None:
        """No span failed, not even one that was tried again with success, and none was left unfinished."""
        __tracebackhide__ = True
        unfinished = self.every(outcome="unfinished")
        if unfinished:
            what = "1 span" if len(unfinished) == 1 else f"{len(unfinished)} spans"
            raise failure(f"expected no errors, {what} never finished", self.judged, _not_ended(self.judged))
        errors = self.errors
        if errors:
            what = "1 span failed" if len(errors) == 1 else f"{len(errors)} spans failed"
            marks = {span.span_id: str(span.attributes.get(semconv.ERROR_TYPE, "error")) for span in errors}
            raise failure(f"expected no errors, {what}: {here(len(errors))}", self.judged, marks)

    def assert_no_loops(self) -> None:
        """No tool was called again with the same arguments (but for retries), no agents handed over in circles."""
        __tracebackhide__ = True
        from agentops_sdk.traces.figures.loops import loops

        for trace in self.judged:
            every = loops(trace)
            if every:
                marks = {span.span_id: f"round {number}" for loop in every for number, span in enumerate(loop.spans, 1)}
                raise failure(f"expected no loops, but {'; '.join(map(str, every))}", [trace], marks)

    def assert_no_secrets(self) -> None:
        """No span held a key, token or password, also none that was replaced before it was recorded."""
        __tracebackhide__ = True
        from agentops_sdk._scrub.redact import Redactor

        redactor = Redactor()
        marks: dict[str, str] = {}
        for span in self.every():
            names = [name for name, text in _texts(span) if "[redacted:" in text or redactor.redact({name: text})]
            if names:
                marks[span.span_id] = f"in {', '.join(names)}"
        if marks:
            what = "1 span holds one" if len(marks) == 1 else f"{len(marks)} spans hold some"
            raise failure(f"expected no secrets, {what}: {here(len(marks))}", self.judged, marks)


def _not_ended(traces: Sequence[Trace]) -> dict[str, str]:
    return {span.span_id: span.outcome for trace in traces for span in trace.open}


def _shares(traces: Sequence[Trace], part: str) -> list[tuple[SpanRecord, Any]]:
    """Each span with what it adds to the total, where it adds anything."""
    return [
        (span, own) for trace in traces for span in trace.spans if (own := getattr(trace.share(span), part)) is not None
    ]


def _own_time(traces: Sequence[Trace]) -> Iterator[tuple[SpanRecord, float]]:
    """Each span with the seconds in which nothing below it ran."""
    for trace in traces:
        for span in trace.spans:
            covered, reached = 0, span.start_ns
            for child in trace.children(span):
                start, end = max(child.start_ns, reached), min(child.end_ns, span.end_ns)
                if end > start:
                    covered, reached = covered + end - start, end
            yield span, max(0, span.end_ns - span.start_ns - covered) / 1e9


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _texts(span: SpanRecord) -> Iterator[tuple[str, str]]:
    yield "name", span.name
    if span.status_message:
        yield "status_message", span.status_message
    for name, value in [
        *span.attributes.items(),
        *(pair for event in span.events for pair in event.attributes.items()),
    ]:
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield name, "\n".join(item for item in value if isinstance(item, str))

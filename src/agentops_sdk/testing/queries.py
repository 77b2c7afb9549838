"""The questions that one captured run and many of them have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentops_sdk.testing.records import Decisions, LlmCall, Spans, ToolCall
from agentops_sdk.traces import Cost, Usage

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace


class Queries:
    """Everything is worked out from :attr:`judged`, the runs in question.

    What a limit, a breaker or a pause has stopped was not called: it is among :attr:`errors` and :meth:`every` alone.
    """

    @property
    def judged(self) -> Sequence[Trace]:
        """The runs that are asked."""
        raise NotImplementedError

    @property
    def llm_calls(self) -> Spans[LlmCall]:
        """Every call of a language model once, in the order they started."""
        calls = (span for trace in self.judged for span in trace.model_calls if span.kind == "llm" and not span.refused)
        return cast("Spans[LlmCall]", _in_order(calls))

    @property
    def tool_calls(self) -> Spans[ToolCall]:
        """The executions of tools, in the order they started."""
        return cast("Spans[ToolCall]", self._not_refused("tool"))

    @property
    def agents(self) -> Spans[SpanRecord]:
        """The invocations of agents, in the order they started."""
        return self._not_refused("agent")

    @property
    def errors(self) -> Spans[SpanRecord]:
        """The spans that failed, in the order they started."""
        return self.every(outcome="error")

    @property
    def decisions(self) -> Decisions:
        """Every decision: stated ones and those that libraries reveal."""
        from agentops_sdk.traces.decisions.effects import decisions

        return Decisions(decision for trace in self.judged for decision in decisions(trace))

    @property
    def usage(self) -> Usage:
        """All tokens, every call counted once."""
        return sum((trace.usage for trace in self.judged), Usage())

    @property
    def cost(self) -> Cost:
        """All money, every call counted once; a lower bound if something is unknown."""
        return Cost.sum(trace.cost for trace in self.judged)

    @property
    def duration(self) -> float:
        """Seconds that the runs took, added up."""
        return sum(trace.duration for trace in self.judged)

    def _not_refused(self, kind: str) -> Spans[SpanRecord]:
        return Spans(span for span in self.every(kind=kind) if not span.refused)

    def every(self, name: str | None = None, **wanted: Any) -> Spans[SpanRecord]:
        """Every span, in the order they started; the arguments filter as in :class:`Spans`."""
        return _in_order(span for trace in self.judged for span in trace.spans)(name, **wanted)

    def text(self, *, messages: bool = False, width: int = 100) -> str:
        """The trees as readable text, as ``agentops show`` prints them."""
        return "\n".join(trace.tree(width=width, messages=messages) for trace in self.judged)

    def snapshot(self, *, content: bool = True, tokens: bool = False) -> str:
        """The runs in a form that is the same each time: one line per span, no times, ids or prices.

        Args:
            content: with arguments, results and reasons.
            tokens: with token counts.
        """
        from agentops_sdk.testing.stable_lines import snapshot

        return snapshot(self.judged, content=content, tokens=tokens)

    def __eq__(self, other: object) -> bool:
        """Against a snapshot (of syrupy, of inline-snapshot, or a text): whether it equals :meth:`snapshot`."""
        if isinstance(other, Queries):
            return [trace.spans for trace in self.judged] == [trace.spans for trace in other.judged]
        return bool(other == self.snapshot())

    __hash__ = object.__hash__


def _in_order(spans: Iterable[SpanRecord]) -> Spans[SpanRecord]:
    return Spans(sorted(spans, key=lambda span: (span.start_ns, span.span_id)))

"""Assertions on models and decisions: how often models were called, and what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.testing.assertions.assert_tools import were
from agentops_sdk.testing.assertions.assertion_message import failure, listed, numbered, similar
from agentops_sdk.testing.queries import Queries
from agentops_sdk.testing.records import LlmCall

if TYPE_CHECKING:
    from agentops_sdk.traces.decisions.model import Decision

_UNSET: Any = object()


class CallAssertions(Queries):
    """How often models were called, and what was decided."""

    def assert_llm_calls(
        self,
        count: int | None = None,
        *,
        min: int | None = None,  # noqa: A002 - reads as what it is
        max: int | None = None,  # noqa: A002 - the same
        model: str | None = None,
    ) -> None:
        """Language models were called this often; every call counts once, however many layers reported it.

        Args:
            count: exactly.
            min: at least.
            max: at most.
            model: only calls of this model; ``*`` stands for anything.
        """
        __tracebackhide__ = True
        calls: list[LlmCall] = self.llm_calls if model is None else self.llm_calls(model)
        least, most = (count, count) if count is not None else (min, max)
        if (least is None or len(calls) >= least) and (most is None or len(calls) <= most):
            return
        bounds = f"{count}" if count is not None else " and ".join(
            [*([f"at least {min}"] if min is not None else []), *([f"at most {max}"] if max is not None else [])]
        )  # fmt: skip
        of = f" of `{model}`" if model else ""
        near = [f"Models that were called: {listed(self.llm_calls.names)}."] if model and self.llm_calls else []
        what = "model call" if bounds == "1" or bounds.endswith(" 1") else "model calls"
        raise failure(f"expected {bounds} {what}{of}, there {were(len(calls))}", self.judged, numbered(calls), near)

    def assert_decision(
        self,
        name: str,
        *,
        chosen: Any = _UNSET,
        by: str | None = None,
        reason: str | None = None,
    ) -> Decision:
        """The decision was made.

        Args:
            name: of the decision; ``*`` and ``?`` stand for anything.
            chosen: what was chosen.
            by: who or what decided.
            reason: a part of the reason that was recorded.

        Returns:
            the first such decision.
        """
        __tracebackhide__ = True
        every = self.decisions
        named = every(name)
        if not named:
            known = [decision.name for decision in every]
            near = [f"Decisions that were made: {listed(known)}."] if known else ["No decision was made at all."]
            if meant := similar(name, known):
                near.append(f"Did you mean `{meant}`?")
            raise failure(f"expected a decision `{name}`, there is none", self.judged, near=near)
        for decision in named:
            if (
                (chosen is _UNSET or _chose(decision, chosen))
                and (by is None or decision.by == by)
                and (reason is None or reason in (decision.reason or ""))
            ):
                return decision
        asked = [
            *([f"to choose {_quoted(chosen)}"] if chosen is not _UNSET else []),
            *([f"to be made by {by}"] if by is not None else []),
            *([f"with a reason that says {reason!r}"] if reason is not None else []),
        ]
        raise failure(
            f"expected decision `{name}` {', '.join(asked)}; it {_was_made(named[0])}",
            self.judged,
            {decision.span.span_id: _was_made(decision) for decision in named},
        )


def _chose(decision: Decision, chosen: Any) -> bool:
    return bool(chosen == (list(decision.choices) if isinstance(chosen, list) else decision.chosen))


def _was_made(decision: Decision) -> str:
    sentence = f"chose {_quoted(decision.chosen)}" if decision.made else "chose nothing"
    if decision.by is not None:
        sentence += f" by {decision.by}"
    return f"{sentence}: {decision.reason}" if decision.reason else sentence


def _quoted(chosen: Any) -> str:
    names = chosen if isinstance(chosen, list | tuple) else [chosen]
    return ", ".join(f"`{name}`" if isinstance(name, str) else repr(name) for name in names)

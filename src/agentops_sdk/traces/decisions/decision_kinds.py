"""Every kind of decision there is: one row each. To add a kind, add a row; nothing else knows them all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.decisions import phrases

if TYPE_CHECKING:
    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.record import SpanRecord

Choices = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionKind:
    """One row.

    Attributes:
        name: as ``Decision.kind`` has it.
        predicate: what was decided, as what follows the subject; given the decision, the names of tools that are
            called once more, and whether it is called by its name.
        is_recorded_as: whether the attributes of a decision on a span are of this kind, by the span, the decision's
            name, who decided and what was chosen; the first row that says so wins. Without it, decisions of this
            kind are inferred from what spans carry otherwise.
        subject: who decided, where the general rule (a person, a rule, the code, the program) does not say it, or
            does not for this one.
        of_model: a model decided.
        of_agent: where nobody is named, the agent decided.
        nests: every graph around reports it as well.
        names_subject: the tree names who decided: it is not the span that the line is about.
    """

    name: str
    predicate: Callable[[Decision, Collection[str], bool], str]
    is_recorded_as: Callable[[SpanRecord, str, str | None, Choices], bool] = lambda *_: False
    subject: Callable[[Decision], str | None] = lambda _: None
    of_model: bool = False
    of_agent: bool = False
    nests: bool = False
    names_subject: bool = False


def _plain(phrase: Callable[[Any], str]) -> Callable[[Decision, Collection[str], bool], str]:
    return lambda decision, again, named: phrase(decision)


KINDS: Final = {
    kind.name: kind
    for kind in (
        DecisionKind(  # of a limit on what may be used, or of whoever it had asked
            "limit",
            _plain(phrases.limited),
            lambda span, name, by, choices: name == "limit" and semconv.LIMIT in span.attributes,
            phrases.limit,
            names_subject=True,
        ),
        DecisionKind(  # by the program, in its own words
            "stated",
            lambda decision, again, named: phrases.stated(decision, named),
            lambda span, name, by, choices: span.kind == "decision",
            of_agent=True,
        ),
        DecisionKind(  # of a guardrail
            "verdict",
            _plain(phrases.verdict),
            lambda span, name, by, choices: span.kind == "guardrail",
            phrases.guardrail,
        ),
        DecisionKind(  # of a model that was asked and would not
            "refusal",
            lambda decision, again, named: "refused to answer",
            lambda span, name, by, choices: span.kind == "llm" and by == "model" and choices == ("refusal",),
            of_model=True,
        ),
        DecisionKind(  # of a model among the tools that it was offered
            "tool",
            lambda decision, again, named: phrases.called(decision, again),
            lambda span, name, by, choices: span.kind == "llm" and by == "model",
            of_model=True,
        ),
        DecisionKind(  # of an agent that passes its task on
            "handoff",
            lambda decision, again, named: f"handed over to {phrases.series(decision.choices)}",
            lambda span, name, by, choices: name == "handoff",
            phrases.agent,
            nests=True,
        ),
        DecisionKind(  # of a person, or one that a person is asked for
            "approval",
            _plain(phrases.approval),
            lambda span, name, by, choices: by == "human",
            phrases.stopped,
            nests=True,
            names_subject=True,
        ),
        DecisionKind(  # of a graph about its next node
            "edge",
            _plain(phrases.edge),
            lambda span, name, by, choices: name == "goto" or semconv.GRAPH_NODE in span.attributes,
            phrases.place_of_edge,
            nests=True,
            names_subject=True,
        ),
        DecisionKind("retry", _plain(phrases.retry), subject=phrases.client, names_subject=True),
        DecisionKind(  # to another model
            "fallback",
            lambda decision, again, named: f"fell back from {decision.options[0]} to {decision.choices[0]}",
            names_subject=True,
        ),
    )
}


def kind_of(span: SpanRecord, name: str, by: str | None, choices: Choices) -> str:
    """The kind of a decision that was recorded as attributes of ``span``."""
    return next((kind.name for kind in KINDS.values() if kind.is_recorded_as(span, name, by, choices)), "stated")

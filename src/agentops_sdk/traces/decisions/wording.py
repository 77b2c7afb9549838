"""A decision as a sentence: a subject, and a predicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.decisions.decision_kinds import KINDS
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from collections.abc import Collection

    from agentops_sdk.traces.decisions.model import Decision


def subject(decision: Decision, *, model: bool = True, agent: bool = False) -> str:
    """Who decided.

    Args:
        model: whether a model's name is told.
        agent: whether the agent's name is, where a model decided.
    """
    return line(KINDS[decision.kind].subject(decision) or _by_the_general_rule(decision, model, agent), 80)


def _by_the_general_rule(decision: Decision, model: bool, agent: bool) -> str:
    kind, attributes = KINDS[decision.kind], decision.span.attributes
    if decision.by == "human":
        return decision.by_name or "A person"
    if decision.by == "model" or kind.of_model:
        name = (decision.by_name or decision.model) if model else None
        owner = attributes.get(semconv.AGENT_NAME) if agent and kind.of_model else None
        if owner:
            return f"The agent {owner}" + (f" ({name})" if name else "")
        return "The model" + (f" {name}" if name else "")
    if decision.policy:
        return f"The rule {decision.policy}"
    if decision.by == "code" and decision.by_name:
        return f"The code ({decision.by_name})"
    acting = decision.by_name or attributes.get(semconv.AGENT_NAME)
    if decision.by is None and kind.of_agent and acting:
        return f"The agent {acting}"
    return "The program"


def predicate(decision: Decision, again: Collection[str] = (), *, named: bool = True) -> str:
    """What was decided, as what follows the subject.

    Args:
        again: names of tools that are called once more.
        named: whether a decision that was stated is called by its name.
    """
    phrase = KINDS[decision.kind].predicate(decision, again, named)
    if decision.unlisted:
        phrase += ", which was not among the options"
    if decision.confidence is not None:
        phrase += f" ({decision.confidence:.0%} sure)"
    if decision.waited is not None:
        phrase += f"{',' if ', ' in phrase else ''} after {number_format.duration(decision.waited)}"
    return phrase

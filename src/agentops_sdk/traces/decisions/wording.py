"""A decision in words: who made it, and what it was."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces import number_format
from agentops_sdk.traces.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agentops_sdk.traces.decisions.model import Decision

_ANSWER, _REFUSAL, _START, _END = "answer", "refusal", "__start__", "__end__"
_PLAIN_ANSWERS = ("approval", "resume")
_FEW = 3
"""So many other options are named; of more, only how many there were is said."""


def who(made: Decision, *, model: bool = True, agent: bool = False) -> str:
    """The subject of the sentence.

    Args:
        model: whether a model's name is told.
        agent: whether the agent's name is, where a model decided.
    """
    acting = made.by_name or made.span.attributes.get(semconv.AGENT_NAME)
    node = made.span.attributes.get(semconv.GRAPH_NODE)
    subject = "The program"
    if made.kind in ("tool", "refusal") or made.by == "model":
        name = (made.by_name or made.model) if model else None
        owner = made.span.attributes.get(semconv.AGENT_NAME) if agent and made.kind in ("tool", "refusal") else None
        subject = f"The agent {owner}" if owner else "The model"
        subject += (f" ({name})" if owner else f" {name}") if name else ""
    if made.kind == "verdict":
        subject = f"The guardrail {made.name}"
    elif made.kind == "handoff":
        subject = f"The agent {acting or node or ''}".rstrip()
    elif made.kind == "edge":
        before = "At the start" if node == _START else f"After {node}"
        subject = (f"The node {node}" if node else "The tool") if made.name == "goto" else f"{before}, {made.name}"
    elif made.kind == "approval" and not made.made:
        subject = f"The node {node}" if node else f"The graph {line(made.span.name).partition(' ')[2]}".rstrip()
    elif made.by == "human":
        subject = made.by_name or "A person"
    elif made.kind == "retry":
        subject = "The client" if made.span.kind == "llm" and semconv.ATTEMPTS in made.span.attributes else subject
    elif made.by != "model" and made.policy:
        subject = f"The rule {made.policy}"
    elif made.by == "code" and made.by_name:
        subject = f"The code ({made.by_name})"
    elif made.by is None and made.kind == "stated" and acting:
        subject = f"The agent {acting}"
    return line(subject, 80)


def deed(made: Decision, again: Collection[str] = (), *, named: bool = True) -> str:
    """What was decided, as what follows the subject.

    Args:
        again: names of tools that are called once more.
        named: whether a decision that was stated is called by its name.
    """
    if made.kind == "tool":
        said = _called(made, again)
    else:
        said = _DEEDS[made.kind](made) if made.kind in _DEEDS else _stated(made, named)
    if made.unlisted:
        said += ", which was not among the options"
    if made.confidence is not None:
        said += f" ({made.confidence:.0%} sure)"
    if made.waited is not None:
        said += f"{',' if ', ' in said else ''} after {number_format.duration(made.waited)}"
    return said


def _called(made: Decision, again: Collection[str]) -> str:
    others = [option for option in made.options if option not in (*made.choices, _ANSWER, _REFUSAL)]
    if made.choices == (_ANSWER,):
        if not others:
            return "answered"
        return (
            f"answered without calling {series(others, 'or') if len(others) <= _FEW else f'any of {len(others)} tools'}"
        )
    if not made.made:
        return f"decided on none of {series(made.options, 'and')}"
    called = [f"{name} again" if name in again else name for name in made.choices]
    said = f"{'had to call' if made.forced else 'called'} {series(called)}"
    if made.forced or not others:
        return said
    return f"{said}, not {series(others, 'or')}" if len(others) <= _FEW else f"{said}, of {_all(made)} tools"


def _all(made: Decision) -> int:
    return len(set(made.options) - {_ANSWER, _REFUSAL})


def _stated(made: Decision, named: bool) -> str:
    if not made.made:
        what = f"left {line(repr(made.name))} undecided" if named else "undecided"
        return f"{what} between {series(made.options)}" if made.options else what
    return f"chose {series(made.choices)}" + (f" for {line(repr(made.name))}" if named else "") + _not(made)


def _not(made: Decision) -> str:
    others = [option for option in made.options if option not in made.choices]
    if not others or made.forced:
        return ""
    return f", not {series(map(_place, others), 'or')}" if len(others) <= _FEW else f", of {len(made.options)} options"


def _edge(made: Decision) -> str:
    verb = "went on to" if made.name == "goto" else "chose"
    return f"{verb} {series(map(_place, made.choices))}{_not(made)}" if made.made else "chose to go nowhere"


def _place(node: str) -> str:
    return "the end" if node == _END else node


def _approval(made: Decision) -> str:
    if made.made:
        return f"said {series(made.choices)}{_not(made)}" + (
            "" if made.name in _PLAIN_ANSWERS else f" to {line(repr(made.name))}"
        )
    asked = made.inputs
    if isinstance(asked, list):  # interrupts carry an id that tells a person nothing
        asked = [one.get("value", one) if isinstance(one, dict) else one for one in asked]
        asked = asked[0] if len(asked) == 1 else asked
    if asked is None:
        return "stopped to wait for a person"
    text = asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False, default=str)
    return f"stopped to ask a person: {line(text, 160)}"


def _retry(made: Decision) -> str:
    return "tried again" if made.times == 1 else f"tried again {made.times} times"


def _verdict(made: Decision) -> str:
    said = series(made.choices)
    return said if said.startswith("raised ") else f"said {said}{_not(made)}"


_DEEDS = {
    "refusal": lambda made: "refused to answer",
    "edge": _edge,
    "handoff": lambda made: f"handed over to {series(made.choices)}",
    "retry": _retry,
    "fallback": lambda made: f"fell back from {made.options[0]} to {made.choices[0]}",
    "verdict": _verdict,
    "approval": _approval,
}


def series(names: Iterable[str], last: str = "and") -> str:
    """``a, b and c``; what comes several times is counted, of many the last are."""
    counts = Counter(line(name, 60) for name in names)
    shown = [name if count == 1 else f"{name} {count} times" for name, count in counts.items()]
    if len(shown) > 8:
        shown = [*shown[:7], f"{len(shown) - 7} others"]
    if not shown:
        return "nothing"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"

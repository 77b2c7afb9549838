"""Phrases of which sentences about decisions are made: what each kind of decision did, and who did it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agentops_sdk.traces.decisions.model import Decision

_ANSWER, _REFUSAL, _START, _END = "answer", "refusal", "__start__", "__end__"
_PLAIN_ANSWERS = ("approval", "resume")
_FEW = 3
"""So many other options are named; of more, only how many there were is said."""

# --- who decided ------------------------------------------------------------------------------------


def guardrail(decision: Decision) -> str:
    return f"The guardrail {decision.name}"


def agent(decision: Decision) -> str:
    node = decision.span.attributes.get(semconv.GRAPH_NODE)
    name = decision.by_name or decision.span.attributes.get(semconv.AGENT_NAME) or node or ""
    return f"The agent {name}".rstrip()


def limit(decision: Decision) -> str | None:
    return None if decision.by == "human" else f"The limit of {decision.policy}"


def place_of_edge(decision: Decision) -> str:
    node = decision.span.attributes.get(semconv.GRAPH_NODE)
    if decision.name == "goto":
        return f"The node {node}" if node else "The tool"
    return f"{'At the start' if node == _START else f'After {node}'}, {decision.name}"


def stopped(decision: Decision) -> str | None:
    """What stopped to ask; ``None`` where somebody has answered."""
    if decision.made:
        return None
    node = decision.span.attributes.get(semconv.GRAPH_NODE)
    return f"The node {node}" if node else f"The graph {line(decision.span.name).partition(' ')[2]}".rstrip()


def client(decision: Decision) -> str | None:
    return "The client" if decision.span.kind == "llm" and semconv.ATTEMPTS in decision.span.attributes else None


# --- what was decided -------------------------------------------------------------------------------


def called(decision: Decision, again: Collection[str]) -> str:
    others = [option for option in decision.options if option not in (*decision.choices, _ANSWER, _REFUSAL)]
    if decision.choices == (_ANSWER,):
        if not others:
            return "answered"
        return (
            f"answered without calling {series(others, 'or') if len(others) <= _FEW else f'any of {len(others)} tools'}"
        )
    if not decision.made:
        return f"decided on none of {series(decision.options, 'and')}"
    called = [f"{name} again" if name in again else name for name in decision.choices]
    phrase = f"{'had to call' if decision.forced else 'called'} {series(called)}"
    if decision.forced or not others:
        return phrase
    return f"{phrase}, not {series(others, 'or')}" if len(others) <= _FEW else f"{phrase}, of {_all(decision)} tools"


def _all(decision: Decision) -> int:
    return len(set(decision.options) - {_ANSWER, _REFUSAL})


def stated(decision: Decision, named: bool) -> str:
    if not decision.made:
        what = f"left {line(repr(decision.name))} undecided" if named else "undecided"
        return f"{what} between {series(decision.options)}" if decision.options else what
    return f"chose {series(decision.choices)}" + (f" for {line(repr(decision.name))}" if named else "") + _not(decision)


def _not(decision: Decision) -> str:
    others = [option for option in decision.options if option not in decision.choices]
    if not others or decision.forced:
        return ""
    return (
        f", not {series(map(_place, others), 'or')}" if len(others) <= _FEW else f", of {len(decision.options)} options"
    )


def edge(decision: Decision) -> str:
    verb = "went on to" if decision.name == "goto" else "chose"
    return f"{verb} {series(map(_place, decision.choices))}{_not(decision)}" if decision.made else "chose to go nowhere"


def _place(node: str) -> str:
    return "the end" if node == _END else node


def approval(decision: Decision) -> str:
    if decision.made:
        return f"said {series(decision.choices)}{_not(decision)}" + (
            "" if decision.name in _PLAIN_ANSWERS else f" to {line(repr(decision.name))}"
        )
    asked = decision.inputs
    if isinstance(asked, list):  # interrupts carry an id that tells a person nothing
        asked = [one.get("value", one) if isinstance(one, dict) else one for one in asked]
        asked = asked[0] if len(asked) == 1 else asked
    if asked is None:
        return "stopped to wait for a person"
    text = asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False, default=str)
    return f"stopped to ask a person: {line(text, 160)}"


def limited(decision: Decision) -> str:
    return f"{'stopped' if decision.choices == ('refuse',) else 'allowed'} {line(decision.span.name, 60)}"


def retry(decision: Decision) -> str:
    return "tried again" if decision.times == 1 else f"tried again {decision.times} times"


def verdict(decision: Decision) -> str:
    result = series(decision.choices)
    return result if result.startswith("raised ") else f"said {result}{_not(decision)}"


def series(names: Iterable[str], last: str = "and") -> str:
    """``a, b and c``; what comes several times is counted, of many the last are."""
    counts = Counter(line(name, 60) for name in names)
    shown = [name if count == 1 else f"{name} {count} times" for name, count in counts.items()]
    if len(shown) > 8:
        shown = [*shown[:7], f"{len(shown) - 7} others"]
    if not shown:
        return "nothing"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"

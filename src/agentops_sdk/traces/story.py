"""A run told by its decisions: sentences that a person can read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces import figures
from agentops_sdk.traces.loops import loops
from agentops_sdk.traces.safe_text import line

if TYPE_CHECKING:
    from agentops_sdk.traces.decision import Decision
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_ANSWER = "answer"
_ENDS = {
    "ok": "worked",
    "error": "failed",
    "cancelled": "was cancelled",
    "abandoned": "was given up",
    "interrupted": "was interrupted",
}


def story(trace: Trace) -> list[str]:
    """One sentence or two per decision, in the order they were made, then a sentence per loop."""
    told = [sentence(made) for made in trace.decisions]
    return [*told, *(f"Going round: {loop}." for loop in loops(trace))]


def sentence(made: Decision) -> str:
    """What was decided, by whom, among what, why, and what came of it."""
    return " ".join(part for part in (_choice(made), _reason(made), _outcome(made)) if part)


def _choice(made: Decision) -> str:
    who, of_model = _who(made), made.span.kind == "llm"
    if not made.made:
        among = f" between {_names(made.options)}" if made.options else ""
        return f"{who} left {made.name!r} undecided{among}."
    if of_model and made.choices == (_ANSWER,):
        others = [option for option in made.options if option != _ANSWER]
        return f"{who} answered without {_names(others, 'or')}." if others else f"{who} answered."
    what = _names(made.choices)
    others = [option for option in made.options if option not in made.choices]
    verb = "was made to call" if made.forced and of_model else "called for" if of_model else f"chose {what} for"
    said = f"{who} {verb} {what}" if of_model else f"{who} {verb} {made.name!r}"
    if made.unlisted:
        said += ", which was not among the options"
    if others and not made.forced:
        said += f", not {_names(['answering' if other == _ANSWER else other for other in others], 'or')}"
    if made.confidence is not None:
        said += f" ({made.confidence:.0%} sure)"
    if made.waited is not None:
        said += f" after {figures.duration(made.waited)}"
    return said + "."


def _who(made: Decision) -> str:
    name = made.by_name or made.model
    if made.by == "model":
        return line(f"The model {name}" if name else "The model", 80)
    if made.by == "human":
        return line(made.by_name or "A person", 80)
    if made.policy:
        return line(f"The rule {made.policy}", 80)
    if made.by == "code":
        return line(f"The code ({made.by_name})" if made.by_name else "The code", 80)
    agent = made.span.attributes.get(semconv.AGENT_NAME)
    return line(f"The agent {agent}" if agent else "The program", 80)


def _reason(made: Decision) -> str:
    if not made.reason:
        return ""
    text = line(made.reason, 240)
    return f"Why: {text}" if text.endswith((".", "!", "?", "…")) else f"Why: {text}."


def _outcome(made: Decision) -> str:
    if not made.followed_by:
        return ""
    return "; ".join(_followed(span) for span in made.followed_by) + "."


def _followed(span: SpanRecord) -> str:
    name = line(span.name.partition(" ")[2] or span.name, 60)
    told = f"{name} {_ENDS[span.outcome]} ({figures.duration(span.duration)})"
    return f"{told}: {line(span.status_message, 100)}" if span.outcome == "error" and span.status_message else told


def _names(names: tuple[str, ...] | list[str], last: str = "and") -> str:
    shown = [line(name, 60) for name in names]
    if len(shown) > 8:
        shown = [*shown[:7], f"{len(shown) - 7} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"

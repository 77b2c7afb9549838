"""What a set of attributes tells by its names alone: worked out once for all spans whose attributes have them.

Beside it, which attributes columns keep, and which tell a decision.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.traces.figures.span_facts import Fact
from agentops_sdk.traces.formats.json_values import as_text
from agentops_sdk.traces.usage import ATTRIBUTES, FROM_PROVIDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentops_sdk.traces.figures.figure_table import FigureTable

    Names = tuple[str, ...] | int

__all__ = [
    "AMOUNTS",
    "BESIDE",
    "CHECKS",
    "ESTIMATES",
    "INVOLVED",
    "INVOLVED_EVENTS",
    "LONGEST_TEXT",
    "NUMBERS",
    "STATED",
    "TELLING",
    "WORDS",
    "Shape",
    "Statement",
    "model_in",
    "restored",
    "session_in",
    "word_of",
]

LONGEST_TEXT: Final = 256
"""Characters of a text that is kept as it is."""
_MOST_REASONS: Final = 8
_USAGE: Final = (*ATTRIBUTES.values(), semconv.USAGE_CACHE_WRITE)
NUMBERS: Final = (
    *_USAGE, semconv.COST_AMOUNT, semconv.OPERATION_COST, semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.MISSING_SPANS,
)  # fmt: skip
"""Attributes that totals and tables are made of, whose values differ from span to span."""
AMOUNTS: Final = (semconv.COST_AMOUNT, semconv.OPERATION_COST)
WORDS: Final = (
    semconv.USAGE_SOURCE, semconv.COST_ESTIMATED, semconv.COST_CURRENCY, semconv.COST_UNKNOWN_REASON,
    semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL, semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.TAGS,
    semconv.TOOL_NAME, semconv.AGENT_NAME, semconv.USER_ID,
)  # fmt: skip
"""The same, with values that many spans have in common."""
_PRESENT: Final = {
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: Fact.FIRST_CHUNK,
    semconv.USAGE_TRAINED: Fact.TRAINED,
}
"""Attributes that set a bit by being there."""
CHECKS: Final[dict[str, tuple[int, Callable[[Any], bool]]]] = {
    semconv.CACHED: (Fact.CACHED, lambda value: value is True),
    semconv.INTERNAL: (Fact.INTERNAL, lambda value: value is True),
    semconv.INTERNAL_BEFORE: (Fact.INTERNAL, lambda value: value is True),
    semconv.SAMPLED_ELSEWHERE: (Fact.ELSEWHERE, lambda value: value is True),
    semconv.RESPONSE_ID: (Fact.RESPONSE_ID, bool),
    semconv.DECISION_NAME: (Fact.STOPPED, semconv.STOPS.__contains__),
    semconv.COST_TOTAL: (Fact.TOTAL, lambda value: value is True),
    semconv.RESPONSE_FINISH_REASONS: (Fact.TELLS, lambda value: value != ["stop"]),  # the usual reason
    semconv.OUTPUT_MESSAGES: (Fact.TELLS, lambda value: type(value) is str and '"tool_call"' in value),
}
"""Attributes that set a bit with some values."""
TELLING: Final = frozenset((
    semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME, semconv.ATTEMPTS, semconv.ATTEMPT,
    semconv.GUARDRAIL_RESULT, semconv.TOOL_DEFINITIONS,
))  # fmt: skip
"""Attributes of which one is needed where neither a span's kind, nor its outcome, nor an event tells a decision."""
STATED: Final = (
    semconv.DECISION_NAME, semconv.DECISION_CHOSEN, semconv.DECISION_BY, semconv.GUARDRAIL_NAME,
    semconv.RESPONSE_FINISH_REASONS,
)  # fmt: skip
"""Attributes that tell which decision a span is or carries, and what was chosen."""
BESIDE: Final = (semconv.DECISION_OPTIONS, semconv.LIMIT, semconv.GRAPH_NODE, semconv.GRAPH_RESUMED_FROM)
"""Attributes that tell more of it by being there."""
INVOLVED: Final = frozenset((semconv.ATTEMPTS, semconv.ATTEMPT, semconv.GUARDRAIL_RESULT))
"""Attributes with which, as with these events, a span tells decisions that take its whole record."""
INVOLVED_EVENTS: Final = frozenset((
    semconv.DECISION_EVENT, semconv.HANDOFF_EVENT, semconv.GUARDRAIL_EVENT, semconv.TOOL_CALL_DECISION_EVENT,
))  # fmt: skip
ESTIMATES: Final = tuple(source for source in semconv.USAGE_SOURCES if source not in FROM_PROVIDER)


class Statement(NamedTuple):
    """What a span tells of the one decision that it is or carries, if it does: enough to say what was chosen."""

    kind: str
    name: str
    """The span's; empty where an attribute names the decision."""
    attributes: tuple[tuple[str, Any], ...]
    """Those that tell which decision it is. Of some only that they are there: these are empty."""


class Shape:
    """What attributes with one set of names tell: worked out once for all spans that have it."""

    __slots__ = (
        *("amount", "beside", "bits", "checks", "figure_bits", "involved", "known", "missing", "number_names"),
        *("numbers", "stated", "stated_names", "table", "tokens", "word_names", "words"),
    )

    def __init__(self, names: tuple[str, ...], words: Sequence[str]) -> None:
        present = frozenset(names)
        self.word_names: Names = tuple(name for name in words if name in present)
        self.words = _values_of(self.word_names)
        self.number_names: Names = tuple(name for name in NUMBERS if name in present)
        self.numbers = _values_of(self.number_names)
        self.tokens = sum(name in present for name in _USAGE)
        """How many of the numbers are tokens; they come first."""
        amount = next((name for name in AMOUNTS if name in present), None)
        self.amount = None if amount is None else self.number_names.index(amount)
        self.missing = self.number_names.index(semconv.MISSING_SPANS) if semconv.MISSING_SPANS in present else None
        self.table: FigureTable | None = None
        self.figure_bits = Fact.USAGE if self.tokens else 0
        """What is so where every number is of its usual type, as those in a table are."""
        if self.amount is not None:
            self.figure_bits |= Fact.COST | Fact.PRICED
        if self.missing is not None:
            self.figure_bits |= Fact.MISSING
        self.known: dict[tuple[Any, ...], tuple[int, int, int]] = {}
        """Words that are kept already, if all of them are text: where, the bits that they set, the model's text."""
        self.bits = 0
        for name in present & _PRESENT.keys():
            self.bits |= _PRESENT[name]
        if not present.isdisjoint(TELLING):
            self.bits |= Fact.TELLS
        self.checks = tuple((name, *CHECKS[name]) for name in CHECKS if name in present)
        self.involved = not INVOLVED.isdisjoint(present)
        self.stated_names = tuple(name for name in STATED if name in present)
        self.stated = _values_of(self.stated_names)
        self.beside = tuple((name, "") for name in BESIDE if name in present)


def _values_of(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
    if len(names) < 2:
        return (lambda attributes: (attributes[names[0]],)) if names else None
    return itemgetter(*names)


def word_of(value: Any) -> str | tuple[str, ...] | None:
    """A short text, or a few of them; ``None`` of anything else."""
    if type(value) is str:
        return value if len(value) <= LONGEST_TEXT else None
    if type(value) is not list or len(value) > _MOST_REASONS:
        return None
    return tuple(value) if all(type(each) is str and len(each) <= LONGEST_TEXT for each in value) else None


def restored(kind: str, name: str, attributes: Sequence[Sequence[Any]]) -> Statement:
    """A statement from JSON, which has lists in place of tuples."""
    pairs = ((key, tuple(value) if type(value) is list else value) for key, value in attributes)
    return Statement(kind, name, tuple(pairs))


def model_in(attributes: Mapping[str, Any]) -> str | None:
    """The model that answered, or else the one that was asked for."""
    name = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    return as_text(name) if name else None


def session_in(attributes: Mapping[str, Any]) -> str | None:
    """The session that attributes name, or else the conversation."""
    session = attributes.get(semconv.SESSION_ID) or attributes.get(semconv.CONVERSATION_ID)
    return as_text(session) if session else None

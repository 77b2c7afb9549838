"""Which span's figures count: every call once, however many layers reported it.

- A model call below a model call is the same call, seen by a framework and by the provider's client.
  The layer that knows most counts (figures the provider reported, then a response id, then a price;
  the inner one if they know the same), the other does not.
- An answer from a cache of the program's is no call, and adds nothing.
- Work in the background that is begun by one span and read by others is one call, where its end is told first;
  where nobody told it, it is unknown.
- Tokens on any other span are a total of what lies below: they count only if nothing below has any.
- Money on an agent, workflow or unclassified span is such a total too, and on any span that says so; on another
  tool or step it is the step's own price and adds up.
- What has not ended may still use more, and spans that were not kept may have used something: unknown comes
  on top, once for each outermost open span and for each span that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from agentops_sdk.traces.classify import OUTCOMES
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.span_facts import ENDED, KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT, Fact
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.outline import Outline

T = TypeVar("T")
MODEL_KINDS: Final = ("llm", "embedding")
IN_BACKGROUND: Final = "in the background: its end was not recorded"
NOT_ENDED: Final = {"running": "still running", "unfinished": "never finished"}
_MODELS: Final = frozenset(KINDS.index(kind) for kind in MODEL_KINDS)
_TOTAL: Final = frozenset(KINDS.index(kind) for kind in ("agent", "workflow", "span"))
_PLAIN: Final = KINDS.index("span")
_FAILED: Final = OUTCOMES.index("error") << OUTCOME_SHIFT
_WORTH: Final = 4  # bits


@dataclass(slots=True)
class Share:
    """What one span itself adds to every total it lies in."""

    call: bool = False
    """Whether the span is a model call that counts."""
    usage: Usage | None = None
    cost: Cost | None = None


class Counted:
    """Bits that say which figures of a span count."""

    CALL = 1  # it is a model call that counts
    USAGE = 2  # its own tokens
    UNSIZED = 4  # tokens that nobody knows
    MORE_USAGE = 8  # what it may still use, or what sampling threw away
    COST = 16
    UNPRICED = 32
    MORE_COST = 64
    OPEN = 128  # work in the background whose end nobody told
    ANY_USAGE = USAGE | UNSIZED | MORE_USAGE | OPEN
    ANY_COST = COST | UNPRICED | MORE_COST | OPEN
    ANY = ANY_USAGE | ANY_COST
    MORE = MORE_USAGE | MORE_COST


def unrecorded(outcome: str) -> Share:
    """What comes on top where a run's outermost span should be here and is not."""
    reason = NOT_ENDED.get(outcome, "its outermost span is missing")
    return Share(usage=Usage(unknown=1), cost=Cost.unknown(reason))


def counted(outline: Outline) -> bytearray:
    """By number the bits of :class:`Counted` of each span. One pass from the leaves up, linear."""
    facts, rows, parents, roles = outline.columns.facts, outline.rows, outline.parents, outline.roles
    shares = bytearray(outline.count)
    below: dict[int, _Below] = {}
    for number in reversed(outline.preorder):
        fact = facts[rows[number]]
        mine = below.pop(number, None)
        above = parents[number]
        bits, role = 0, roles.get(number)
        if fact & Fact.CACHED or role in ("repeats", "begins"):
            pass  # answered from a cache, or told by another span: no model was called here, and nothing was used
        elif role is not None:
            called = Counted.CALL if fact & KIND_BITS in _MODELS else 0
            bits = called if role == "unused" else called | Counted.OPEN
        elif fact & KIND_BITS in _MODELS:
            if mine is None:  # as most are: straight into what is above
                mine = below.pop(above, None) or _Below()
                bits = _first_call(number, fact, mine)
            else:
                bits = _model_call(number, fact, mine, shares)
        elif fact & (Fact.USAGE | Fact.COST | Fact.TRAINED) or mine is not None:
            mine = mine or _Below()
            bits = _other(number, fact, mine, shares)
        ended = ENDED[(fact & OUTCOME_BITS) >> OUTCOME_SHIFT]
        if not ended and not bits & Counted.CALL and (above < 0 or outline.ended(above)):
            bits |= Counted.MORE
        if fact & (Fact.MISSING | Fact.ELSEWHERE) and outline.misses(number):
            bits |= Counted.MORE
        shares[number] = bits
        if above >= 0 and mine is not None:
            known = below.get(above)
            if known is None:
                below[above] = mine
            else:
                known.merge(mine)
    return shares


class _Below:
    """What is already counted below a span."""

    __slots__ = ("calls", "cost", "unpriced", "unsized", "usage")

    def __init__(self) -> None:
        self.usage = False
        self.cost = False
        self.unsized: list[int] = []
        self.unpriced: list[int] = []
        self.calls: list[int] = []  # model calls with nothing but plain spans in between, and their worth

    def merge(self, other: _Below) -> None:
        self.usage |= other.usage
        self.cost |= other.cost
        self.calls = _joined(self.calls, other.calls)
        self.unsized = _joined(self.unsized, other.unsized)
        self.unpriced = _joined(self.unpriced, other.unpriced)


def _joined(one: list[T], other: list[T]) -> list[T]:
    """Both lists in the longer one: a deep chain stays linear."""
    if not other:
        return one
    if len(one) < len(other):
        one, other = other, one
    one.extend(other)
    return one


def _other(number: int, fact: int, mine: _Below, shares: bytearray) -> int:
    bits, kind = 0, fact & KIND_BITS
    if fact & Fact.USAGE and not mine.usage:
        bits |= Counted.USAGE
        mine.usage = True
        for inner in mine.unsized:
            shares[inner] &= ~Counted.ANY_USAGE & 0xFF  # the total covers what the calls below did not tell
        mine.unsized = []
    if fact & Fact.COST and kind not in _TOTAL and not fact & Fact.TOTAL:
        bits |= Counted.COST
    elif fact & Fact.PRICED and not mine.cost:
        bits |= Counted.COST
        mine.cost = True
        for inner in mine.unpriced:
            shares[inner] &= ~Counted.ANY_COST & 0xFF
        mine.unpriced = []
    elif (bits & Counted.USAGE or fact & Fact.TRAINED) and not mine.cost and not mine.unpriced:
        bits |= Counted.COST if fact & Fact.COST else Counted.UNPRICED  # used, and nobody says its price
        mine.unpriced.append(number)
    if kind != _PLAIN:
        mine.calls = []  # a tool or agent in between: what lies above it is another call
    return bits


def _model_call(number: int, fact: int, mine: _Below, shares: bytearray) -> int:
    worth = _worth(fact)
    if mine.calls and max(call & 15 for call in mine.calls) >= worth:
        return 0  # the provider's own spans below tell it at least as well
    for inner in mine.calls:
        shares[inner >> _WORTH] = 0
    mine.calls = []
    return _first_call(number, fact, mine)


def _first_call(number: int, fact: int, mine: _Below) -> int:
    mine.calls.append(number << _WORTH | _worth(fact))
    bits = Counted.CALL
    # A refused call used nothing; of any other call without figures nobody knows.
    answered = fact & OUTCOME_BITS != _FAILED or fact & Fact.USAGE
    if fact & Fact.USAGE:
        bits |= Counted.USAGE
        mine.usage = True
    elif answered:
        bits |= Counted.UNSIZED
        mine.unsized.append(number)
    if fact & Fact.COST:
        bits |= Counted.COST
    elif answered:
        bits |= Counted.UNPRICED
    if fact & Fact.PRICED:
        mine.cost = True
    elif bits & Counted.ANY_COST:
        mine.unpriced.append(number)
    return bits


def _worth(fact: int) -> int:
    """How much a span knows of the call that it and others report."""
    usage = fact & Fact.USAGE
    return (
        (8 if usage and not fact & Fact.ESTIMATED else 0)
        + (4 if usage else 0)
        + (2 if fact & Fact.RESPONSE_ID else 0)
        + (1 if fact & Fact.PRICED else 0)
    )

"""What columns tell of every span in bits: its kind, its outcome, and whether this or that is so."""

from __future__ import annotations

from typing import Final

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OUTCOMES, REMOTE_KNOWN, REMOTE_PARENT

__all__ = ["ENDED", "KIND", "KINDS", "KIND_BITS", "OUTCOME_BITS", "OUTCOME_SHIFT", "Fact", "fact_bits", "facts_of"]

KINDS: Final = semconv.KINDS
KIND: Final = {kind: number for number, kind in enumerate(KINDS)}
_OUTCOME: Final = {outcome: number << 4 for number, outcome in enumerate(OUTCOMES)}


class Fact:
    """Bits beside a span's kind and outcome."""

    PARENT = 1 << 8
    REMOTE = 1 << 9  # its parent is in another process
    ABSENT = 1 << 10  # it says why its parent is not here
    KNOWN = 1 << 11  # it says where its parent was
    CACHED = 1 << 12
    INTERNAL = 1 << 13
    USAGE = 1 << 14
    ESTIMATED = 1 << 15  # its tokens, if it has any
    TRAINED = 1 << 16
    COST = 1 << 17
    PRICED = 1 << 18
    RESPONSE_ID = 1 << 19
    MODEL = 1 << 20
    FIRST_CHUNK = 1 << 21
    MISSING = 1 << 22
    ELSEWHERE = 1 << 23
    SESSION = 1 << 24
    LINE = 1 << 25  # of every span: no facts are 0
    TOTAL = 1 << 26  # its cost may be a total of what lies below
    CHECKED = 1 << 27  # every field of its line has the right type
    EVENTS = 1 << 28
    TELLS = 1 << 29  # an attribute may tell a decision
    STOPPED = 1 << 30  # its own decision is one of a limit, a breaker or a pause


KIND_BITS: Final = 15
OUTCOME_SHIFT: Final = 4
OUTCOME_BITS: Final = 7 << OUTCOME_SHIFT
ENDED: Final = tuple(outcome not in semconv.NOT_ENDED for outcome in OUTCOMES)


def facts_of(kind: str, outcome: str, flags: int) -> int:
    facts = Fact.LINE | KIND[kind] | _OUTCOME[outcome]
    if flags & REMOTE_KNOWN:
        facts |= Fact.KNOWN
    if flags & REMOTE_PARENT == REMOTE_PARENT:
        facts |= Fact.REMOTE | Fact.ABSENT
    elif flags & (REMOTE_KNOWN | 1) == REMOTE_KNOWN:
        facts |= Fact.ABSENT
    return facts


def fact_bits() -> list[tuple[str, int]]:
    return sorted((name, bit) for name, bit in vars(Fact).items() if type(bit) is int)

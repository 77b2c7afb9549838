"""Work that goes on at the provider's and is read later: what it was taken to use as it began, until its end tells."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap

if TYPE_CHECKING:
    from agentops_sdk._limits.account import Account
    from agentops_sdk._limits.limit_ledger import Told

__all__ = ["Estimate", "Taken", "begun", "correct", "ended", "is_begun"]


class Estimate(NamedTuple):
    """What work in the background was taken to use.

    Attributes:
        amount: how much.
        at: seconds since the epoch of when that was counted.
        unpriced: whether it could have cost anything.
        told: what others were told of it.
    """

    amount: float
    at: float
    unpriced: bool
    told: Told | None


Taken = dict["Account", Estimate]

_begun: BoundedMap[str, Taken] = BoundedMap(1_000)
"""By what names the work on all spans that are about it."""


def is_begun(attributes: Mapping[str, Any]) -> bool:
    """Whether the call has begun work whose end will tell what it used."""
    return semconv.USAGE_OF in attributes and semconv.COST_UNKNOWN_REASON in attributes


def begun(attributes: Mapping[str, Any], account: Account, amount: float, told: Told | None, *, unpriced: bool) -> None:
    """It counts as so much until then. Under the lock, like all here."""
    work = attributes[semconv.USAGE_OF]
    _begun[work] = {**_begun.get(work, {}), account: Estimate(amount, time.time(), unpriced, told)}


def ended(attributes: Mapping[str, Any]) -> Taken:
    """What was taken for granted of the work whose end this call tells."""
    tells = semconv.USAGE_OUTPUT_TOKENS in attributes or semconv.COST_AMOUNT in attributes
    return _begun.pop(attributes.get(semconv.USAGE_OF, ""), {}) if tells else {}


def correct(account: Account, figure: float, taken: Estimate) -> bool:
    """It has used ``figure``, which is about to be added in place of what was; whether others are told of that."""
    amount, at, unpriced, told = taken
    account.unknown = max(0, account.unknown - 1)
    account.unpriced = max(0, account.unpriced - unpriced)
    account.add(-amount, at)
    account.roll()
    return told is not None and told[0].correct(told[1], figure)

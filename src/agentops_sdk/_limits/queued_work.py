"""Work that goes on at the provider's and is read later: what it was taken to use as it began, until its end tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap

if TYPE_CHECKING:
    from agentops_sdk._limits.account import Account

__all__ = ["begun", "corrected", "ended", "is_begun"]

Taken = dict["Account", tuple[float, bool]]
"""By account, how much work in the background was taken to use there, and whether it could have cost anything."""

_begun: BoundedMap[str, Taken] = BoundedMap(1_000)
"""By what names the work on all spans that are about it."""


def is_begun(attributes: Mapping[str, Any]) -> bool:
    """Whether the call has begun work whose end will tell what it used."""
    return semconv.USAGE_OF in attributes and semconv.COST_UNKNOWN_REASON in attributes


def begun(attributes: Mapping[str, Any], account: Account, amount: float, *, unpriced: bool) -> None:
    """It counts as so much until then. Under the lock, like all here."""
    if is_begun(attributes):
        work = attributes[semconv.USAGE_OF]
        _begun[work] = {**_begun.get(work, {}), account: (amount, unpriced)}


def ended(attributes: Mapping[str, Any]) -> Taken:
    """What was taken for granted of the work whose end this call tells."""
    tells = semconv.USAGE_OUTPUT_TOKENS in attributes or semconv.COST_AMOUNT in attributes
    return _begun.pop(attributes.get(semconv.USAGE_OF, ""), {}) if tells else {}


def corrected(account: Account, figure: float, taken: Taken) -> float:
    """What is to be added where it has used ``figure`` in all, so that it counts once."""
    if account not in taken:
        return figure
    amount, unpriced = taken[account]
    account.unknown = max(0, account.unknown - 1)
    account.unpriced = max(0, account.unpriced - unpriced)
    return figure - (amount if account.key is None else min(amount, figure))  # others take nothing back

"""What one call takes from one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agentops_sdk._limits.account import Account
    from agentops_sdk._limits.scope import Scope
    from agentops_sdk.limit_rules import Rule

__all__ = ["Charge"]


class Charge(NamedTuple):
    """What one call takes from one account: reserved where it is metered, else used."""

    scope: Scope
    rule: Rule
    account: Account
    amount: float

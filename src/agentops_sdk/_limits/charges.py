"""What one call that may begin is expected to use, and, once it has ended, what it did use: on each account."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard, logger
from agentops_sdk._limits import expectation
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.window_file import Use

if TYPE_CHECKING:
    from agentops_sdk._limits.scope import Policy, Scope
    from agentops_sdk.limit_rules import Rule

__all__ = ["MODEL_KINDS", "Charge", "Charges"]

MODEL_KINDS = frozenset(("llm", "embedding"))
_METERED = ("cost", "tokens")
_CONTAINERS = ("agent", "workflow")


class Charge(NamedTuple):
    """What one call takes from one account: reserved where it is metered, else used."""

    scope: Scope
    rule: Rule
    account: Account
    amount: float


class Charges:
    """All charges of one call.

    Args:
        kind: the call's.
        charges: one for each limit that counts it.
    """

    __slots__ = ("_charges", "_is_over", "_is_settled", "_kind", "_scopes")

    def __init__(self, kind: str, charges: list[Charge]) -> None:
        self._kind = kind
        self._charges = charges
        self._scopes = list(dict.fromkeys(each.scope for each in charges if each.rule.measure in _METERED))
        self._is_over = self._is_settled = False

    def reserve(self) -> None:
        """The call begins. Under the lock."""
        for _, rule, account, amount in self._charges:
            if rule.measure in _METERED:
                account.reserved += amount
                account.open += 1
            else:
                account.add(amount)

    def end(self) -> None:
        """The call is over."""
        if self._scopes:
            with lock.held:
                self._is_over = True
                for scope in self._scopes:
                    scope.unsettled += 1

    def withdraw(self) -> None:
        """It was no call of a model after all, but made such calls, or its answer came from a cache. Under the lock."""
        for _, rule, account, amount in self._charges:
            if rule.measure not in _METERED:
                account.add(-amount)
        self._charges = [each for each in self._charges if each.rule.measure in _METERED]

    def settle(self, attributes: Mapping[str, Any]) -> None:
        """It is known now what the call used, or that nobody knows."""
        with lock.held:
            if self._is_settled:
                return
            self._is_settled = True
            if self._is_over:
                for scope in self._scopes:
                    scope.unsettled -= 1
            if attributes.get(semconv.CACHED) or attributes.get(semconv.MODEL_CALLS):
                self.withdraw()
            metered = [charge for charge in self._charges if charge.rule.measure in _METERED]
            passed = [charge for charge in metered if self._is_passed_by(charge, attributes)]
            shared = {charge.scope.policy for charge in self._charges if charge.account.key is not None}
        if self._kind in MODEL_KINDS:
            expectation.learn(attributes)
        for policy in shared:
            with guard("limits.share"):
                policy.share(self._uses(policy, attributes))
        for charge in passed:
            logger.warning(
                "agentops_sdk: calls that were under way have passed the limit of %s: %.12g are spent",
                charge.rule,
                charge.account.spent,
            )

    def _uses(self, policy: Policy, attributes: Mapping[str, Any]) -> dict[Rule, list[Use]]:
        """What is written down for other processes, and for this one when it starts again."""
        uses: dict[Rule, list[Use]] = {}
        for scope, rule, account, amount in self._charges:
            if account.key is None or scope.policy is not policy:
                continue
            used = amount if rule.measure not in _METERED else self._spent(scope, rule, amount, attributes)
            if used:
                uses.setdefault(rule, []).append(Use(time.time(), account.key, used))
        return uses

    def _is_passed_by(self, charge: Charge, attributes: Mapping[str, Any]) -> bool:
        """Whether ``charge``, settled now, is the one by which its limit is passed. Under the lock."""
        _, rule, account, reserved = charge
        account.reserved = account.reserved - reserved if account.open > 1 else 0.0
        account.open -= 1
        if self._used(rule, attributes) is None:
            account.unknown += 1
        account.add(self._spent(charge.scope, rule, reserved, attributes))
        passed = account.spent > rule.most + account.extra and not account.is_over
        account.is_over = account.is_over or passed
        return passed

    def _spent(self, scope: Scope, rule: Rule, reserved: float, attributes: Mapping[str, Any]) -> float:
        """What the call is taken to have used: what it did, or what was expected of it where nobody knows."""
        used = self._used(rule, attributes)
        if used is not None:
            return used
        return 0.0 if rule.measure == "cost" and scope.policy.unknown_price == "allow" else reserved

    def _used(self, rule: Rule, attributes: Mapping[str, Any]) -> float | None:
        """``None`` where nobody knows."""
        is_model = self._kind in MODEL_KINDS and not attributes.get(semconv.MODEL_CALLS)
        if rule.measure == "tokens":
            if not is_model or attributes.get(semconv.CACHED):
                return 0.0
            tokens = expectation.tokens_of(attributes)
            # A call that failed without telling of any used none.
            return 0.0 if tokens is None and attributes.get(semconv.OUTCOME) == "error" else tokens
        amount = attributes.get(semconv.COST_AMOUNT)
        is_sum = self._kind in _CONTAINERS and attributes.get(semconv.COST_SOURCE) != "user"
        if is_sum or attributes.get(semconv.COST_TOTAL):
            return 0.0  # the calls inside tell their own parts of it
        if amount is not None:
            is_comparable = not amount or attributes.get(semconv.COST_CURRENCY, "USD") == rule.currency
            return float(amount) if is_comparable else None
        if attributes.get(semconv.COST_UNKNOWN_REASON):
            return None
        return None if is_model and attributes.get(semconv.OUTCOME) != "error" else 0.0

"""Limits that are in force together, with the accounts of what has been used under them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._limits.account import Account

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk.errors import LimitExceeded
    from agentops_sdk.limit_rules import Rule

__all__ = ["Policy", "Scope", "of_process", "set_of_process"]

Answer = Callable[["LimitExceeded"], Any]
"""Asked whether a call may be made all the same: true, false, or by how much the limit is raised."""

_MOST_ACCOUNTS = 10_000
_ATTRIBUTES = {"session": semconv.SESSION_ID, "user": semconv.USER_ID, "agent": semconv.AGENT_NAME}


class Policy:
    """The limits of one ``limits()`` or of the settings: rules, and what happens where one is reached.

    Args:
        rules: the limits.
        on_limit: ``raise``, ``warn``, ``mark``, ``ask`` for a person, or what is asked instead of one.
        unknown_price: of calls whose price is not known, under a limit of cost: ``refuse``, ``estimate``, ``allow``.
    """

    def __init__(self, rules: Sequence[Rule], on_limit: str | Answer = "raise", unknown_price: str = "refuse") -> None:
        self.rules = tuple(rules)
        self.on_limit = on_limit
        self.unknown_price = unknown_price
        self.is_metered = any(rule.measure in ("cost", "tokens") for rule in rules)
        self._accounts: OrderedDict[tuple[Rule, str | None], Account] = OrderedDict()

    def account(self, rule: Rule, call: Call) -> Account:
        """The account of what ``call`` is counted with: its run, session, user or agent, or all of the process.

        Calls that name no session, user or agent are counted together.
        """
        if rule.per == "run":
            key: str | None = call.trace_id
        else:
            key = call.span.attributes.get(_ATTRIBUTES.get(rule.per, ""))
        account = self._accounts.get((rule, key))
        if account is None:
            account = self._accounts[rule, key] = Account(rule.window)
            if len(self._accounts) > _MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        return account


class Scope:
    """A policy in force: in one block, or in the whole process.

    Attributes:
        policy: the limits.
        rows: each rule with its account; ``None`` where that depends on the call.
        unsettled: how many calls have ended of which it is being worked out what they used.
    """

    __slots__ = ("policy", "rows", "unsettled")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.rows: tuple[tuple[Rule, Account | None], ...] = tuple(
            (rule, Account(rule.window) if rule.per == "block" else None) for rule in policy.rules
        )
        self.unsettled = 0


of_process: tuple[Scope, ...] = ()
"""What the settings set for everything that the process does."""


def set_of_process(policy: Policy | None) -> None:
    """Put ``policy`` in force for everything that the process does, in place of what was."""
    global of_process
    of_process = () if policy is None or not policy.rules else (Scope(policy),)

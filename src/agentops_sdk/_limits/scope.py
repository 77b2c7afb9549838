"""Limits that are in force together, with the accounts of what has been used under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._limits.account import Account, lock, renew_lock
from agentops_sdk._limits.limit_counts import Counts

if TYPE_CHECKING:
    from agentops_sdk.errors import LimitExceeded
    from agentops_sdk.limit_rules import Rule

__all__ = ["Policy", "Scope", "of_process", "set_of_process", "teach"]

Answer = Callable[["LimitExceeded"], Any]
"""Asked whether a call may be made all the same: true, false, or by how much the limit is raised."""


class Policy:
    """The limits of one ``limits()`` or of the settings: rules, and what happens where one is reached.

    Args:
        rules: the limits.
        on_limit: ``raise``, ``warn``, ``mark``, ``ask`` for a person, or what is asked instead of one.
        on_stream: of a stream that passes a limit while it is read: ``finish``, ``cut`` or ``end``.
        unknown_price: of calls whose price is not known, under a limit of cost: ``refuse``, ``estimate``, ``allow``.
        counts: what has been used, where others count it too.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        on_limit: str | Answer = "raise",
        unknown_price: str = "refuse",
        on_stream: str = "finish",
        counts: Counts | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.on_limit = on_limit
        self.unknown_price = unknown_price
        self.on_stream = on_stream
        self.is_metered = any(rule.measure in ("cost", "tokens") for rule in rules)
        self.looks_for_repeats = any(rule.measure == "repeats" for rule in rules)
        self.counts = Counts(rules) if counts is None else counts

    def is_like(self, other: Policy) -> bool:
        """Whether both limit the same in the same way."""
        return self._facts() == other._facts()

    def _facts(self) -> tuple[Any, ...]:
        return self.rules, self.on_limit, self.unknown_price, self.on_stream


class Scope:
    """A policy in force: in one block, or in the whole process.

    Attributes:
        policy: the limits.
        rows: each rule with its account; ``None`` where that depends on the call.
        unsettled: how many calls have ended of which it is being worked out what they used.
        process: the process that those are of.
        shared: where those are counted of all blocks that count together; ``None`` where each counts for itself.
    """

    __slots__ = ("policy", "process", "rows", "shared", "unsettled")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.rows: tuple[tuple[Rule, Account | None], ...] = tuple(
            (rule, Account(rule.window) if rule.per == "block" else None) for rule in policy.rules
        )
        self.unsettled = 0
        self.shared = policy.counts if policy.counts.is_shared else None
        self.process = lock.held

    def belong_to_child(self) -> None:
        """In a forked child: leave to its parent what is under way there."""
        self.process = lock.held
        self.unsettled = 0
        self.policy.counts.belong_to_child()
        for _, account in self.rows:
            if account is not None:
                account.forget_open()


teach: Callable[[Mapping[str, Any]], None] | None = None
"""Hears of each span that no limit has counted, once there was one of money or tokens; see ``charges.teach``."""
of_process: tuple[Scope, ...] = ()
"""What the settings set for everything that the process does."""


def set_of_process(scope: Scope | None) -> None:
    """Put ``scope`` in force for everything that the process does, in place of what was."""
    global of_process
    of_process = () if scope is None else (scope,)


def after_fork() -> None:
    """In a child: threads that are not here may have held the lock."""
    renew_lock()

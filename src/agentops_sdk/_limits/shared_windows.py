"""Where the limits that several processes hold together are told and read, by a thread of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.store_link import StoreLink
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk._limits.limit_ledger import Ledger
    from agentops_sdk._limits.window_line import Line
    from agentops_sdk.limit_rules import Rule

__all__ = ["SharedWindows", "WindowPlace"]

_FRESH = 0.1  # seconds for which an answer of the store is good enough to refuse a call by
_STALE = 1.5  # and after which a call is not let begin by it: others may have come to the limit meanwhile
_AT_ONCE = 500  # lines that are counted under one hold of the lock

Passed = Callable[["Rule", Mapping[Account, float]], None]
"""Is told of accounts that calls of several processes have brought beyond their limit together."""


class WindowPlace(Protocol):
    """Where the ledgers of some limits are told and read: a folder, or a server."""

    def exchange(self, told: Mapping[Ledger, Sequence[Line]]) -> Iterable[tuple[Ledger, Sequence[Line]]]:
        """Write what is told, then read what was not read before, own lines too. On a thread of ours.

        Raises:
            StoreLostError: it cannot be used; what was told may have arrived, and is told again.
        """
        ...

    def of_child(self, heirs: Mapping[Ledger, Ledger]) -> WindowPlace:
        """The same in a forked child, which has read what this one has."""
        ...


class SharedWindows(StoreLink):
    """The ledgers of the limits that are counted together, and where others read them.

    Args:
        place: where.
        ledgers: by the limit.
        passed: hears of accounts that are beyond their limit now.
        period: seconds between looks at what others have told.

    Attributes:
        is_ready: whether what was used before is known.
    """

    is_asked = True

    def __init__(
        self, place: WindowPlace, ledgers: Mapping[Rule, Ledger], passed: Passed, period: float | None
    ) -> None:
        super().__init__("what other processes use", period)
        self.ledgers = dict(ledgers)
        for ledger in self.ledgers.values():
            ledger.hurry = self.hurry
        self.is_ready = False
        self._place = place
        self._passed = passed
        self._answered = 0.0

    def of_child(self) -> SharedWindows:
        """The same in a forked child. Under the lock."""
        heirs = {ledger: ledger.of_child() for ledger in self.ledgers.values()}
        ledgers = {rule: heirs[ledger] for rule, ledger in self.ledgers.items()}
        return SharedWindows(self._place.of_child(heirs), ledgers, self._passed, self.period)

    @property
    def is_talking(self) -> bool:
        return any(ledger.waiting for ledger in self.ledgers.values()) and not self.is_lost and self.is_alive

    @property
    def is_behind(self) -> bool:
        """Whether the next call has to wait for what was told, or for what others have used."""
        if self.is_lost:
            return False
        if not self.is_ready or time.monotonic() - self._answered > _STALE:
            return True
        for ledger in self.ledgers.values():  # noqa: SIM110 - of all calls, and a generator takes two more steps
            if ledger.untold:
                return True
        return False

    @property
    def is_fresh(self) -> bool:
        """Whether a call may be refused by what is known here."""
        return self.is_lost or (self.is_ready and time.monotonic() - self._answered < _FRESH)

    def talk(self) -> None:
        begun = time.monotonic()
        with lock.held:
            told = {ledger: ledger.lines() for ledger in self.ledgers.values()}
        if any(ledger.is_overfull for ledger in told):
            log_once("limits: the store could not be used for long: not all of what was used will be known elsewhere.")
        for ledger, lines in self._place.exchange(told):
            self._take(ledger, lines)
        with lock.held:
            for ledger, lines in told.items():
                ledger.told(len(lines))
        self._answered, self.is_ready = begun, True

    def _take(self, ledger: Ledger, lines: Sequence[Line]) -> None:
        """Count what others have used; that all have passed a limit together is told once."""
        passed: dict[Account, float] = {}
        rule = ledger.rule
        for first in range(0, len(lines), _AT_ONCE):
            with lock.held:
                for account, is_used in ledger.take(lines[first : first + _AT_ONCE]):
                    if is_used and account.spent > rule.most + account.extra and not account.is_over:
                        account.is_over = True
                        passed[account] = 0.0
                    if account in passed:
                        passed[account] = account.spent
        if passed:
            self._passed(rule, passed)

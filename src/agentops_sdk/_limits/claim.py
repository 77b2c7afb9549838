"""The limits that several processes hold together: what each lets begin is told before it lets the next one begin.

A call is let begin at once where everything that this process has let begin before is in the store, and the store's
answer, read after that, is known. It is told while it is made. Else it waits, as a claim: the claim is told, and
counts from its turn in the order of the store on, so that many that wait together are told together.

So they pass a limit together by one call each at the most, as long as the store answers: once what stands in the store
comes to the limit, each process has at most one call that does not stand there, as it lets no second one begin before
the first one does; with the answer to that one it knows that the limit is reached. Of the claims, those are let begin
that the limit has room for with all that stands before them. A call that ends may have used more than was expected of
it: that is told before the next one begins, too. Most often they pass it by none: the last few calls that there is room
for are claims, and so is the first one after the store has not been asked for a while.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from agentops_sdk._host.own_thread import on_own_thread
from agentops_sdk._limits.account import Account, lock
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk._host.arrival import Arrival
    from agentops_sdk._limits.charge import Charge
    from agentops_sdk._limits.limit_answer import Breach
    from agentops_sdk._limits.limit_ledger import Entry, Ledger
    from agentops_sdk._limits.shared_windows import SharedWindows

__all__ = ["Claim", "claim_for"]
_FIRST = 30.0  # seconds that a first call waits at the most: on a machine that is busy imports take long
_LATER = 5.0  # and a later one
_SLOW = 1.0  # after so many the log says so
_LAST = 10  # calls that a limit has room for: of so few, each waits for its turn


class Claim:
    """A call that waits until what others have used is known. Made under the lock.

    Args:
        links: what it waits for.
        charges: what it would take, of the limits that several processes hold together; none where it only looks.

    Attributes:
        is_look: whether it claims nothing: a limit seems to be reached, and who refuses a call is to know it.
    """

    def __init__(self, links: Iterable[SharedWindows], charges: Sequence[Charge], *, is_look: bool) -> None:
        self.is_look = is_look
        self._entries: dict[Account, tuple[Ledger, Entry]] = {}
        for charge in sorted(charges, key=_most):  # of limits that count the same, the one that is reached first tells
            ledger = ledger_of(charge)
            if ledger is not None and charge.amount:
                entry = ledger.reserve(charge.account, charge.amount, is_claim=True, told=self._entries)
                self._entries[charge.account] = ledger, entry
        self._waits = [(link, link.answer()) for link in links]

    def arrivals(self) -> Iterator[Arrival]:
        """What is to be waited for, a moment each, until the store has answered, or is lost; not for ever.

        Nothing where the answer could not come: a signal handler, or a finalizer, has come in between under the lock,
        or on a thread of ours.
        """
        if lock.is_mine() or on_own_thread():
            return
        for link, _ in self._waits:
            link.hurry()
        begun = time.monotonic()
        for link, answer in self._waits:
            most = _LATER if link.is_ready else _FIRST
            while not answer.has_come():
                yield answer
                if answer.has_come():
                    break
                waited = time.monotonic() - begun
                if waited > _SLOW:
                    log_once("limits: calls wait for what other processes have used, and that takes long to be known.")
                if waited > most or not link.is_alive:
                    log_once("limits: what other processes use was not known in time; a call is made by what is here.")
                    break

    def known(self) -> dict[Account, tuple[float, float]]:
        """What was spent and reserved before it came to its turn. Under the lock."""
        return {account: entry.before for account, (_, entry) in self._entries.items() if entry.before is not None}

    def admit(self, charge: Charge) -> Entry | None:
        """It may begin: the entry of that charge, charged. ``None`` where none was claimed. Under the lock."""
        ledger, entry = self._entries.pop(charge.account, (None, None))
        if ledger is not None and entry is not None:
            ledger.admit(entry)
        return entry

    def release(self) -> None:
        """It takes nothing of what it has claimed."""
        with lock.held:
            while self._entries:
                ledger, entry = self._entries.popitem()[1]
                ledger.release(entry)


def ledger_of(charge: Charge) -> Ledger | None:
    """Where others are told of that charge."""
    windows = charge.scope.policy.counts.windows
    return None if windows is None or charge.account.key is None else windows.ledgers.get(charge.rule)


def _most(charge: Charge) -> float:
    return charge.rule.most + charge.account.extra


def claim_for(charges: Sequence[Charge], breaches: Sequence[Breach]) -> Claim | None:
    """What a call has to wait for that would take ``charges``, and pass ``breaches``. Under the lock."""
    links: dict[SharedWindows, None] = {}
    must_wait = False
    for breach in breaches:
        windows = breach.scope.policy.counts.windows
        if windows is not None and breach.account.key is not None:
            links[windows] = None
            must_wait = must_wait or not windows.is_fresh
    if breaches:
        return Claim(links, (), is_look=True) if must_wait else None
    for scope, rule, account, amount in charges:
        windows = scope.policy.counts.windows
        if windows is not None and account.key is not None:
            links[windows] = None
            is_near = account.spent + account.reserved + _LAST * amount >= rule.most + account.extra
            must_wait = must_wait or windows.is_behind or (is_near and not windows.is_lost)
    return Claim(links, charges, is_look=False) if must_wait else None

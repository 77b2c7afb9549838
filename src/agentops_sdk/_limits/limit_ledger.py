"""What the calls of this process take from one limit, as others are told of it, and what others have told.

A call is told as it is let begin, by what it is expected to use, and again once it has ended, where it used something
else. All that is told stands in one order, which everybody reads: the order of the store.

Read and changed under the lock of the accounts.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from agentops_sdk._limits.account import DRIFT, Account, lock
from agentops_sdk._limits.window_line import Line, counted, does_count
from agentops_sdk.limit_rules import METERED, Rule

__all__ = ["Entry", "Ledger", "Told"]

_MOST_WAITING = 10_000
_MOST_WRITERS = 10_000
_MOST_OPEN = 10_000
_DOUBTFUL = (
    0.9  # of a limit, from which on others may judge otherwise: their clock, or what they have heard, is another
)


def _nobody() -> None:
    """Nobody tells yet."""


class Entry:
    """What one call of this process takes from one account.

    Attributes:
        account: from which.
        by: who tells of it: another ledger of this process, where that counts the same in the same store.
        number: of the line that tells of it.
        at: seconds since the epoch of when it was let begin.
        amount: what it is expected to use.
        used: what it did use; ``None`` while nobody knows.
        counted: what stands in ``account.spent`` for it.
        read: what others count for it, who have read the store as far as this process has.
        is_claim: whether the call waits for its turn in the order of the store.
        is_charged: whether it stands in the account.
        before: what was spent and reserved of the account when its turn came; ``None`` before.
    """

    __slots__ = (
        "account", "amount", "at", "before", "by", "counted", "is_charged", "is_claim", "number", "read", "used",
    )  # fmt: skip

    def __init__(self, account: Account, by: str, number: int, at: float, amount: float, *, is_claim: bool) -> None:
        self.account = account
        self.by = by
        self.number = number
        self.at = at
        self.amount = amount
        self.used: float | None = None
        self.counted = self.read = 0.0
        self.is_claim = is_claim
        self.is_charged = not is_claim
        self.before: tuple[float, float] | None = None


Told = tuple["Ledger", Entry]
_NOTHING: Final[Mapping[Account, Told]] = MappingProxyType({})


class Ledger:
    """The entries of one limit.

    Args:
        rule: the limit.
        account_of: gives the account of what it is counted for.
        store: where it is told.

    Attributes:
        counts: what it counts, and where: limits of other amounts that count the same there hear of the same.
        waiting: what is to be told, and whether it makes what is used more.
        untold: how many of those do.
        is_overfull: whether more was to be told than is kept.
        writer: who tells: this process, by a name that is new.
        hurry: called where something is to be told.
    """

    def __init__(self, rule: Rule, account_of: Callable[[str], Account], store: str = "") -> None:
        self.rule = rule
        self.counts = store, counted(rule)
        self.waiting: deque[tuple[Line, bool]] = deque()
        self.untold = 0
        self.is_overfull = False
        self.writer = os.urandom(8).hex()
        self.hurry: Callable[[], None] = _nobody
        self._account_of = account_of
        self._is_metered = rule.measure in METERED
        self._numbers = self._passed = 0
        self._mine: dict[tuple[str, int], Entry] = {}
        self._heard: OrderedDict[str, int] = OrderedDict()
        self._open: OrderedDict[tuple[str, int], tuple[Account, float, float]] = OrderedDict()
        self._process = lock.held

    # --- what is told ----------------------------------------------------------------------------

    def reserve(
        self, account: Account, amount: float, *, is_claim: bool = False, told: Mapping[Account, Told] = _NOTHING
    ) -> Entry:
        """A call may begin, or asks whether it may; others are not told again of what was ``told`` of it."""
        by, number, at = self.writer, self._numbers + 1, time.time()
        for ledger, entry in told.values():
            if ledger.counts == self.counts and entry.account.key == account.key:
                by, number, at = entry.by, entry.number, entry.at
        entry = self._mine[by, number] = Entry(account, by, number, at, amount, is_claim=is_claim)
        if len(self._mine) > _MOST_OPEN:
            self._mine.pop(next(iter(self._mine)))
        if not (is_claim or self._is_metered):
            entry.counted = amount
        self._say(entry, amount, amount > 0)
        return entry

    def _is_full(self, account: Account, more: float, most: float) -> bool:
        """Whether a limit of ``most`` has no room for such a call: as is asked where one is to begin."""
        taken_up = account.spent + account.reserved
        return taken_up >= most - DRIFT if self._is_metered else taken_up + more > most

    def close(self, entry: Entry, used: float) -> None:
        """The call has ended, or was not made. Nothing where it is one of a parent's before it forked."""
        if entry.used is None:
            self.correct(entry, used)

    def correct(self, entry: Entry, used: float) -> bool:
        """It has used that, whatever was told of it before; whether others learn of it: not of a parent's."""
        if self._process is not lock.held:
            return False
        before = entry.amount if entry.used is None else entry.used
        entry.used = entry.counted = used
        if used != before:
            self._mine[entry.by, entry.number] = entry
            self._say(entry, used, used > before, entry.number)
        if entry.read == used:
            self._forget(entry)
        return True

    def _say(self, entry: Entry, amount: float, is_more: bool, of: int = 0) -> None:
        if self._process is not lock.held:  # of a parent, which tells of its calls itself
            return
        if entry.by != self.writer:
            self.hurry()
            return
        self._numbers += 1
        if len(self.waiting) >= _MOST_WAITING:
            self.is_overfull = True
            self._forget(entry)
            return
        at = time.time() if of else entry.at
        most = self.rule.most if entry.is_claim and not of else 0.0
        line = Line(at, self.writer, self._numbers, entry.account.key or "-", amount, of, most)
        self.waiting.append((line, is_more))
        self.untold += is_more
        self.hurry()

    def _forget(self, entry: Entry) -> None:
        self._mine.pop((entry.by, entry.number), None)

    def lines(self) -> list[Line]:
        """What is to be told. A finalizer of the program's that comes in between may add to it."""
        return [line for line, _ in list(self.waiting)]

    def told(self, count: int) -> None:
        """So many of those that waited are in the store, and all up to them has been read."""
        for _ in range(count):
            line, _ = self.waiting.popleft()
            self._passed = line.number
            entry = self._mine.get((line.by, line.of or line.number))
            if entry is not None:  # or it was displaced from the store before it was read
                self._pass(entry, line)
        self.untold = sum(is_more for _, is_more in list(self.waiting))

    # --- what is heard ---------------------------------------------------------------------------

    def take(self, lines: Sequence[Line]) -> Iterator[tuple[Account, bool]]:
        """Count what stands in the store, in its order: the accounts that changed, and whether that is what was used.

        It is not while a call of others is under way of which only an expectation is known.
        """
        since = time.time() - (self.rule.window or 0.0)
        for line in lines:
            entry = self._mine.get((line.by, line.of or line.number))
            if line.by == self.writer:
                self._passed = max(self._passed, line.number)
            elif entry is not None:
                self._heard[line.by] = max(self._heard.get(line.by, 0), line.number)
            if entry is not None:
                self._pass(entry, line)
            elif line.by != self.writer and self._is_new(line) and does_count(line, since):
                account = self._correct(line) if line.of else self._count(line)
                if account is not None:
                    yield account, bool(line.of) or not self._is_metered or not line.number

    def _is_new(self, line: Line) -> bool:
        """Whether it was not sent before: who has not heard that it had arrived sends it again."""
        if not line.number:
            return True
        if line.number <= self._heard.get(line.by, 0):
            return False
        self._heard[line.by] = line.number
        if len(self._heard) > _MOST_WRITERS:
            self._heard.popitem(last=False)
        return True

    def _count(self, line: Line) -> Account:
        account, amount = self._account_of(line.key), line.amount
        if line.most:
            account.roll()
            if self._is_full(account, amount, line.most):
                amount = 0.0  # it is not let begin, or that is told
        account.add(amount, line.at)
        if line.number:
            self._hold((line.by, line.number), account, amount, line.at)
        return account

    def _correct(self, line: Line) -> Account | None:
        """What was told before is that; ``None`` where nothing was, as what is told now is damaged."""
        held = self._open.get((line.by, line.of))
        if held is None:
            return None
        account, amount, at = held
        account.add(-amount, at)
        account.add(line.amount, line.at)
        self._hold((line.by, line.of), account, line.amount, line.at)
        return account

    def _hold(self, name: tuple[str, int], account: Account, amount: float, at: float) -> None:
        self._open[name] = account, amount, at
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)

    def _pass(self, entry: Entry, line: Line) -> None:
        """A line of ours has been read: one that waits for its turn has it now."""
        entry.read = line.amount if line.of else entry.amount
        if entry.is_claim and entry.before is None:
            entry.account.roll()
            entry.before = entry.account.spent, entry.account.reserved
            if not self._is_full(entry.account, entry.amount, self.rule.most):  # else it is about to be released
                self._charge(entry)
        if entry.read == entry.used:
            self._forget(entry)

    # --- claims ----------------------------------------------------------------------------------

    def _charge(self, entry: Entry) -> None:
        account = entry.account
        entry.is_charged = True
        if self._is_metered:
            account.reserved += entry.amount
            account.open += 1
        else:
            account.add(entry.amount)
            entry.counted = entry.amount

    def admit(self, entry: Entry) -> None:
        """The call that has waited may begin: it is charged, and told where others may take it for one that may not."""
        is_unexpected = not entry.is_charged
        if is_unexpected:
            self._charge(entry)
        if is_unexpected or self._is_full(entry.account, entry.amount, self.rule.most * _DOUBTFUL):
            self._say(entry, entry.amount, is_unexpected, entry.number)
        entry.is_claim = False

    def release(self, entry: Entry) -> None:
        """It may not: it uses nothing."""
        account = entry.account
        if entry.is_claim and entry.is_charged and self._process is lock.held:
            if self._is_metered:
                account.give_back(entry.amount)
            else:
                account.add(-entry.amount)
        entry.is_claim = False
        self.close(entry, 0.0)

    # --- forks -----------------------------------------------------------------------------------

    def of_child(self) -> Ledger:
        """The same in a forked child, which has read what this one has: its parent's calls are others' there."""
        child = Ledger(self.rule, self._account_of)
        child._heard = OrderedDict(self._heard)
        child._open = OrderedDict(self._open)
        child._heard[self.writer] = self._passed
        for entry in self._mine.values():
            if entry.read != entry.counted:
                entry.account.add(entry.read - entry.counted, entry.at)
            if entry.read:
                child._hold((entry.by, entry.number), entry.account, entry.read, entry.at)
        return child

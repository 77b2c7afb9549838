"""What has been used under one limit by whatever it counts together, and what is reserved for calls under way."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from agentops_sdk._limits.repetition import Repetition

__all__ = ["DRIFT", "Account", "lock", "renew_lock"]

DRIFT: Final = 1e-12
"""Of what is reserved by many at once: seven times 0.00075 come to less than 0.00525."""

_DIGITS = 12  # behind the point of an amount; floats that are added up drift
_SLOTS = 100  # of a window: what was used counts for a hundredth of it longer, never shorter


class Lock:
    """Held for a few additions at a time, and never while anybody else's code runs.

    Reentrant: a signal handler or the collector may come in between on the same thread.
    """

    def __init__(self) -> None:
        self.held = threading.RLock()

    def is_mine(self) -> bool:
        """Whether this thread holds it: then nothing can be waited for that others do under it."""
        return bool(self.held._is_owned())  # type: ignore[attr-defined] # noqa: SLF001 - as threading.Condition asks


lock = Lock()


def renew_lock() -> None:
    """In a forked child: a thread that is not here may have held it."""
    lock.held = threading.RLock()


class Account:
    """The figures of one limit. Read and changed under :data:`lock`.

    Attributes:
        spent: what has been used; in a window, what still counts.
        reserved: what is expected of calls whose use is not known yet.
        open: how many calls those are.
        unknown: how many calls there were of which nobody knows what they used.
        unpriced: how many of them may have cost anything: not those that were cut off and whose model has a price.
        started: monotonic seconds of when it was opened.
        extra: by how much the limit has been raised by whoever was asked.
        is_over: more was used than the limit allows, and that has been told.
        is_told: that the limit was reached has been told.
        level: the highest of the levels that was told, in per cent; see ``levels``.
        tell_at: what is used when the next one is reached.
        streamed: what streams that are being read have used so far, as it is estimated.
        repeats: what a limit on repeated calls remembers.
        key: what it is counted for, as it stands in files; ``None`` where no file tells of it.
    """

    __slots__ = (
        "_raises", "_slots", "_unknown_at", "_width", "extra", "is_over", "is_told", "key", "level", "open", "repeats",
        "reserved", "spent", "started", "streamed", "tell_at", "unknown", "unpriced",
    )  # fmt: skip

    def __init__(self, window: float | None, key: str | None = None) -> None:
        self.key = key
        self.spent = 0.0
        self.reserved = 0.0
        self.open = 0
        self.unknown = self.unpriced = 0
        self.started = time.monotonic()
        self.extra = 0.0
        self.is_over = self.is_told = False
        self.level = 0
        self.tell_at = 0.0
        self.streamed = 0.0
        self.repeats = Repetition()
        self._width = None if window is None else window / _SLOTS
        self._slots: deque[list[float]] = deque()
        self._raises: deque[tuple[float, float]] = deque()
        self._unknown_at = 0.0

    def add(self, amount: float, at: float | None = None) -> None:
        """``amount`` has been used, now or at that time (seconds since the epoch)."""
        self.spent = round(self.spent + amount, _DIGITS)
        if self._width is not None:
            slot = (time.time() if at is None else at) // self._width
            place = len(self._slots)
            while place and self._slots[place - 1][0] > slot:  # others tell late of what they have used
                place -= 1
            if place and self._slots[place - 1][0] == slot:
                self._slots[place - 1][1] += amount
            else:
                self._slots.insert(place, [slot, amount])

    def allow(self, more: float) -> None:
        """The limit is raised by so much; in a window, until what is used now no longer counts."""
        self.extra += more
        if self._width is not None:
            self._raises.append((time.time() // self._width, more))

    def miss(self, *, unpriced: bool) -> None:
        """A call has ended of which nobody knows what it used; ``unpriced``: it may have cost anything."""
        self.unknown += 1
        self.unpriced += unpriced
        if self._width is not None:
            self._unknown_at = time.time() // self._width

    def give_back(self, amount: float) -> None:
        """A call that is no longer under way reserved so much."""
        self.reserved = self.reserved - amount if self.open > 1 else 0.0
        self.open = max(0, self.open - 1)  # in a forked child, none of its parent's are

    def forget_open(self) -> None:
        """What is under way is somebody else's: this is a forked child."""
        self.reserved, self.open = 0.0, 0

    def roll(self) -> None:
        """Forget what no longer counts."""
        if self._width is None or not (self._slots or self._raises or self.unknown):
            return
        last = time.time() // self._width
        first = last - _SLOTS
        while self._raises and self._raises[0][0] < first:
            self.extra = max(0.0, round(self.extra - self._raises.popleft()[1], _DIGITS))
        self._unknown_at = min(self._unknown_at, last)
        if self._unknown_at < first:
            self.unknown = self.unpriced = 0
        if not self._slots:
            return
        # Where the clock has been set back, what was used was used by now, and does not count for longer.
        for slot in reversed(self._slots):
            if slot[0] <= last:
                break
            slot[0] = last
        while self._slots and self._slots[0][0] < first:
            self.spent = round(self.spent - self._slots.popleft()[1], _DIGITS)
            self.is_over = self.is_told = False
        if not self._slots:
            self.spent = 0.0

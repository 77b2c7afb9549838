"""A thread of ours that talks to what processes share, a folder or a server: when there is something to tell.

A store that answers with an error, or not in time, is lost: it is tried again, and the log says so once.
"""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

from agentops_sdk._host.arrival import Arrival
from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._limits.account import lock
from agentops_sdk.config import log_once

__all__ = ["StoreLink", "StoreLostError", "rest", "settle"]

_PATIENCE = 1.0  # seconds for which a store that is away is tried at once before it is lost
_LOOK = 0.1  # seconds after which who waits for an answer looks whether there is anybody to give one
_AGAIN = 5.0  # seconds until the store is tried again
_IDLE = 60.0  # seconds without anything to tell, after which the thread of a store that nobody need look at ends
_links: weakref.WeakSet[StoreLink] = weakref.WeakSet()


class StoreLostError(Exception):
    """The store cannot be used; says why.

    Args:
        why: for the log.
        is_away: whether it may be just being started again.
    """

    def __init__(self, why: str, *, is_away: bool = False) -> None:
        super().__init__(why)
        self.is_away = is_away


class StoreLink:
    """What is shared by a store: those who inherit say in :meth:`talk` what is sent and fetched.

    Args:
        lost: what is not known while it cannot be used, for the log.
        period: seconds between looks at what others have told; ``None``: only when there is something to tell.

    Attributes:
        waiting: what is to be sent.
        is_lost: whether the store could not be used when it was last tried.
        is_resting: whether the thread is to end until there is something to tell again.
        is_asked: whether who wants to know what others have told asks first, so that none need look where nobody does.
    """

    is_asked = False

    def __init__(self, lost: str, period: float | None) -> None:
        self.period = period
        self._lost = lost
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()  # a signal handler may come in between
        self.waiting: deque[Any] = deque()
        self.waiters: list[Arrival] = []
        self.is_lost = False
        self.is_resting = False
        self._thread: OwnThread | None = None
        self._hurried = 0.0
        self._starting = threading.RLock()  # a finalizer may come in between
        self._turn = threading.Lock()
        """Held by the thread of ours that talks: what is sent twice would count twice."""
        _links.add(self)

    def talk(self) -> None:
        """Send what waits and fetch what is new. On a thread of ours.

        Raises:
            StoreLostError: the store cannot be used.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Begin; once it has begun, nothing."""
        self.is_resting = False
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                calls = self._calls
                self._thread = OwnThread("limits", _run, (weakref.ref(self, lambda _: calls.put(None)), calls))
                self._thread.start()

    def hurry(self) -> None:
        """There is something to tell, or to be told."""
        if self._calls.empty():
            self._calls.put(None)
        if self._thread is None or self.is_resting:
            self.start()

    def answer(self) -> Arrival:
        """Here once the store has answered to what is to be told by now, or is lost. Under the lock."""
        waiter = Arrival(_LOOK)
        self.waiters.append(waiter)
        return waiter

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs; in a forked child, its parent's does not."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_talking(self) -> bool:
        """Whether something is to be sent, and is about to be."""
        return bool(self.waiting) and not self.is_lost and self.is_alive

    def exchange(self) -> bool:
        """Talk to the store; whether it could be used."""
        until = time.monotonic() + (0.0 if self.is_lost else _PATIENCE)
        while True:
            try:
                with self._turn:
                    self.talk()
            except StoreLostError as error:
                if error.is_away and time.monotonic() < until:
                    time.sleep(0.05)
                    continue
                self.is_lost = True
                log_once(f"limits: {error}: {self._lost} is not known until it can be.")
                return False
            self.is_lost = False
            return True

    def rest(self) -> None:
        """Nothing is recorded any more."""
        self.is_resting = True
        self._calls.put(None)

    def ends(self, *, hurried: bool) -> bool:
        """Whether the thread is not needed for now, and ends; ``hurried``: somebody has something to tell."""
        now = time.monotonic()
        if hurried:
            self._hurried = now
        is_looking = self.period is not None and not (self.is_asked and now - self._hurried > _IDLE)
        if not self.is_resting and (hurried or is_looking):
            return False
        self._thread = None
        if not self.is_resting and not self._calls.empty():  # somebody came meanwhile, and may have seen the thread
            self.start()
        return True


def _run(reference: weakref.ref[StoreLink], calls: queue.SimpleQueue[None]) -> None:
    """As long as somebody has the link."""
    while True:
        link = reference()
        if link is None:
            return
        period = link.period
        del link
        hurried = True
        try:
            calls.get(timeout=_IDLE if period is None else period)
        except queue.Empty:
            hurried = False
        reached, link = False, reference()
        if link is None:
            return
        waiters: Sequence[Arrival] = ()
        with guard("limits.store"):
            if link.ends(hurried=hurried):
                return
            with lock.held:
                waiters, link.waiters = link.waiters, []  # those that come later wait for the next time
            reached = link.exchange()
        if not reached:
            with lock.held:  # who has come meanwhile waits for nothing either
                link.is_lost = True
                waiters, link.waiters = [*waiters, *link.waiters], []
        for waiter in waiters:
            with guard("limits.store"):
                waiter.come()
        del link
        if not reached:
            time.sleep(_AGAIN)


def settle(timeout: float) -> None:
    """Wait until what was used has been told, as far as a store can be used: the process may be about to end."""
    deadline = time.monotonic() + timeout
    for link in list(_links):
        while link.is_talking and time.monotonic() < deadline:
            link.hurry()
            time.sleep(0.005)


def rest() -> None:
    """Nothing is recorded any more: nothing is told, and nobody looked at, until it is again."""
    for link in list(_links):
        link.rest()

"""Runs functions of others on a thread of its own and waits a while: one that hangs holds up that thread alone."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from agentops_sdk._host.guard import raised_by
from agentops_sdk._host.own_thread import OwnThread

__all__ = ["BoundedCall", "Failure"]

_MOST_STUCK: Final = 3


class Failure(Exception):  # noqa: N818 - a reason that is counted, and not the error itself
    """Why there is no result: ``timeout``, ``stuck``, or the name of what the function raised.

    Attributes:
        function: which one raised, and where; ``None`` where none of the program's did.
    """

    def __init__(self, reason: str, function: str | None = None) -> None:
        super().__init__(reason)
        self.function = function


class BoundedCall:
    """One thread at a time, started with the first call.

    Args:
        seconds: how long the caller waits. A thread that takes longer is left to itself; while three of them are
            stuck, nothing is called any more.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], list[Any], threading.Event]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stuck: list[threading.Thread] = []
        self._process = os.getpid()

    def run(self, work: Callable[[], Any]) -> Any:
        """What ``work`` returns.

        Raises:
            Failure: it raised, or took too long, or others are stuck.
        """
        result: list[Any] = []
        done = threading.Event()
        if self._process != os.getpid():  # the parent's threads are not ours, and its lock may be held for ever
            self._process, self._lock, self._thread, self._stuck = os.getpid(), threading.Lock(), None, []
        with self._lock:
            self._stuck = [thread for thread in self._stuck if thread.is_alive()]
            if len(self._stuck) >= _MOST_STUCK:
                raise Failure("stuck")
            if self._thread is None or not self._thread.is_alive():  # the first, or in a child process
                self._jobs = queue.SimpleQueue()
                jobs = self._jobs
                self._thread = OwnThread("pii", lambda: _work(jobs))
                self._thread.start()
            self._jobs.put((work, result, done))
            if not done.wait(self.seconds):
                self._stuck.append(self._thread)
                self._jobs.put((_end, [], threading.Event()))  # should it come back, it finds that it is over
                self._thread = None
                raise Failure("timeout")
        value, error = result
        if error is not None:
            raise Failure(type(error).__name__, raised_by(error))
        return value


def _end() -> None:
    raise _EndError


class _EndError(Exception):
    """The thread has nothing more to do."""


def _work(jobs: queue.SimpleQueue[tuple[Callable[[], Any], list[Any], threading.Event]]) -> None:
    while True:
        work, result, done = jobs.get()
        if work is _end:
            return
        try:
            result += [work(), None]
        except BaseException as error:  # noqa: BLE001 - the user's function; told to who waits, who counts it
            result += [None, error]
        done.set()

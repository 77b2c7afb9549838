"""Room 4: a bounded queue and its one consumer thread; the user's side ends in ``deque.append``.

Long because both sides of the queue are here: what one leaves to the other is seen in one place.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from agentops_sdk._host.guard import guard, logger
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.config import log_once

_PERIOD = 0.1  # seconds; with it a span that ended is on disk within 100 ms
_TOGETHER = 0.07  # of them: so long spans wait that end while others do; the rest is for the thread to get its turn
_SLICE, _LEAST_SLICE, _MOST_SLICE = 64, 16, 256  # spans worked on in one go: at first, and as few or many as it takes
_SLICE_SECONDS = 0.002  # of CPU that they may take: so long another thread may wait for the interpreter lock
_LONG = 2_048  # waiting spans, or half of what may wait, that wake the consumer before its time
_TRACES = 10_000  # of which it is remembered that they lack spans
_QUIET = 1.0  # seconds without work after which the consumer sleeps until it is woken


class _Signal:
    """A ``threading.Event`` for one waiting thread whose ``set()``, on the user's thread, is one call in C."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            pass  # set already

    def wait(self, timeout: float | None) -> bool:
        """Wait for the signal and take it back; ``False`` if the time ran out first."""
        return self._lock.acquire(timeout=-1 if timeout is None else timeout)

    def clear(self) -> None:
        self._lock.acquire(blocking=False)


class SpanQueue:
    """Takes ended spans from any thread and gives them, in slices, to ``consume`` on a thread of its own.

    Never blocks the user: a full queue drops the newest span and counts it. The thread starts with
    the first span and again after a fork. While nothing comes and nothing is open it sleeps without
    waking up; else it calls ``look`` as often as that says.

    Args:
        limit: spans that may wait.
        consume: takes a slice of them.
        look: attends to what is open; returns the seconds until it is to be called again, infinity where that
            is of no interest to anybody, ``None`` where nothing is open.
        expects: whether further spans are about to end.
    """

    def __init__(
        self,
        limit: int,
        consume: Callable[[list[Any]], None],
        look: Callable[[], float | None] = lambda: None,
        expects: Callable[[], bool] = lambda: True,
    ) -> None:
        self.resize(limit)
        self.dropped = 0
        self.consumed = 0
        self._consume = consume
        self._look = look
        self._expects = expects
        self._spans: deque[Any] = deque()
        self._again: deque[Any] = deque()
        self.dropped_traces: deque[int] = deque(maxlen=_TRACES)
        """Trace ids of dropped spans, until somebody takes them."""
        self._new_primitives()

    def _new_primitives(self) -> None:
        self._lock = threading.Lock()  # guards starting the thread and the drop count; both are rare
        self._wake = _Signal()
        self._idle = False
        self.asleep = True
        """Nobody looks at what opens until :meth:`wake` is called."""
        self._worked_at = 0.0
        self._look_at = 0.0
        self._look_again: float | None = None
        self._busy, self._slice = 0, _SLICE
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None
        self._turn = threading.Condition()  # guards the next two: who may work on a slice
        self._worker: int | None = None
        self._forks = 0
        self._waiters: deque[tuple[int, threading.Event]] = deque()

    def resize(self, limit: int) -> None:
        """So many spans may wait from now on."""
        self.limit = limit
        self._long = max(1, min(_LONG, limit // 2))

    def put(self, span: Any) -> None:
        """Hand over an ended span. Called on the user's thread."""
        spans = self._spans
        waiting = len(spans)
        if waiting >= self.limit or self._closed:
            with self._lock:
                self.dropped += 1
                if (ids := getattr(span, "ids", None)) is not None:
                    self.dropped_traces.append(ids[0])
            if (account := getattr(span, "account", None)) is not None:
                with guard("queue.account"):
                    account(span.attributes)  # what it used stays unknown, and is not forgotten
            if self._closed:  # its account has been given already; it must not vanish unseen
                logger.warning("agentops_sdk: a span ended after its recording had been shut down and is lost")
            return
        spans.append(span)
        if self._thread is None:
            self._start()
        elif self._idle or waiting + 1 == self._long:
            self._idle = False  # it is awake by this; what ends meanwhile need not tell it again
            self._wake.set()

    def wake(self) -> None:
        """Have the thread look at what is open. Called on the user's thread by a span that starts while it sleeps."""
        self.asleep, self._look_at = False, 0.0
        if self._thread is None:
            self._start()
        else:
            self._wake.set()

    def put_again(self, spans: Collection[Any]) -> None:
        """Have spans consumed once more, before those that wait. Called by ``consume``, which gave them back."""
        self._again.extend(spans)
        self.consumed -= len(spans)

    @property
    def thread(self) -> threading.Thread | None:
        """The consumer thread, once it has started."""
        return self._thread

    @property
    def pending(self) -> int:
        """Spans that ended and have not reached every sink's adapter yet."""
        return len(self._spans) + len(self._again) + self._busy

    def flush(self, timeout: float) -> bool:
        """Wait until what is queued now has been consumed; ``False`` if the time ran out first."""
        if threading.current_thread() is self._thread:
            return False  # an exporter that flushes from within export() would wait for itself
        if self._thread is None or not self._thread.is_alive():
            self._drain()
            return True
        done = threading.Event()
        self._waiters.append((self.consumed + self.pending, done))
        self._wake.set()
        return done.wait(timeout)

    def stop(self, timeout: float) -> bool:
        """Consume what is queued and end the thread; ``False`` if the time ran out first."""
        thread = self._thread
        self._closed = True
        if thread is None or thread is threading.current_thread() or not thread.is_alive():
            self._drain()
            return True
        self._stopping = True
        self._wake.set()
        thread.join(timeout)
        if thread.is_alive():
            return False
        self._drain()  # what came in while the thread was ending
        return True

    def hold(self, timeout: float) -> bool:
        """Keep the consumer from working until :meth:`release`: a fork must not cut it in the middle of a slice.

        Waits for the slice that is being worked on, however many spans wait behind it.
        """
        if self._worker == threading.get_ident():
            return False  # an exporter that forks
        with self._turn:
            self._forks += 1
            held = self._turn.wait_for(lambda: self._worker is None, timeout)
            if not held:
                self._forks -= 1
        return held

    def release(self) -> None:
        with self._turn:
            self._forks -= 1
            self._turn.notify_all()

    def after_fork(self) -> None:
        """In a child: the parent's spans are the parent's to deliver; locks and thread are made anew."""
        self._spans.clear()
        self._again.clear()
        self.dropped_traces.clear()
        self.dropped = self.consumed = 0
        self._new_primitives()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping:
                return
            thread = OwnThread("consumer", self._run)
            with guard("queue.start"):
                try:
                    thread.start()
                except RuntimeError as error:  # flush() and stop() drain instead
                    if "shutdown" not in str(error):  # that it starts none while it ends is in order
                        log_once(f"no thread can be started ({error}): spans are written only by flush() and at exit.")
                    return
                self._thread = thread

    def _run(self) -> None:
        wake = self._wake
        self.asleep = quiet = False
        while not self._stopping:
            consumed = self.consumed
            with guard("queue.run"):  # whatever happens, the thread lives on
                self._drain()
            if self.consumed != consumed:
                # More is likely to end soon. It is taken together, and what ends need not wake this thread for it.
                with guard("queue.batch"):
                    wake.wait(self._batch_period())
                continue
            # Idle is announced before the queue is looked at again: what comes in between, here or put() sees it.
            self._idle = True
            pause: float | None = _PERIOD
            with guard("queue.pause"):
                pause = self._pause(quiet)
            quiet = True
            with guard("queue.wait"):
                quiet = not wake.wait(pause)
            self._idle = False
            if not quiet and not self._stopping and not self._waiters:
                with guard("queue.batch_delay"):
                    wake.wait(self._batch_delay())  # a flush, an end and a long queue cut it short
            with guard("queue.wait"):
                wake.clear()
        with guard("queue.run"):
            self._drain()

    def _batch_delay(self) -> float:
        """Seconds that the first span after a pause waits for others, never beyond the period.

        Where nothing is open any more none need follow: this may be the last thing that the process does.
        """
        return _PERIOD / 2 if self._expects() else max(0.0, self._worked_at + _PERIOD / 10 - time.monotonic())

    def _batch_period(self) -> float:
        """Seconds between two batches of spans that follow each other, unless there is something to look at before."""
        if self._look_again is None or self._look_again == math.inf:
            return _TOGETHER
        return min(_TOGETHER, max(0.0, self._look_at - time.monotonic()))

    def _pause(self, quiet: bool) -> float | None:
        """Seconds to sleep: until there is something to do, or to look at; ``None``: until somebody wakes us."""
        if self._spans or self._waiters:
            return _PERIOD / 2
        if self._look_again is None:
            if not quiet:
                return _QUIET
            # The same order as in _run: a span that starts in between is seen here, or sees us asleep and wakes us.
            self.asleep = True
            self._drain()
            return self._pause_to_look() if self._look_again is not None else None
        return self._pause_to_look()

    def _pause_to_look(self) -> float | None:
        self.asleep = False
        return None if self._look_again == math.inf else max(0.0, self._look_at - time.monotonic())

    def _look_when_due(self) -> None:
        now = time.monotonic()
        if now < self._look_at:
            return
        with guard("queue.look"):
            self._look_at = now + _QUIET  # also where it fails
            self._look_again = self._look()
            self._look_at = now + (self._look_again or 0.0)

    def _notify(self) -> None:
        for waiter in list(self._waiters):
            target, done = waiter
            if self.consumed >= target or not (self._spans or self._again):
                self._waiters.remove(waiter)
                done.set()

    def _drain(self) -> None:
        me = threading.get_ident()
        more = self._worker != me  # else a signal handler flushes in the middle of a slice
        while more:
            with self._turn:  # asked for anew with each slice: a fork that waits comes first
                self._turn.wait_for(lambda: self._worker is None and not self._forks)
                self._worker = me
            try:
                more = bool(self._spans or self._again)
                self._work()
            finally:
                with self._turn:
                    self._worker = None
                    self._turn.notify_all()

    def _work(self) -> None:
        # Counted before they leave the deque: flush() may count a span twice, never miss one.
        waiting = self._again or self._spans
        self._busy = min(self._slice, len(waiting))
        batch = [waiting.popleft() for _ in range(self._busy)]
        began = time.thread_time()
        try:
            with guard("queue.consume"):
                if batch:
                    self._consume(batch)
        finally:
            self.consumed += len(batch)
            self._busy, self._worked_at = 0, time.monotonic()
            # Each slice costs something beside its spans, a third of it where they are short: the next takes its time.
            seconds = time.thread_time() - began
            if seconds > _SLICE_SECONDS:
                self._slice = max(_LEAST_SLICE, self._slice // 2)
            elif len(batch) == self._slice and seconds < _SLICE_SECONDS / 2:
                self._slice = min(_MOST_SLICE, self._slice * 2)
            self._notify()
            self._look_when_due()

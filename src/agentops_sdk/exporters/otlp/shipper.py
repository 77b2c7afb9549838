"""The shipper: a thread that sends the spool oldest first and deletes what was acknowledged.

What each answer means::

    2xx                        accepted; spans the backend says it rejected are counted
    413                        too large: sent in halves, and smaller from then on
    2xx that is not OTLP's     a login page or the like: a wrong setting
    429 5xx 408, no connection retried: Retry-After, or exponential back-off with jitter
    401 403 404 3xx 405 …      a setting is wrong: kept and retried slowly, nothing is thrown away
    400 422 …                  refused: the spans at fault are found by halving and set aside, to be tried again
                               later; a backend that takes nothing is asked ever more seldom
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.addresses import without_secrets
from agentops_sdk.exporters.otlp.answer import Reply
from agentops_sdk.exporters.otlp.batch_delivery import Delivery, NotNowError, Tally
from agentops_sdk.exporters.otlp.http_client import Sender

if TYPE_CHECKING:
    from agentops_sdk.exporters.otlp.destination import Endpoint
    from agentops_sdk.exporters.otlp.spool import Batch, Spool

__all__ = ["Shipper"]

_log = logging.getLogger("agentops_sdk")
_ADOPT_EVERY = 2.0
_ITEMS = {"traces": "spans", "metrics": "metrics", "logs": "events"}
_FIRST_WAIT, _LONGEST_WAIT, _SLOW_WAIT = 0.5, 60.0, 15.0


class Shipper:
    """Owns the connection and the schedule. Its thread starts with the first span, anew in every process."""

    def __init__(self, endpoint: Endpoint, spool: Spool, *, linger: float = 1.0) -> None:
        self.endpoint, self.spool, self.linger = endpoint, spool, linger
        self.requests = 0
        self.retries = 0
        self.failures = 0
        """Failed attempts in a row; 0 means the backend is fine."""
        self.last_error: str | None = None
        self.last_error_time: float | None = None
        self.last_success_time: float | None = None
        self.request_seconds = 0.0
        self._delivery = Delivery(self._post, endpoint.signal)
        self._sender: Sender | None = None
        self._changed = threading.Condition()
        self._waiting_since: float | None = None
        self._not_before = 0.0
        self._pause_ends = 0.0
        self._urgent = False
        self._stopped = False
        self._begun = 0
        self._failed_at = 0
        self._mark = 0
        self._thread: threading.Thread | None = None
        self._warned: set[str] = set()

    # --- for other threads -----------------------------------------------------------------
    def wake(self) -> None:
        """There is something to send. Takes microseconds."""
        with self._changed:
            if self._waiting_since is None:
                self._waiting_since = time.monotonic()
                self._changed.notify_all()
            elif self.spool.waiting_bytes >= self._delivery.batch_bytes:
                self._changed.notify_all()
            self._start()

    def begin(self) -> None:
        """Look after the spool though nothing is to be sent: this process has children, which may die."""
        if not self.begun:
            with self._changed:
                self._start()

    @property
    def begun(self) -> bool:
        """Whether the thread has been started."""
        return self._thread is not None

    def _start(self) -> None:
        if self._thread is None and not self._stopped:
            self._thread = OwnThread("otlp", self._run)
            self._thread.start()

    def drain(self, timeout: float) -> bool:
        """Send now; ``True`` once all that waited is settled, ``False`` after a failure or ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        target = self.spool.settled + self.spool.pending
        if self.spool.pending == 0:
            return True
        self.wake()
        with self._changed:
            self._urgent, self._mark = True, self._begun
            self._changed.notify_all()
            while self.spool.settled < target:
                left = deadline - time.monotonic()
                paused = self._pause_ends > time.monotonic() + max(left, 0)
                if left <= 0 or self._stopped or paused or self._failed_at > self._mark:
                    self._urgent = False
                    return False
                self._changed.wait(left)
            self._urgent = False
            return True

    def stop(self, timeout: float) -> None:
        """Let the thread go; a request that hangs is left behind after ``timeout`` seconds."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(max(0.0, timeout))

    # --- the thread ------------------------------------------------------------------------
    def _run(self) -> None:
        sender = self._sender = Sender(self.endpoint)
        adopt_at = 0.0
        try:
            while True:
                if time.monotonic() >= adopt_at:
                    adopt_at = time.monotonic() + _ADOPT_EVERY
                    self.adopt()
                if not self._await_work(adopt_at):
                    return
                if time.monotonic() < adopt_at:
                    self._once()
        finally:
            sender.close()

    def adopt(self) -> None:
        """Take over what dead processes left."""
        try:
            if self.spool.adopt():
                with self._changed:
                    self._waiting_since = self._waiting_since or time.monotonic()
        except OSError as error:
            self.spool.disk_error = str(error)

    def _await_work(self, until: float) -> bool:
        """Sleep until a batch is due; ``False`` when stopped, early return when it is time to adopt."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                due = until
                if self._waiting_since is not None:
                    ripe = self.spool.waiting_bytes >= self._delivery.batch_bytes
                    due = max(0.0 if ripe else self._waiting_since + self.linger, self._not_before)
                    if self._urgent and self._failed_at <= self._mark:
                        due = self._pause_ends
                if now >= min(due, until):
                    return True
                self._changed.wait(min(due, until) - now)
            return False

    def _once(self) -> None:
        batch = self.spool.peek(self._delivery.batch_bytes, self._delivery.unfinished, self.endpoint.most_items)
        if batch is None:
            with self._changed:
                self._waiting_since = None
                self._changed.notify_all()
            return
        with self._changed:
            self._begun += 1
        trouble: Reply | None = Reply("retry", "internal error: see guard errors in agentops.status()")
        with guard("otlp.ship"):  # whatever happens, this thread lives and the batch is kept
            try:
                alone = self.spool.pending <= batch.spans
                self._settle(batch, self._delivery.deliver(batch, self.failures, alone=alone))
                trouble = None
            except NotNowError as later:
                trouble = later.reply
        if trouble is not None:
            self.spool.keep(batch)
            self._failed(trouble)
        with self._changed:
            if trouble is not None:
                self._failed_at = self._begun
            self._changed.notify_all()

    def _settle(self, batch: Batch, tally: Tally) -> None:
        taken = tally.taken
        for piece, reason in tally.refused:
            tally.dropped["refused"] += piece.spans
            self.spool.set_aside(batch, piece, reason, proven=taken)
            self._note(f"refused: {reason}", "they are set aside")
        for remark in tally.remarks:
            self._note(remark, "the others were taken")
        if taken:  # before the spans count as exported: who waits for them is shown no trouble that is over
            self.last_success_time = time.time()
            if self.failures:
                _log.info("OTLP export to %s works again", self.endpoint.shown)
                self._warned.clear()
            self.failures = 0
            self._not_before = 0.0
        elif self.failures:  # given up for now, and whether the next one fares better is not known
            self._back_off(self.failures)
        self.spool.settle(batch, exported=tally.exported, dropped=tally.dropped)
        if taken:
            self.spool.take_back()

    def _failed(self, reply: Reply) -> None:
        self.failures += 1
        self.retries += 1
        wait = self._back_off(self.failures)
        if reply.verdict == "misconfigured":
            self._not_before = time.monotonic() + max(wait, _SLOW_WAIT)
        if reply.retry_after is not None:
            # What the backend asks for binds even a flush; our own back-off does not.
            self._pause_ends = time.monotonic() + reply.retry_after
            self._not_before = time.monotonic() + max(reply.retry_after, _FIRST_WAIT)
        self._note(reply.reason, f"{_ITEMS[self.endpoint.signal]} are kept")

    def _back_off(self, failures: int) -> float:
        wait: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failures, 12)) * random.uniform(0.5, 1.0)
        self._not_before = time.monotonic() + wait
        return wait

    def _note(self, reason: str, fate: str) -> None:
        reason = without_secrets(reason)  # a backend may quote the address that it was called by
        self.last_error, self.last_error_time = reason, time.time()
        kind = reason.partition(":")[0]
        if kind not in self._warned:
            self._warned.add(kind)
            _log.warning("OTLP export to %s: %s (%s; see agentops.status())", self.endpoint.shown, reason, fate)

    def _post(self, body: bytes) -> Reply:
        assert self._sender is not None
        self.requests += 1
        started = time.monotonic()
        reply = self._sender.post(body)
        self.request_seconds += time.monotonic() - started
        return reply

    def stats(self) -> dict[str, Any]:
        """What :func:`agentops_sdk.status` shows of the connection."""
        return {
            "endpoint": self.endpoint.shown,
            "requests": self.requests,
            "request_seconds": self.request_seconds,
            "retries": self.retries,
            "failing": self.failures,
            "last_error": self.last_error,
            "last_error_time": self.last_error_time,
            "last_success_time": self.last_success_time,
        }

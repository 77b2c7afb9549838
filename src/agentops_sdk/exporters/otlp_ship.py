"""The shipper: a thread that sends the spool oldest first and deletes what was acknowledged.

What each answer means::

    2xx                        accepted; spans the backend says it rejected are counted
    413                        too large: sent in halves, and smaller from then on
    429 5xx 408, no connection retried: Retry-After, or exponential back-off with jitter
    401 403 404 3xx 405 …      a setting is wrong: kept and retried slowly, nothing is thrown away
    400 422 …                  refused: the spans at fault are found by halving and set aside
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentops_sdk._capture.guard import guard
from agentops_sdk.addresses import without_secrets
from agentops_sdk.exporters.otlp_http import Reply, Sender, halves
from agentops_sdk.exporters.otlp_segment import Piece

if TYPE_CHECKING:
    from agentops_sdk.exporters.otlp_endpoint import Endpoint
    from agentops_sdk.exporters.otlp_spool import Batch, Spool

__all__ = ["Shipper"]

_log = logging.getLogger("agentops_sdk")
_BATCH_BYTES = 900_000
"""Uncompressed; backends with a limit of 1 MB a request exist."""
_LINGER = 1.0
_ADOPT_EVERY = 60.0
_FIRST_WAIT, _LONGEST_WAIT, _SLOW_WAIT = 0.5, 60.0, 15.0
_HALVINGS = 40
_REFUSED_TRIES = 4


class _NotNowError(Exception):
    """The batch cannot be delivered now."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


@dataclass
class _Tally:
    exported: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[Piece, str]] = field(default_factory=list)


class Shipper:
    """Owns the connection and the schedule. Its thread starts with the first span, anew in every process."""

    def __init__(self, endpoint: Endpoint, spool: Spool, *, linger: float = _LINGER) -> None:
        self.endpoint, self.spool, self.linger = endpoint, spool, linger
        self.requests = 0
        self.retries = 0
        self.failures = 0
        """Failed attempts in a row; 0 means the backend is fine."""
        self.last_error: str | None = None
        self.last_error_time: float | None = None
        self.last_success_time: float | None = None
        self.request_seconds = 0.0
        self._accepted_once = False
        self._batch_bytes = _BATCH_BYTES
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
            elif self.spool.pending_bytes >= self._batch_bytes:
                self._changed.notify_all()
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="agentops-otlp", daemon=True)
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
        sender = Sender(self.endpoint)
        adopt_at = 0.0
        try:
            while True:
                if time.monotonic() >= adopt_at:
                    adopt_at = time.monotonic() + _ADOPT_EVERY
                    self._adopt()
                if not self._await_work(adopt_at):
                    return
                if time.monotonic() < adopt_at:
                    self._once(sender)
        finally:
            sender.close()

    def _adopt(self) -> None:
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
                    ripe = self.spool.pending_bytes >= self._batch_bytes
                    due = max(0.0 if ripe else self._waiting_since + self.linger, self._not_before)
                    if self._urgent and self._failed_at <= self._mark:
                        due = self._pause_ends
                if now >= min(due, until):
                    return True
                self._changed.wait(min(due, until) - now)
            return False

    def _once(self, sender: Sender) -> None:
        batch = self.spool.peek(self._batch_bytes)
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
                self._settle(batch, self._deliver(sender, batch))
                trouble = None
            except _NotNowError as later:
                trouble = later.reply
        if trouble is not None:
            self.spool.keep(batch)
            self._failed(trouble)
        with self._changed:
            if trouble is not None:
                self._failed_at = self._begun
            self._changed.notify_all()

    def _settle(self, batch: Batch, tally: _Tally) -> None:
        for piece, reason in tally.refused:
            tally.dropped["refused"] += piece.spans
            self.spool.set_aside(piece, reason)
            self._note(f"refused: {reason}")
        self.spool.settle(batch, exported=tally.exported, dropped=tally.dropped)
        if self.failures and tally.exported:
            _log.info("OTLP export to %s works again", self.endpoint.shown)
            self._warned.clear()
        self.failures = 0
        self._not_before = 0.0

    def _failed(self, reply: Reply) -> None:
        self.failures += 1
        self.retries += 1
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self.failures, 12)) * random.uniform(0.5, 1.0)
        if reply.verdict == "misconfigured":
            wait = max(wait, _SLOW_WAIT)
        self._not_before = time.monotonic() + wait
        if reply.retry_after is not None:
            # What the backend asks for binds even a flush; our own back-off does not.
            self._not_before = self._pause_ends = time.monotonic() + reply.retry_after
        self._note(reply.reason)

    def _note(self, reason: str) -> None:
        reason = without_secrets(reason)  # a backend may quote the address that it was called by
        self.last_error, self.last_error_time = reason, time.time()
        kind = reason.partition(":")[0]
        if kind not in self._warned:
            self._warned.add(kind)
            _log.warning("OTLP export to %s: %s (spans are kept; see agentops.status())", self.endpoint.shown, reason)

    # --- one batch -------------------------------------------------------------------------
    def _deliver(self, sender: Sender, batch: Batch) -> _Tally:
        tally = _Tally()
        self._send(sender, batch.pieces, tally, [_HALVINGS])
        return tally

    def _send(self, sender: Sender, pieces: list[Piece], tally: _Tally, budget: list[int]) -> None:
        reply = self._post(sender, b"".join(piece.payload for piece in pieces))
        spans = sum(piece.spans for piece in pieces)
        if reply.verdict == "accepted":
            self._accepted_once = True
            self.last_success_time = time.time()
            rejected = min(reply.rejected, spans)
            tally.exported += spans - rejected
            if rejected:
                tally.dropped["rejected_by_backend"] += rejected
            if reply.reason:
                self._note(f"partial success: {reply.reason}")
            return
        if reply.verdict == "refused":
            if not self._accepted_once and self.failures < _REFUSED_TRIES:
                # Is it this batch, or would it refuse anything? An empty request is valid OTLP.
                if self._post(sender, b"").verdict != "accepted":
                    raise _NotNowError(reply)
                self._accepted_once = True
            budget[0] -= 1
        elif reply.verdict != "too_large":
            if reply.status == 500 and self.failures >= 8 and self._post(sender, b"").verdict == "accepted":
                tally.refused.append((_joined(pieces), reply.reason))
                return
            raise _NotNowError(reply)
        first, second = halves(pieces)
        if not second or budget[0] <= 0:
            tally.refused.append((_joined(pieces), reply.reason))
            return
        if reply.verdict == "too_large":
            self._batch_bytes = max(16_384, min(self._batch_bytes, sum(len(piece.payload) for piece in first)))
        self._send(sender, first, tally, budget)
        self._send(sender, second, tally, budget)

    def _post(self, sender: Sender, body: bytes) -> Reply:
        self.requests += 1
        started = time.monotonic()
        reply = sender.post(body)
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


def _joined(pieces: list[Piece]) -> Piece:
    """One request of many: serialized requests concatenate to a valid one."""
    return Piece(b"".join(piece.payload for piece in pieces), sum(piece.spans for piece in pieces))

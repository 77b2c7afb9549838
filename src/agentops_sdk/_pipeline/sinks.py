"""One exporter behind an adapter that isolates it and keeps its account: accepted = exported + pending + lost."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from agentops_sdk._capture.guard import guard, logger

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

_QUEUE_LIMIT = 20_000  # spans that may wait for one slow exporter
_BATCH = 512


class Sink:
    """An exporter called on the consumer thread: for quick, local work (``exporter.inline`` is true)."""

    def __init__(self, name: str, exporter: SpanExporter) -> None:
        self.name = name
        self.exporter = exporter
        self.accepted = 0
        self.exported = 0
        self.dropped: Counter[str] = Counter()
        self.last_error: str | None = None
        self.last_error_at: float | None = None
        self.last_success_at: float | None = None

    @property
    def pending(self) -> int:
        return self.accepted - self.exported - self.dropped.total()

    def put(self, spans: Sequence[ReadableSpan]) -> None:
        """Take a batch; never raises, never waits for a slow exporter."""
        self.accepted += len(spans)
        self._export(spans)

    def flush(self, timeout: float) -> bool:
        done = False
        with guard(f"sink.{self.name}.flush"):
            done = self.exporter.force_flush(max(1, int(timeout * 1000))) is not False
        return done  # noqa: RET504 - the guard may have left the assignment out

    def shutdown(self, timeout: float) -> bool:
        with guard(f"sink.{self.name}.shutdown"):
            self.exporter.shutdown()
        return True

    def after_fork(self) -> None:
        """In a child: counts start anew, and the exporter is told if it wants to know."""
        self.accepted = self.exported = 0
        self.dropped = Counter()
        hook = getattr(self.exporter, "after_fork", None)
        if hook is not None:
            with guard(f"sink.{self.name}.after_fork"):
                hook()

    def stats(self) -> dict[str, Any]:
        """What the exporter itself tells (spooled bytes, retries …), if it does."""
        told: dict[str, Any] = {}
        ask = getattr(self.exporter, "stats", None)
        if ask is not None:
            with guard(f"sink.{self.name}.stats"):
                told = dict(ask())
        return told

    def _export(self, spans: Sequence[ReadableSpan]) -> None:
        # Somebody else's exporter: whatever it raises is its failure, counted against it.
        error: BaseException | None = None
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            result = self.exporter.export(spans)
        except Exception as raised:  # noqa: BLE001 - the boundary to third-party exporters; counted below
            error, result = raised, None
        finally:
            detach(token)
        if error is None and getattr(result, "name", "SUCCESS") == "SUCCESS":
            self.exported += len(spans)
            self.last_success_at = time.time()
            return
        reason = type(error).__name__ if error is not None else "export failed"
        self.dropped[reason] += len(spans)
        if self.last_error is None:
            logger.warning("agentops_sdk: sink %s failed (%s); see agentops.status()", self.name, reason)
        self.last_error, self.last_error_at = reason, time.time()


class ThreadedSink(Sink):
    """An exporter with a thread and a bounded queue of its own, so that it may be slow or hang."""

    def __init__(self, name: str, exporter: SpanExporter) -> None:
        super().__init__(name, exporter)
        self._new_primitives()

    def _new_primitives(self) -> None:
        self._waiting: deque[ReadableSpan] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._working = False

    def put(self, spans: Sequence[ReadableSpan]) -> None:
        with self._changed:
            self.accepted += len(spans)
            room = max(0, _QUEUE_LIMIT - len(self._waiting))
            self._waiting.extend(spans[:room])
            if len(spans) > room:
                self.dropped["sink queue full"] += len(spans) - room
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"agentops-sink-{self.name}", daemon=True)
                with guard("sink.start"):
                    self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting and not self._working, timeout):
                return False
        # The exporter's own flush may hang: it is given a thread and what is left of the time.
        return self._within(deadline, super().flush, max(0.0, deadline - time.monotonic()))

    def shutdown(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            emptied = self._changed.wait_for(lambda: not self._waiting and not self._working, timeout)
            if not emptied:
                self.dropped["not exported before shutdown"] += self.pending
                self._waiting.clear()
        return self._within(deadline, super().shutdown, 0.0) and emptied

    def after_fork(self) -> None:
        self._new_primitives()
        super().after_fork()

    def _within(self, deadline: float, work: Any, argument: float) -> bool:
        results: list[bool] = []
        thread = threading.Thread(target=lambda: results.append(work(argument)), daemon=True)
        with guard("sink.within"):
            thread.start()
            thread.join(max(0.0, deadline - time.monotonic()))
        return bool(results and results[0])

    def _run(self) -> None:
        while True:
            with self._changed:
                self._working = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                self._working = True
            self._export(batch)


def adapt(name: str, exporter: SpanExporter) -> Sink:
    """The adapter that fits: inline for exporters that say so, a thread of its own for all others."""
    return Sink(name, exporter) if getattr(exporter, "inline", False) else ThreadedSink(name, exporter)

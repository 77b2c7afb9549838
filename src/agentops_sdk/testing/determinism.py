"""Times and ids that are the same in every run: a frozen clock and ids that count up."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from agentops_sdk._recorder import recorder
from agentops_sdk.errors import ConfigError

_START = datetime(2026, 1, 1, tzinfo=UTC)


class FrozenClock:
    """A clock that stands still, except that each reading advances it by ``step`` seconds, to keep spans in order."""

    def __init__(self, start: datetime = _START, step: float = 0.001) -> None:
        if start.tzinfo is None:
            raise ConfigError("start", str(start), "a datetime with a time zone")
        self._lock = threading.Lock()
        self._now = (int(start.timestamp()) * 1_000_000 + start.microsecond) * 1000
        self._step = round(step * 1e9)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += round(seconds * 1e9)

    def time_ns(self) -> int:
        """Look at it: nanoseconds since the epoch."""
        with self._lock:
            self._now += self._step
            return self._now


@contextmanager
def frozen_clock(start: datetime = _START, step: float = 0.001) -> Iterator[FrozenClock]:
    """Inside the block, spans get their times from a clock that only :meth:`FrozenClock.advance` moves on.

    Args:
        start: its first moment.
        step: seconds that each look at it takes; 0 makes every span start and end at the same moment.
    """
    clock = FrozenClock(start, step)
    before = recorder.now_ns, recorder.ticks_ns
    recorder.now_ns = recorder.ticks_ns = clock.time_ns
    try:
        yield clock
    finally:
        recorder.now_ns, recorder.ticks_ns = before


@contextmanager
def incremental_ids(first: int = 1) -> Iterator[None]:
    """Inside the block, trace ids and span ids count up from ``first``, each on its own."""
    counters = {128: itertools.count(first), 64: itertools.count(first)}
    before = recorder.random_bits
    recorder.random_bits = lambda bits: next(counters[bits])
    try:
        yield
    finally:
        recorder.random_bits = before

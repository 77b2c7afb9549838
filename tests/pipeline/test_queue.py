"""The queue between the program and the sinks, and who may hold it up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentops_sdk._pipeline.queue import SpanQueue


def test_a_fork_waits_for_one_slice_however_many_wait_behind_it() -> None:
    """Counted in slices, so that the speed of a machine decides nothing."""
    slices: list[int] = []

    def consume(batch: list[int]) -> None:
        slices.append(len(batch))
        time.sleep(0.001)

    queue = SpanQueue(1_000_000, consume)
    stop = threading.Event()

    def record() -> None:
        while not stop.is_set():
            if queue.pending < 20_000:
                queue.put(0)

    recorder = threading.Thread(target=record)
    recorder.start()
    try:
        for _ in range(20):
            deadline = time.monotonic() + 30
            while queue.pending < 5_000 and time.monotonic() < deadline:
                time.sleep(0.001)
            before = len(slices)
            assert queue.hold(30)
            held = len(slices)
            # One slice may end, and one begin between our two looks at the count.
            assert held - before <= 2
            time.sleep(0.005)
            assert len(slices) == held
            queue.release()
    finally:
        stop.set()
        recorder.join()
    assert queue.stop(30)
    assert queue.pending == 0
    assert sum(slices) == queue.consumed


def test_many_threads_may_fork_at_once_and_the_consumer_goes_on() -> None:
    consumed = threading.Event()
    queue = SpanQueue(1_000, lambda _: consumed.set())
    queue.put(0)
    assert queue.flush(30)
    holders = [
        threading.Thread(target=lambda: [(queue.hold(30), queue.release()) for _ in range(50)]) for _ in range(4)
    ]
    for holder in holders:
        holder.start()
    for holder in holders:
        holder.join()
    consumed.clear()
    queue.put(0)
    assert consumed.wait(30)
    assert queue.stop(30)


def test_a_hold_that_ran_out_of_time_holds_nothing() -> None:
    release, working = threading.Event(), threading.Event()

    def consume(_: list[int]) -> None:
        working.set()
        release.wait(30)

    queue = SpanQueue(1_000, consume)
    queue.put(0)
    assert working.wait(30)
    assert not queue.hold(0.01)
    release.set()
    queue.put(0)
    assert queue.flush(30)
    assert queue.stop(30)


def test_processes_fork_while_a_thread_records_without_pause(tmp_path: Path) -> None:
    """Each fork took five seconds: the consumer kept its lock until its queue was empty, which it never was."""
    program = """
import glob, os, threading, time
import agentops_sdk as agentops
agentops.init(integrations=[], queue_size=10_000_000)
stop = False
def record():
    while not stop:
        with agentops.span("x"):
            pass
recorder = threading.Thread(target=record)
recorder.start()
deadline = time.monotonic() + 30
while not glob.glob(".agentops/traces/*.jsonl") and time.monotonic() < deadline:
    time.sleep(0.01)
children = []
for number in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0)
    children.append(child)
stop = True
print(sorted({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}), flush=True)
os._exit(0)
"""
    quiet = "ignore:This process:DeprecationWarning"  # Python 3.12 and later, of every fork beside a thread
    done = subprocess.run(
        [sys.executable, "-W", quiet, "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0]\n", "")
    assert list((tmp_path / ".agentops" / "traces").glob("*.jsonl"))


def test_a_flush_does_not_wait_for_what_may_still_end() -> None:
    """The first span after a pause waits for others; whoever flushes then, or ends, has the work done at once."""
    consumed: list[int] = []
    queue = SpanQueue(1_000, consumed.extend)
    delayed = threading.Event()

    def batch_delay() -> float:
        delayed.set()
        return 3_600.0

    queue._batch_delay = batch_delay  # type: ignore[method-assign]  # of this one only
    for end in (queue.flush, queue.stop):
        queue.put(0)
        queue.put(1)
        queue.flush(30)  # the thread runs, and finds nothing to do
        delayed.clear()
        deadline = time.monotonic() + 30
        while not delayed.is_set() and time.monotonic() < deadline:
            if queue._idle:  # a span that ends while others do waits with them
                queue.put(2)
            time.sleep(0.001)
        assert delayed.is_set()
        assert end(30)
    assert queue.consumed == len(consumed) > 4
    assert queue.pending == 0


def begin_a_period(queue: SpanQueue) -> None:
    """Have one span consumed, and the thread wait for others until something calls it."""
    waits = threading.Event()

    def batch_period() -> float:
        waits.set()
        return 3_600.0

    queue._batch_period = batch_period  # type: ignore[method-assign]  # of this one only
    queue.put(0)
    assert waits.wait(30)


@pytest.mark.parametrize("end", [SpanQueue.flush, SpanQueue.stop])
def test_spans_that_follow_each_other_are_taken_together(end: Callable[[SpanQueue, float], bool]) -> None:
    """What is put in between wakes nobody; whoever flushes, or ends, has the work done at once."""
    batches: list[list[int]] = []
    queue = SpanQueue(100, batches.append)
    begin_a_period(queue)
    for _ in range(3):
        queue.put(1)
    assert not queue._wake._lock.acquire(blocking=False)  # nobody has called
    assert batches == [[0]]
    assert end(queue, 30)
    assert batches == [[0], [1, 1, 1]]
    assert queue.stop(30)


def test_a_long_queue_is_worked_on_in_the_middle_of_a_period() -> None:
    consumed = threading.Event()
    queue = SpanQueue(100, lambda batch: consumed.set() if 1 in batch else None)
    begin_a_period(queue)
    for _ in range(50):
        queue.put(1)
    assert consumed.wait(30)
    assert queue.stop(30)


def test_half_a_queue_is_worked_on_before_its_time() -> None:
    consumed = threading.Event()
    queue = SpanQueue(100, lambda batch: consumed.set() if 1 in batch else None)
    delayed = threading.Event()

    def batch_delay() -> float:
        delayed.set()
        return 3_600.0

    queue._batch_delay = batch_delay  # type: ignore[method-assign]  # of this one only
    queue.put(0)
    assert queue.flush(30)
    deadline = time.monotonic() + 30
    while not delayed.is_set() and time.monotonic() < deadline:
        if queue._idle and not queue.pending:
            queue.put(0)
        time.sleep(0.001)
    assert delayed.is_set()
    for _ in range(100):
        queue.put(1)
    assert consumed.wait(30)
    assert queue.stop(30)


def test_slices_are_as_long_as_they_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that says what each span takes: another thread never waits long, and few slices have much to do."""
    cpu, each = 0.0, 0.000_001
    sizes: list[int] = []

    def consume(batch: list[int]) -> None:
        nonlocal cpu
        cpu += each * len(batch)
        sizes.append(len(batch))

    monkeypatch.setattr(time, "thread_time", lambda: cpu)
    queue = SpanQueue(100_000, consume)
    queue._start = lambda: None  # type: ignore[method-assign]  # flush() works on them here
    for spans, each in ((5_000, 0.000_001), (2_000, 0.000_1), (500, 1.0), (5_000, 0.000_001)):
        sizes.clear()
        for _ in range(spans):
            queue.put(0)
        assert queue.flush(0)
        sizes.pop()  # what is left at the end, and the look that finds nothing
        usual = sizes[len(sizes) // 2]
        assert (each, usual) in ((0.000_001, 256), (0.000_1, 16), (1.0, 16))

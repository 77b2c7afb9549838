"""Flushes and closes the sinks side by side within a deadline, and adds up their accounts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._pipeline.flush_result import FlushResult
from agentops_sdk._pipeline.sinks import Sink


def flush(sinks: Sequence[Sink], deadline: float) -> None:
    """Ask every sink to deliver what it has, until ``deadline`` (monotonic seconds)."""
    _side_by_side([sink.flush for sink in sinks], deadline)


def close(sinks: Sequence[Sink], deadline: float) -> None:
    """Shut every sink down; what one still holds at ``deadline`` is given up, counted."""
    _side_by_side([sink.shutdown for sink in sinks], deadline)
    for sink in sinks:
        sink.give_up()


def account(sinks: Sequence[Sink], queued: int, dropped: int) -> FlushResult:
    """What became of all spans that ended.

    Args:
        sinks: each with its own account.
        queued: spans that have reached no sink yet.
        dropped: spans that will reach none.
    """
    by_sink: dict[str, dict[str, int]] = {}
    for number, sink in enumerate(sinks):
        own = sink.account()
        by_sink[sink.name if sink.name not in by_sink else f"{sink.name}#{number}"] = {
            "exported": own["exported"],
            "remaining": own["pending"] + queued,
            "lost": sum(own["dropped"].values()) + dropped,
        }
    rows = by_sink.values()
    return FlushResult(
        exported=min((row["exported"] for row in rows), default=0),
        remaining=max((row["remaining"] for row in rows), default=queued),
        lost=max((row["lost"] for row in rows), default=dropped),
        by_sink=by_sink,
    )


def _side_by_side(works: Sequence[Callable[[float], bool]], deadline: float) -> None:
    """A thread each: a hanging sink must not eat the others' time."""

    def left() -> float:
        return max(0.0, deadline - time.monotonic())

    threads = [OwnThread("flush", lambda work=work: work(left())) for work in works]
    for thread, work in zip(threads, works, strict=True):
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending and starts no threads: do it here
            work(left())
    for thread in threads:
        if thread.ident is not None:
            thread.join(left())

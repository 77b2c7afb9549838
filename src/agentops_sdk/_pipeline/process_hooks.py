"""What happens to us when the process forks or ends: hooks that are set once and look at what runs then."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._pipeline.child_exit import ChildExit

if TYPE_CHECKING:
    from agentops_sdk._pipeline.queue import SpanQueue
    from agentops_sdk._pipeline.signals import Signals
    from agentops_sdk._pipeline.sinks import Sink
    from agentops_sdk._recorder.host_provider import JoinedRecorder
    from agentops_sdk._recorder.recorder import Recorder
    from agentops_sdk._recorder.span_completion import Completer

_FORK_WAIT = 5.0  # seconds, for one slice of spans or an import; the end of a process waits for these, too
_SDK = "opentelemetry.sdk.trace", "opentelemetry.sdk.resources"
"""What an exporter that takes the SDK's own spans needs, and one of metrics or events."""

_child_exit: ChildExit | None = None
"""Made when the hooks are set."""
_held: dict[int, SpanQueue] = {}
"""Queues that wait for a fork to be over, by the thread that forks."""
_loading: list[threading.Thread] = []


class Running(Protocol):
    """What runs, as far as a fork and the end of the process concern it."""

    completer: Completer
    recorder: Recorder | JoinedRecorder
    queue: SpanQueue
    sinks: list[Sink]
    signals: Signals

    def watch_children(self) -> None:
        """After a fork, in the parent."""
        ...


def hook(
    current: Callable[[], Running | None],
    *,
    flush: Callable[[], object],
    end: Callable[[], object],
    settle: Callable[[], bool],
    in_child: Callable[[], None],
) -> None:
    """Set the hooks, once per process and its children."""
    global _child_exit
    if _child_exit is not None:
        return
    child_exit = _child_exit = ChildExit(flush, end, settle)

    def leave() -> None:
        with guard("process.exit"):
            if child_exit.finalizers_are_to_come():
                flush()
                child_exit.after_finalizers(end)
            else:
                end()
        with guard("process.exit"):  # a thread that is ended in the middle of a compiled module aborts the process
            _await_loading()

    def child() -> None:
        _held.clear()
        _loading.clear()
        with guard("process.fork"):
            in_child()
        with guard("process.fork"):
            child_exit.after_fork(runs=current() is not None)

    atexit.register(leave)
    child_exit.watch()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lambda: _before(current()), after_in_parent=lambda: _parent(current()), after_in_child=child
        )


def watch_imports(*, runs: bool) -> None:
    """Wait for what starts processes where something runs, and no longer: ``shutdown()`` leaves no import hook."""
    if _child_exit is not None:
        with guard("process.imports"):
            if runs:
                _child_exit.watch()
            else:
                _child_exit.rest()


def prepare(running: Running) -> None:
    """Load what a span needs on its way to the disk, now.

    A thread that imports while the program computes gets the interpreter a few milliseconds at a time,
    and loads for a second what takes it 100 ms: the first spans would wait for it.
    """
    with guard("process.prepare"):
        own = all(sink.lean for sink in running.sinks) and not running.signals.sinks
        if not own or running.completer.limits_spans:
            _import(_SDK)
        _import(_names(running, "imports"))


def prepare_beside(running: Running) -> None:
    """Load what the way of a span to a backend needs, beside the program: now that there is one."""
    missing = [name for name in _names(running, "background_imports") if name not in sys.modules]
    if missing:
        load(lambda: _import(missing))


def load(work: Callable[[], None]) -> None:
    """Do what imports or reads tables beside the program; a fork waits for it.

    Not ``httpx2``, which is imported on the program's thread: model clients look for it in ``sys.modules``
    and use it as it stands there, half imported where another thread has just begun (openai 2.54).
    """

    def run() -> None:
        with guard("process.load"):
            work()

    with guard("process.load"):
        thread = OwnThread("load", run)
        thread.start()
        _loading[:] = [*(other for other in _loading if other.is_alive()), thread]


def _names(running: Running, attribute: str) -> list[str]:
    return [name for sink in (*running.sinks, *running.signals.sinks) for name in getattr(sink.exporter, attribute, ())]


def _import(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _before(running: Running | None) -> None:
    """Let no thread of ours be in the middle of an import or of its work: the child would have half of it."""
    if running is None:
        return
    with guard("process.before_fork"):
        running.recorder.pass_on()
        if running.queue.hold(_FORK_WAIT):  # first: what it works on may have something loaded
            _held[threading.get_ident()] = running.queue
        _await_loading()


def _await_loading() -> None:
    for thread in _loading:
        if thread is not threading.current_thread():
            thread.join(_FORK_WAIT)


def _parent(running: Running | None) -> None:
    queue = _held.pop(threading.get_ident(), None)
    if queue is not None:
        queue.release()
    if running is not None:
        with guard("process.parent"):
            running.watch_children()

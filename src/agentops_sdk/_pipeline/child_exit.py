"""The end of a child of ``multiprocessing``: it leaves by ``os._exit``, so no ``atexit`` handler runs in it.

What does run are its finalizers, after its last line however that ended. Ours is the last of them.
A worker of ``multiprocessing.Pool`` has no such end: ``with Pool()`` kills it as soon as the last result is in.
So what a task recorded is on disk before its result is told; a few milliseconds, and only where it recorded.
Celery's workers tell their parent that they leave, which kills them: there it is done before they do.
A server that has stopped in good order may raise the signal that had told it to, once more and without a handler, as
uvicorn does: Python ends at once by it, and the last requests have just ended. They are delivered before.
A child of ``os.fork()`` often leaves by ``os._exit`` as soon as its work is done, as RQ's does after each job: what
has ended is on disk before.
Nothing is imported for it: the hook waits until the program imports ``multiprocessing``, or the package of
the same build that pickles more. ``ProcessPoolExecutor``, joblib and Celery's billiard share the finalizers of
the former.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from agentops_sdk._host import import_hooks
from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._host.patches import Patches

__all__ = ["ChildExit"]

_PROCESSES = {
    "multiprocessing": ("multiprocessing.process", "billiard.process"),
    "multiprocess": ("multiprocess.process",),
}
"""Each package, and the modules that know whether this process is one of its children."""

_SPAWNED = "--multiprocessing-fork"
"""What the command of a spawned child ends with, in each package."""

_FATAL = frozenset((getattr(signal, name, None),) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"))
"""Arguments of a call that ends this process, where nobody handles the signal."""

_LAST = -(10**6)
"""The priority of our finalizer: the program's may still record something."""


class ChildExit:
    """Has a function called at the end of every child that this process, or one below it, starts.

    Args:
        flush: delivers what has ended.
        end: delivers what has ended and stops recording.
        settle: brings what has ended to the disk, waiting for no backend; whether it could.
    """

    def __init__(self, flush: Callable[[], object], end: Callable[[], object], settle: Callable[[], bool]) -> None:
        self._flush, self._end, self._settle = flush, end, settle
        self._utils: dict[str, Any] = {}
        self._waits: list[import_hooks.Entry] = []
        self._is_forked = False
        self._exits: Patches | None = None
        """Of functions by which a process ends itself, at once."""

    def watch(self) -> None:
        """Begin, or go on; also when this process is such a child itself, and has reached ``init()`` only now."""
        self.rest()
        self._exits = Patches("child_exit")
        self._exits.wrap_function(signal, "raise_signal", self._flush_first)
        if self._is_forked:
            self._exits.wrap_function(os, "_exit", self._settle_first)
        for package in _PROCESSES.keys() - self._utils.keys():

            def imported(util: Any, package: str = package) -> None:
                with guard("child_exit.watch"):
                    self._utils[package] = util
                    # Kept by a weak reference there; a child empties its finalizers and then calls these.
                    util.register_after_fork(self, lambda own: own.arm(util, package))
                    if _is_child(package):
                        self.arm(util, package)
                    elif _is_spawned(package):
                        self._arm_later(util, package)

            self._waits.append(import_hooks.when_imported(f"{package}.util", imported))

    def rest(self) -> None:
        """Nothing runs that a child could leave behind: imports need not be watched until something does."""
        waits, self._waits = self._waits, []
        for entry in waits:
            import_hooks.forget(entry)
        if self._exits is not None:
            self._exits.undo()
            self._exits = None

    def after_fork(self, *, runs: bool) -> None:
        """In a child of ``os.fork()``: a finalizer of the process above would not run in this one."""
        self._is_forked = True
        if runs:
            self.watch()
        for package, util in self._utils.items():
            if _is_child(package):
                self.arm(util, package)

    def arm(self, util: Any, package: str) -> None:
        """Have this process, a child, end with us."""
        util.Finalize(None, self._leave, (package,), exitpriority=_LAST)
        with guard("child_exit.pool"):
            self._join_pool(package)
        with guard("child_exit.billiard"):
            self._join_billiard()

    def finalizers_are_to_come(self) -> bool:
        """Whether the process's own exit handlers will still run finalizers of the program, which may record.

        ``multiprocessing`` registers its handler when it is imported: mostly before ours, so it runs after ours.
        A spawned child has no other end since Python 3.13.
        """
        return any(not util.is_exiting() for util in self._utils.values())

    def after_finalizers(self, end: Callable[[], object]) -> None:
        """Have ``end`` called when the last of them has run."""

        def leave() -> None:
            with guard("child_exit.leave"):
                if not self.finalizers_are_to_come():
                    end()

        for util in self._utils.values():
            if not util.is_exiting():
                util.Finalize(None, leave, exitpriority=_LAST - 1)

    def _arm_later(self, util: Any, package: str) -> None:
        """This child imports the program anew, and is about to become itself: where others call what we registered."""
        own: Any = sys.modules[f"{package}.context"].SpawnProcess
        theirs = own._after_fork  # noqa: SLF001 - the one method that is called then

        def after_fork() -> None:
            theirs()
            with guard("child_exit.spawned"):
                self.arm(util, package)

        own._after_fork = staticmethod(after_fork)  # noqa: SLF001 - the same; in this child only

    def _settle_first(self, exits: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
        with guard("child_exit.settle"):
            self._settle()
        return exits(*args, **kwargs)

    def _flush_first(self, raises: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
        with guard("child_exit.flush"):
            if args[:1] in _FATAL and signal.getsignal(args[0]) is signal.SIG_DFL:
                self._flush()
        return raises(*args, **kwargs)

    def _join_pool(self, package: str) -> None:
        """Stand between a worker of a pool and the queue that takes its results."""
        process, pool = sys.modules[f"{package}.process"].current_process(), sys.modules.get(f"{package}.pool")
        target: Any = getattr(process, "_target", None)
        target = getattr(target, "function", target)  # ours, where the pool was made inside of an operation
        if pool is not None and target is pool.worker:
            results = process._args[1]  # noqa: SLF001 - there is no other way to them
            if not isinstance(results._wlock, _SettleFirst):  # noqa: SLF001 - the same
                results._wlock = _SettleFirst(results._wlock, self._settle)  # noqa: SLF001 - the same

    def _join_billiard(self) -> None:
        """A worker of Celery's leaves without its finalizers, and is killed as soon as it has said so."""
        pool, process = sys.modules.get("billiard.pool"), sys.modules.get("billiard.process")
        worker: Any = getattr(process.current_process(), "_target", None) if process is not None else None
        if pool is None or not isinstance(worker, pool.Worker) or getattr(worker.on_exit, "_of_agentops", False):
            return
        theirs = worker.on_exit

        def on_exit(*args: Any) -> Any:
            result = theirs(*args) if theirs is not None else None
            with guard("child_exit.leave"):
                self._end()
            return result

        on_exit._of_agentops = True  # type: ignore[attr-defined]  # noqa: SLF001 - so that it is put there once
        worker.on_exit = on_exit

    def _leave(self, package: str) -> None:
        with guard("child_exit.leave"):
            threads = _other_threads()
            runs_atexit = sys.modules[package].get_start_method(allow_none=True) == "spawn"
            if not threads and not runs_atexit:
                self._end()
                return
            self._flush()
            if threads and not runs_atexit:
                # The process waits for these threads and for ours, which delivers what they still record.
                OwnThread("exit", self._end_after_threads, daemon=False).start()

    def _end_after_threads(self) -> None:
        with guard("child_exit.threads"):
            while threads := _other_threads():
                threads[0].join()
            self._end()


class _SettleFirst:
    """In place of the lock (on Windows none) that a worker takes to tell a result."""

    def __init__(self, lock: Any, settle: Callable[[], bool]) -> None:
        self._lock, self._settle, self._settles = lock, settle, True

    def __enter__(self) -> None:
        if self._settles:
            with guard("child_exit.settle"):
                self._settles = self._settle()  # a disk that hangs is waited for once
        if self._lock is not None:
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()


def _is_child(package: str) -> bool:
    for name in _PROCESSES[package]:
        module = sys.modules.get(name)
        # No public name: parent_process() is not set in billiard.
        if module is not None and getattr(module.current_process(), "_parent_pid", None) is not None:
            return True
    return False


def _is_spawned(package: str) -> bool:
    """Whether this process is one of the package's to be, and has read the program, or, under ``agentops run``, not."""
    module = sys.modules.get(f"{package}.process")
    return module is not None and (getattr(module.current_process(), "_inheriting", False) or _SPAWNED in sys.orig_argv)


def _other_threads() -> list[threading.Thread]:
    """Those that the end of the process waits for."""
    exempt = (threading.main_thread(), threading.current_thread())
    return [thread for thread in threading.enumerate() if not thread.daemon and thread not in exempt]

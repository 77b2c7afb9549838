"""The end of a child of ``multiprocessing``: it leaves by ``os._exit``, so no ``atexit`` handler runs in it.

What does run are its finalizers, after its last line however that ended. Ours is the last of them.
Nothing is imported for it: the hook waits until the program imports ``multiprocessing``, or the package of
the same build that pickles more. ``ProcessPoolExecutor``, joblib and Celery's billiard start their children
with the former and share its finalizers.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from agentops_sdk._capture.guard import guard
from agentops_sdk._capture.own_thread import OwnThread

__all__ = ["ChildExit"]

_PROCESSES = {
    "multiprocessing": ("multiprocessing.process", "billiard.process"),
    "multiprocess": ("multiprocess.process",),
}
"""Each package, and the modules that know whether this process is one of its children."""

_LAST = -(10**6)
"""The priority of our finalizer: the program's may still record something."""


class ChildExit:
    """Has a function called at the end of every child that this process, or one below it, starts.

    Args:
        flush: delivers what has ended.
        end: delivers what has ended and stops recording.
    """

    def __init__(self, flush: Callable[[], object], end: Callable[[], object]) -> None:
        self._flush, self._end = flush, end
        self._utils: dict[str, ModuleType] = {}

    def watch(self) -> None:
        """Begin; also when this process is such a child itself, and has reached ``init()`` only now."""
        import wrapt

        for package in _PROCESSES:

            def imported(util: Any, package: str = package) -> None:
                with guard("child_exit.watch"):
                    self._utils[package] = util
                    # Kept by a weak reference there; a child empties its finalizers and then calls these.
                    util.register_after_fork(self, lambda own: own.arm(util, package))
                    if _is_child(package):
                        self.arm(util, package)

            wrapt.register_post_import_hook(imported, f"{package}.util")

    def after_fork(self) -> None:
        """In a child of ``os.fork()``: a finalizer of the process above would not run in this one."""
        for package, util in self._utils.items():
            if _is_child(package):
                self.arm(util, package)

    def arm(self, util: Any, package: str) -> None:
        """Have this process, a child, end with us."""
        util.Finalize(None, self._leave, (package,), exitpriority=_LAST)

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


def _is_child(package: str) -> bool:
    for name in _PROCESSES[package]:
        module = sys.modules.get(name)
        # No public name: parent_process() is not set in billiard.
        if module is not None and getattr(module.current_process(), "_parent_pid", None) is not None:
            return True
    return False


def _other_threads() -> list[threading.Thread]:
    """Those that the end of the process waits for."""
    exempt = (threading.main_thread(), threading.current_thread())
    return [thread for thread in threading.enumerate() if not thread.daemon and thread not in exempt]

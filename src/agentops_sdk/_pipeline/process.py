"""What happens to us when the process forks or ends: hooks that are set once and look at what runs then."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from agentops_sdk._capture.guard import guard

if TYPE_CHECKING:
    from agentops_sdk._pipeline.queue import SpanQueue
    from agentops_sdk._pipeline.runtime import Runtime

_FORK_WAIT = 5.0  # seconds
_IMPORTS = ("opentelemetry.sdk.trace.export", "opentelemetry.sdk.resources", "orjson")

_hooked = False
_held: SpanQueue | None = None


def hook(current: Callable[[], Runtime | None], *, at_exit: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Set the hooks, once per process and its children."""
    global _hooked
    if _hooked:
        return
    _hooked = True

    def leave() -> None:
        with guard("process.exit"):
            at_exit()

    def child() -> None:
        global _held
        _held = None
        with guard("process.fork"):
            in_child()

    atexit.register(leave)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lambda: _before(current()), after_in_parent=_parent, after_in_child=child)


def warm(runtime: Runtime) -> None:
    """Import what delivery needs while the program starts up: its first spans are on disk as soon as the rest."""
    missing = [name for name in _needed(runtime) if name not in sys.modules]
    if missing:
        with guard("process.warm"):
            threading.Thread(target=_import, args=(missing,), name="agentops-warm", daemon=True).start()


def _import(names: list[str]) -> None:
    with guard("process.warm"):
        for name in names:
            importlib.import_module(name)


def _needed(runtime: Runtime) -> list[str]:
    return [*_IMPORTS, *(name for sink in runtime.sinks for name in getattr(sink.exporter, "imports", ()))]


def _before(runtime: Runtime | None) -> None:
    """Let no thread of ours be in the middle of an import or of its work: the child would have half of it.

    The imports cost a third of a second once; without them each child would spend it.
    """
    global _held
    if runtime is None:
        return
    with guard("process.before_fork"):
        runtime.recorder.pass_on()
        _import(_needed(runtime))
        _held = runtime.queue if runtime.queue.hold(_FORK_WAIT) else None


def _parent() -> None:
    global _held
    if _held is not None:
        _held.release()
        _held = None

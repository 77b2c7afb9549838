"""Carries the trace into threads, pools and processes that the program starts, without the program doing anything.

Patched like a library, taken out again at shutdown. What is carried is OpenTelemetry's context only;
where nothing is current, nothing is touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from opentelemetry.context import Context, attach, get_current

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._host.patches import Patches, Wrapper
from agentops_sdk._propagation import log_correlation, w3c_headers
from agentops_sdk._propagation.context_keys import release

__all__ = ["Carrier", "process_fields"]

_ENV_POSITION = 10
"""Of ``env`` among the positional arguments of ``subprocess.Popen``."""


class Carrier:
    """The patches of one run of the SDK; each is made when its module is imported.

    Args:
        threads: patch ``threading.Thread`` and ``ThreadPoolExecutor``.
        processes: patch ``ProcessPoolExecutor``, ``multiprocessing.Process`` and ``subprocess.Popen``.
        ids: put those of trace and span into the records of ``logging``.
        lines: the lowest level whose records become events of spans, or ``off``.
        on_process: called when ``multiprocessing`` has started a process.
    """

    def __init__(
        self, *, threads: bool, processes: bool, ids: bool, lines: str, on_process: Callable[[], None]
    ) -> None:
        self._patches = Patches("carry")
        if ids or lines != log_correlation.OFF:
            self._patches.on_undo(log_correlation.install(ids=ids, lines=lines))
        if threads:
            self._wrap("threading", "Thread", "start", _start_thread)
            self._wrap("concurrent.futures.thread", "ThreadPoolExecutor", "submit", _submit)
        if processes:
            self._wrap("concurrent.futures.process", "ProcessPoolExecutor", "submit", _submit_remote)
            self._wrap("multiprocessing.process", "BaseProcess", "start", _start_process(on_process))
            self._wrap("subprocess", "Popen", "__init__", _popen)

    def _wrap(self, module: str, owner: str, name: str, wrapper: Wrapper) -> None:
        patches = self._patches
        patches.when_imported(module, lambda target: patches.wrap_function(getattr(target, owner), name, wrapper))

    def remove(self) -> None:
        """Put everything back."""
        self._patches.undo()


def process_fields() -> Context | None:
    """What the process that started this one passed on in its environment, if anything."""
    fields = {name: os.environ[name.upper()] for name in w3c_headers.FIELDS if os.environ.get(name.upper())}
    return (w3c_headers.read(fields) or None) if "traceparent" in fields else None


class _Carried:
    """A function together with the context that it runs in."""

    __slots__ = ("context", "function")

    def __init__(self, function: Callable[..., Any], context: Context) -> None:
        self.function, self.context = function, context

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = attach(self.context)
        try:
            return self.function(*args, **kwargs)
        finally:
            release(token)


class Remote:
    """The same for another process: pickles with header fields in place of the context."""

    __slots__ = ("fields", "function")

    def __init__(self, function: Callable[..., Any], fields: dict[str, str]) -> None:
        self.function, self.fields = function, fields

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        context = Context()
        with guard("carry.remote"):
            context = w3c_headers.read(self.fields)
        token = attach(context)
        try:
            return self.function(*args, **kwargs)
        finally:
            release(token)


def _submit(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    context = get_current()
    if not args:
        return wrapped(*args, **kwargs)
    # Also where nothing is current: the pool's thread was started by whoever came first, inside of something maybe.
    return wrapped(_Carried(args[0], context), *args[1:], **kwargs)


def _submit_remote(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    fields: dict[str, str] = {}
    with guard("carry.submit"):
        fields = w3c_headers.write(get_current()) if args else {}
    # A worker that was forked inside of a span has that span current; a task from outside must not be its child.
    return wrapped(Remote(args[0], fields), *args[1:], **kwargs) if args else wrapped(*args, **kwargs)


def _start_thread(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    restore: Callable[[], None] | None = None
    context = get_current()
    if context:
        with guard("carry.thread"):
            restore = _run_inside(instance, context)
    try:
        return wrapped(*args, **kwargs)
    except RuntimeError:  # started twice, or no thread can be had
        if restore is not None:
            restore()
        raise


def _run_inside(thread: Any, context: Context) -> Callable[[], None] | None:
    """Have the thread's ``run``, whoever defined it, run in ``context``; once."""
    if _is_worker(thread):
        return None
    own = vars(thread).get("run")
    run = thread.run

    def restore() -> None:
        if own is None:
            vars(thread).pop("run", None)
        else:
            thread.run = own

    def carried() -> None:
        restore()
        token = attach(context)
        try:
            run()
        finally:
            release(token)

    thread.run = carried
    return restore


def _is_worker(thread: Any) -> bool:
    """Threads that outlive what started them and serve others: ours, and those of pools."""
    target = getattr(thread, "_target", None)
    module = getattr(target, "__module__", None) or ""
    return isinstance(thread, OwnThread) or module.startswith(("agentops_sdk", "concurrent.futures"))


def _start_process(on_process: Callable[[], None]) -> Wrapper:
    def start(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("carry.process"):
            target = getattr(instance, "_target", None)
            fields = w3c_headers.write(get_current())
            if fields and target is not None and not isinstance(target, Remote):
                instance._target = Remote(target, fields)  # noqa: SLF001 - there is no other way to hand it anything
        result = wrapped(*args, **kwargs)
        with guard("carry.process"):
            on_process()
        return result

    return start


def _popen(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if kwargs.get("env") is None and len(args) <= _ENV_POSITION:
        with guard("carry.subprocess"):
            fields = w3c_headers.write(get_current(), os.environ.get("BAGGAGE", ""))
            if fields:
                kwargs = {**kwargs, "env": {**os.environ, **{name.upper(): value for name, value in fields.items()}}}
    return wrapped(*args, **kwargs)

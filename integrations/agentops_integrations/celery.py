"""Celery, by its signals: a task goes on in the trace of whoever sent it, also in another process.

A task that nobody in a trace has sent makes no span: most tasks of most programs have nothing to do with agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from opentelemetry.context import attach, get_current

from agentops_sdk.integration import Patches, current_call, guard, release, semconv
from agentops_sdk.integration.frameworks import Runs, content, read_headers, write_headers

_SITE = "celery"
_FIELDS = ("traceparent", "tracestate", "baggage")
_GIVEN_UP = ("REVOKED", "IGNORED", "REJECTED")


class CeleryIntegration:
    """Connects to the signals around the sending and the running of tasks."""

    name = "celery"
    target = "celery"
    requires = ">=5.3,<6"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Connect; the undo disconnects, and ends what is open."""
        patches.when_imported("celery.signals", lambda signals: _connect(signals, patches))


def _connect(signals: ModuleType, patches: Patches) -> None:
    listener = Listener()
    for name, receiver in (
        ("before_task_publish", listener.sent), ("task_prerun", listener.begun), ("task_postrun", listener.ended),
    ):  # fmt: skip
        getattr(signals, name).connect(receiver, weak=False)

    def undo() -> None:
        for name, receiver in (
            ("before_task_publish", listener.sent), ("task_prerun", listener.begun), ("task_postrun", listener.ended),
        ):  # fmt: skip
            getattr(signals, name).disconnect(receiver)
        listener.runs.end_all("interrupted")

    patches.on_undo(undo)


class Listener:
    """What is told of each task, by the arguments of the signals."""

    def __init__(self) -> None:
        self.runs = Runs(_SITE)

    def sent(self, headers: Any = None, **_: Any) -> None:
        """A task is about to be sent: its message carries the trace, unless somebody else has seen to that."""
        with guard("celery.sent"):
            if isinstance(headers, dict) and "traceparent" not in headers:
                for name, value in write_headers(get_current()).items():
                    headers.setdefault(name, value)

    def begun(self, task_id: Any = None, task: Any = None, args: Any = (), kwargs: Any = None, **_: Any) -> None:
        """A task begins, in the thread that will run it."""
        with guard("celery.begun"):
            request = task.request
            fields = {name: value for name in _FIELDS if type(value := _header(request, name)) is str}
            if "traceparent" not in fields and current_call() is None:
                return
            retries = getattr(request, "retries", 0)
            attributes = {
                semconv.ATTEMPT: retries + 1 if type(retries) is int and retries else None,
                **content(semconv.INPUT, {"args": list(args or ()), "kwargs": dict(kwargs or {})}),
            }
            token = attach(read_headers(fields, get_current()))
            try:
                run = self.runs.begin("task", str(task.name), task_id, attributes=attributes)
            finally:
                release(token)
            run.enter()

    def ended(self, task_id: Any = None, retval: Any = None, state: Any = None, **_: Any) -> None:
        """A task is over, in whichever way."""
        with guard("celery.ended"):
            run = self.runs.get(task_id)
            if run is None:
                return
            error = getattr(retval, "exc", None) or retval  # of a retry, what it is tried again for
            if state is None:  # neither result nor exception is said: it leaves the task, to whoever runs it here
                self.runs.end(task_id, "error")
            elif state in _GIVEN_UP:
                self.runs.finish(task_id, "cancelled")
            elif isinstance(error, BaseException):
                self.runs.fail(task_id, error)
            elif state in ("FAILURE", "RETRY"):
                self.runs.finish(task_id, "error")
            else:
                run.call.update(content(semconv.OUTPUT, retval))
                self.runs.finish(task_id)


def _header(request: Any, name: str) -> Any:
    """A header of the task's message; where the task runs at once, they lie one level deeper."""
    headers = getattr(request, "headers", None)
    inside = headers.get(name) if isinstance(headers, Mapping) else None
    return inside or getattr(request, name, None)


integration = CeleryIntegration()

"""Libraries that report what they do as runs with ids: the table of the live ones, each ended exactly once.

Such a library (LangChain, an agents SDK, an event bus) calls back at the start and at the end of a run and says which
run it belongs to. What it reports becomes calls through one :class:`Runs`::

    runs = Runs("acme")

    def on_start(event):
        with guard("acme.start"):
            runs.begin("tool", event.name, event.id, event.parent_id).enter()

    def on_end(event):
        with guard("acme.end"):
            run = runs.get(event.id)
            if run is not None:
                run.call.set(semconv.TOOL_CALL_RESULT, snapshot(event.result).decode())
                runs.finish(event.id)

    def on_error(event):
        with guard("acme.error"):
            runs.fail(event.id, event.error)

    patches.on_undo(lambda: runs.end_all("interrupted"))

Starts and ends may come in other threads and tasks than the run's own, in any order, twice, or not at all.
"""
# ruff: noqa: SLF001 - a run's own bookkeeping is done by the Runs that hold it

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from opentelemetry.context import Context, attach, create_key, get_current, set_value

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call, NullCall, outcome_of
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import release

__all__ = ["Run", "Runs"]

_MAX_OPEN = 100_000
_STALE_SECONDS = 600


class Run:
    """One live run.

    Attributes:
        key: the library's id of it.
        call: the call that records it, or one that records nothing.
        context: the OpenTelemetry context of whatever runs inside.
        parent: the run that it belongs to, where that was live as it began.
        root: the outermost run around it, or itself.
        notes: what the run's own kind keeps between its start and its end.
    """

    __slots__ = (
        "__weakref__",
        "_first_chunk_ns",
        "_handled",
        "_members",
        "_started_ns",
        "_token",
        "call",
        "chunks",
        "context",
        "key",
        "kind",
        "name",
        "notes",
        "parent",
        "root",
    )

    def __init__(
        self, key: Hashable, kind: str, name: str, call: Call | NullCall, parent: Run | None, context: Context
    ) -> None:
        self.key = key
        self.kind = kind
        self.name = name
        self.call = call
        self.context = context
        self.parent = parent
        self.root: Run = self if parent is None else parent.root
        self.notes: dict[str, Any] = {}
        self.chunks = 0
        self._members: dict[Hashable, Run] = {}
        self._token: Any = None
        self._started_ns = time.perf_counter_ns()
        self._first_chunk_ns = 0
        self._handled = sys.exception()

    def above(self) -> Iterator[Run]:
        """The runs around this one, nearest first."""
        run = self.parent
        while run is not None:
            yield run
            run = run.parent

    def attach(self) -> Any:
        """Make the run current here; returns the token that :meth:`detach` wants."""
        return attach(self.context)

    def detach(self, token: Any) -> None:
        """Undo :meth:`attach`; does nothing in another task or thread than it."""
        if token is not None:
            release(token)

    def enter(self) -> None:
        """Make the run current here until it ends: for callbacks that come in its own thread or task."""
        self._token = self.attach()

    def raised(self) -> BaseException | None:
        """The exception that leaves the run: the one that is being handled as it ends, and was not as it began.

        For libraries that end their runs by ``except`` and ``finally``, and tell of the error as text or not at all.
        """
        error = sys.exception()
        return None if error is self._handled else error

    def chunk(self) -> None:
        """A piece of a streamed reply came."""
        self.chunks += 1
        if not self._first_chunk_ns:
            self._first_chunk_ns = time.perf_counter_ns()

    def streamed(self) -> dict[str, Any]:
        """What the pieces tell of the stream, as attributes; nothing where there were none."""
        if not self.chunks:
            return {}
        return {
            semconv.REQUEST_STREAM: True,
            semconv.STREAM_CHUNKS: self.chunks,
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: (self._first_chunk_ns - self._started_ns) / 1e9,
        }


class Runs:
    """The live runs of one library. Adding and taking are single dict operations: no lock is held.

    Args:
        reporter: the integration's name.
    """

    def __init__(self, reporter: str) -> None:
        self.open: dict[Hashable, Run] = {}
        self._reporter = reporter
        self._late: dict[Hashable, Run] = {}
        self._context_key = create_key(f"agentops-{reporter}-run")

    def begin(
        self,
        kind: str,
        name: str,
        key: Hashable,
        parent: Hashable | None = None,
        *,
        record: bool = True,
        call_name: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Run:
        """Start the call of a run below its parent run.

        The parent is the library's. Where the current context lies inside of that parent's body, it is more exact: a
        span that the body opened comes in between.

        Args:
            kind: one of ``semconv.KINDS``.
            name: the run's name; empty where it is not known yet.
            key: the library's id of the run.
            parent: its id of the run around.
            record: whether it becomes a span; what runs inside of one that does not hangs below the next that does.
            call_name: of the agent, tool, model …, where that is not the run's name.
            attributes: first attributes.
            how: goes to :func:`agentops_sdk.integration.start`.
        """
        parent_run = self.get(parent)
        context = get_current()
        if parent_run is not None and context.get(self._context_key) != parent:
            context = parent_run.context
        call: Call | NullCall = _Unrecorded(context)
        if record:
            started = start(
                kind, call_name or name or None, attributes=attributes, parent=context, reporter=self._reporter, **how
            )
            call = started if started.recording else call
        run = Run(key, kind, name, call, parent_run, set_value(self._context_key, key, call.context))
        self.open[key] = run
        if parent_run is not None:
            run.root._members[key] = run
        elif len(self.open) > _MAX_OPEN:
            self._end_oldest()
        return run

    def get(self, key: Hashable | None) -> Run | None:
        """The live run with this id."""
        return self.open.get(key) if key is not None else None

    def current(self) -> Run | None:
        """The live run inside of whose body this is."""
        return self.get(get_current().get(self._context_key))

    def finish(self, key: Hashable, outcome: str = "ok", error: BaseException | None = None) -> None:
        """End a run and, if it is the outermost one, whatever it has cut off below it."""
        run = self.open.pop(key, None)
        if run is None:
            return
        self._late.pop(key, None)
        run.root._members.pop(key, None)
        if run.root is run and run._members:
            self._end_members(run, outcome)
        self._end(run, outcome, error)

    def fail(self, key: Hashable, error: BaseException) -> None:
        """End a run with the outcome that ``error`` means."""
        self.finish(key, outcome_of(error), error)

    def end(self, key: Hashable, outcome: str = "ok") -> None:
        """End a run with what is raised as it ends, else with ``outcome``; for what :meth:`Run.raised` is about."""
        run = self.get(key)
        error = run.raised() if run is not None else None
        if error is not None:
            self.fail(key, error)
        else:
            self.finish(key, outcome)

    def end_all(self, outcome: str) -> None:
        """End every open run: nobody listens to their ends any more."""
        for key in list(self.open):
            with guard(f"{self._reporter}.end_all"):
                self.finish(key, outcome)

    def _end(self, run: Run, outcome: str, error: BaseException | None = None) -> None:
        token, run._token = run._token, None
        run.detach(token)
        # A cancelled or abandoned operation is no error: the exception that says so is not recorded.
        run.call.finish(outcome, error if outcome == "error" else None)

    def _end_members(self, root: Run, outcome: str) -> None:
        """The outermost run is over. What it cut off is over as well; what merely outlives it may still end."""
        members = list(root._members.values())
        root._members = {}
        cut_off = outcome in ("cancelled", "abandoned", "interrupted")
        for run in reversed(members):  # children before their parents
            if cut_off:
                if self.open.pop(run.key, None) is not None:
                    self._end(run, outcome)
            elif run.key in self.open:
                self._late[run.key] = run
        self._end_stale()

    def _end_stale(self) -> None:
        limit = time.perf_counter_ns() - _STALE_SECONDS * 10**9
        for key, run in list(self._late.items()):
            if run._started_ns < limit or len(self._late) > _MAX_OPEN:
                self.finish(key, "abandoned")

    def _end_oldest(self) -> None:
        oldest = next(iter(self.open), None)
        if oldest is not None:
            self.finish(oldest, "abandoned")


class _Unrecorded(NullCall):
    """Stands for a run that has no span."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def context(self) -> Context:
        return self._context

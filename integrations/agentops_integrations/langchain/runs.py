"""The table of live runs: LangChain's run ids to the calls that record them, each ended exactly once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from uuid import UUID
from weakref import ReferenceType

from opentelemetry.context import Context, create_key, get_current, set_value

from agentops_sdk.integration import Call, NullCall, guard, outcome_of, start

RUN_KEY = create_key("agentops-langchain-run")
"""In an OpenTelemetry context: the id of the run whose body this is."""

_MAX_OPEN = 100_000
_STALE_SECONDS = 600


class Run:
    """One live run.

    Attributes:
        context: the OpenTelemetry context of whatever runs inside.
        notes: what the run's own kind keeps between its start and its end.
    """

    __slots__ = (
        "__weakref__",
        "call",
        "chunks",
        "context",
        "first_ns",
        "id",
        "kind",
        "members",
        "name",
        "notes",
        "parent",
        "plumbing",
        "root",
        "started_ns",
    )

    def __init__(self, run_id: UUID, kind: str, name: str, call: Call | NullCall, parent: Run | None) -> None:
        self.id = run_id
        self.kind = kind
        self.name = name
        self.call = call
        self.parent = parent
        self.root: Run = self if parent is None else parent.root
        self.context: Context = set_value(RUN_KEY, run_id, call.context)
        self.members: dict[UUID, Run] = {}
        self.notes: dict[str, Any] = {}
        self.plumbing = False
        self.started_ns = time.perf_counter_ns()
        self.first_ns = 0
        self.chunks = 0

    def above(self) -> Iterator[Run]:
        """The runs around this one, nearest first."""
        run = self.parent
        while run is not None:
            yield run
            run = run.parent


last_started: ContextVar[ReferenceType[Run] | None] = ContextVar("agentops-langchain-last-started", default=None)
"""The model or retriever run that was started last in this context: its body is what runs next."""


class Runs:
    """The live runs of one handler. Adding and taking are single dict operations: no lock is held."""

    def __init__(self) -> None:
        self.open: dict[UUID, Run] = {}
        self._late: dict[UUID, Run] = {}

    def begin(
        self,
        kind: str,
        name: str,
        run_id: UUID,
        parent_run_id: UUID | None,
        *,
        record: bool = True,
        call_name: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Run:
        """Start the run's call below its parent run; ``how`` goes to :func:`agentops_sdk.integration.start`.

        The parent is LangChain's. Where the current context lies inside of that parent's body, it is more exact: a
        span that the body opened comes in between.
        """
        parent = self.open.get(parent_run_id) if parent_run_id is not None else None
        context = get_current()
        if parent is not None and context.get(RUN_KEY) != parent_run_id:
            context = parent.context
        call: Call | NullCall
        if record:
            call = start(kind, call_name or name, attributes=attributes, parent=context, reporter="langchain", **how)
        else:
            call = Unrecorded(context)
        if not call.recording and not isinstance(call, Unrecorded):
            call = Unrecorded(context)
        run = Run(run_id, kind, name, call, parent)
        self.open[run_id] = run
        if parent is not None:
            run.root.members[run_id] = run
        elif len(self.open) > _MAX_OPEN:
            self._end_oldest()
        return run

    def get(self, run_id: UUID | None) -> Run | None:
        return self.open.get(run_id) if run_id is not None else None

    def finish(self, run_id: UUID, outcome: str = "ok", error: BaseException | None = None) -> None:
        """End a run and whatever it left open below it, if it is the outermost one."""
        run = self.open.pop(run_id, None)
        if run is None:
            return
        self._late.pop(run_id, None)
        run.root.members.pop(run_id, None)
        if run.root is run and run.members:
            self._end_members(run, outcome)
        # A cancelled or abandoned operation is no error: the exception that says so is not recorded.
        run.call.finish(outcome, error if outcome == "error" else None)

    def fail(self, run_id: UUID, error: BaseException) -> None:
        self.finish(run_id, outcome_of(error), error)

    def end_all(self, outcome: str) -> None:
        """End every open run: nobody listens to their ends any more."""
        for run_id in list(self.open):
            with guard("langchain.end_all"):
                self.finish(run_id, outcome)

    def _end_members(self, root: Run, outcome: str) -> None:
        """The outermost run is over. What it cut off is over as well; what merely outlives it may still end."""
        members = list(root.members.values())
        root.members = {}
        cut_off = outcome in ("cancelled", "abandoned", "interrupted")
        for run in reversed(members):  # children before their parents
            if cut_off:
                if self.open.pop(run.id, None) is not None:
                    run.call.finish(outcome)
            elif run.id in self.open:
                self._late[run.id] = run
        self._end_stale()

    def _end_stale(self) -> None:
        limit = time.perf_counter_ns() - _STALE_SECONDS * 10**9
        for run_id, run in list(self._late.items()):
            if run.started_ns < limit or len(self._late) > _MAX_OPEN:
                self.finish(run_id, "abandoned")

    def _end_oldest(self) -> None:
        oldest = next(iter(self.open), None)
        if oldest is not None:
            self.finish(oldest, "abandoned")


class Unrecorded(NullCall):
    """Stands for a run that has no span: what runs inside hangs below the next one that has."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def context(self) -> Context:
        return self._context

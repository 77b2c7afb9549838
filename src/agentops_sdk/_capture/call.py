"""One live operation: started once, filled while it runs, finished exactly once, whatever happens.

Long because all that is done to one is here, and beside it the operation that is not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.context import Context, get_current, set_value

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.exception_record import Failure, type_name
from agentops_sdk._host.admission import Admission
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation import context_keys, privacy, vendor_calls
from agentops_sdk._recorder_port import Deferred, LiveSpan
from agentops_sdk._scrub.private_form import attributes_of, event_name_of, is_kept
from agentops_sdk._snapshot.snapshot import Uncounted, count_members, snapshot

PROGRAM: Final = "program"
"""The reporter of an operation that the program itself tells of."""
_FINISH = guard("call.finish")

_TO_VENDOR = frozenset(("llm", "embedding"))
_OF_THE_PROGRAM = frozenset(("tool", "agent", "workflow", "task"))


class _ContextOfEnded:
    """The context of a call that has ended, made again for whoever still begins something below it.

    A context holds its call. A call that kept its context would stay, with all that it holds, until Python's collector
    comes; and that would come the more often, in the middle of the program's own calls.
    """

    def __get__(self, call: Call, _: Any = None) -> Context:
        return Context({**call._parent, context_keys.SPAN_KEY: call.span.otel, context_keys.CALL_KEY: call})  # noqa: SLF001 - its own


class Call:
    """A live operation and the span that records it.

    Everything but :meth:`finish` may be called any number of times while it lives and does nothing
    afterwards. No method raises into the user's call as long as its caller holds the guard.
    """

    # What few calls have is set on those alone: each attribute that is set takes its time on the user's thread.
    nests = False
    is_context_kept = False
    """Whether its context says more than that it is current, and stays when it has ended."""
    withheld: frozenset[str] = frozenset()
    settled: str | None = None
    """How it ended, where whoever ends it says no more than that it is over."""
    admission: Admission | None = None
    digest = 0
    """Of its arguments, where repeated calls are looked for; see :data:`admission.digest`."""
    reading: Callable[[str], object] | None = None
    """A client's reply that is still being read as a part of it: told how the operation ends, where that ends first."""
    reporters: tuple[str, ...] = (PROGRAM,)
    authors: tuple[Any, ...] = ()
    bodies: tuple[Any, ...] = ()
    recording = True
    if not TYPE_CHECKING:
        context = _ContextOfEnded()

    def __init__(
        self,
        kind: str,
        span: LiveSpan,
        parent: Context,
        to_vendor: bool = False,
        name: str | None = None,
        reporter: str = PROGRAM,
        author: Any = None,
        bodies: tuple[Any, ...] = (),
    ) -> None:
        self.kind = kind
        self.span = span
        # What tells whether a further report is of this operation again; see ``contribution``.
        self.name = name
        if reporter is not PROGRAM:
            self.reporters = (reporter,)
        if author is not None:
            self.authors = (author,)
        if bodies:
            self.bodies = bodies
        self._latch = [True]
        self._parent = parent
        entries = parent.copy()
        entries[context_keys.SPAN_KEY] = span if span.is_otel else span.otel
        entries[context_keys.CALL_KEY] = self
        if kind == "agent":
            self.is_context_kept = True
            entries[context_keys.AGENT_KEY] = context_keys.agent_of(span.attributes)
        elif kind == "llm":
            self.is_context_kept = True
            entries[context_keys.LLM_KEY] = self
        elif kind == "workflow":
            self.is_context_kept = True
            entries[context_keys.AGENT_KEY] = context_keys.of_workflow(span.attributes, parent)
        if to_vendor or kind in _TO_VENDOR:
            self.is_context_kept = True
            vendor_calls.enter(entries)
        elif kind in _OF_THE_PROGRAM and context_keys.VENDOR_KEY in entries:
            self.is_context_kept = True
            vendor_calls.leave(entries)
        self.context = Context(entries)
        """The OpenTelemetry context in which the operation's own work runs."""

    @property
    def ended(self) -> bool:
        return not self._latch

    @property
    def hides_here(self) -> bool:
        """Whether it is public, and what runs here is not: of what is told of it here, only figures are taken."""
        return privacy.is_private() and semconv.PRIVATE not in self.span.attributes

    @property
    def around(self) -> Call | None:
        """The operation that this one is a part of, where that is in this process."""
        return self._parent.get(context_keys.CALL_KEY)  # type: ignore[return-value] # a context's values are untyped

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self.span.otel.get_span_context().trace_id)

    @property
    def span_id(self) -> str:
        return trace.format_span_id(self.span.otel.get_span_context().span_id)

    def set(self, name: str, value: Any) -> None:
        """Set one attribute; ``None`` is left out. Values are OpenTelemetry's types, structures JSON text."""
        if value is not None and self._latch and name not in self.withheld:
            if privacy.used and self.hides_here and not is_kept(name):
                return
            self.span.attributes[name] = value

    def update(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        if self._latch:
            withheld = self.withheld
            if privacy.used and self.hides_here:
                attributes = attributes_of(attributes)
            self.span.attributes.update(
                (name, value) for name, value in attributes.items() if value is not None and name not in withheld
            )

    def withhold(self, names: Iterable[str]) -> None:
        """Keep these attributes to :meth:`replace`: whoever else reports the operation does not set them, or has."""
        self.withheld = self.withheld.union(names)
        if kept := self.withheld & semconv.CONTENT:
            self.span.attributes[semconv.WITHHELD] = sorted(kept)
        for name in names:
            self.span.attributes.pop(name, None)

    def replace(self, name: str, value: Any) -> None:
        """Set one attribute, withheld or not."""
        if value is not None and self._latch and not (privacy.used and self.hides_here and not is_kept(name)):
            self.span.attributes[name] = value

    def keep(self, name: str, value: Any) -> None:
        """Set one attribute, withheld or not, to a snapshot of a value."""
        encoded = snapshot(value, counted=False)
        text = encoded.decode()
        if type(encoded) is Uncounted:
            self.defer(partial(count_members, name, text, _recorder_port.active.settings.max_value_bytes))
        if self._latch and not (privacy.used and self.hides_here and not is_kept(name)):
            self.span.attributes[name] = text

    def rename(self, name: str) -> None:
        """Give the span another name."""
        if self._latch and not (privacy.used and self.hides_here):
            self.span.name = name

    def defer(self, work: Deferred) -> None:
        """Have ``work(attributes)`` run on the consumer thread once the operation has ended.

        ``work`` must hold bytes and plain values only, nothing of the user's.
        """
        if self._latch:
            span = self.span
            if span.deferred:
                span.deferred.append(work)
            else:
                span.deferred = [work]

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Record something that happened now."""
        if self._latch:
            attributes = dict(attributes or {})
            if privacy.used and self.hides_here:
                name, attributes = event_name_of(name), attributes_of(attributes)
            self.span.add_event(name, attributes)

    def link(self, context: trace.SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Point to a span elsewhere."""
        if self._latch:
            attributes = dict(attributes or {})
            self.span.add_link(context, attributes_of(attributes) if privacy.used and self.hides_here else attributes)

    def carry(self, key: str, value: Any) -> None:
        """Put ``value`` into the operation's context under ``key``; what is attached from now on has it."""
        self.is_context_kept = True
        self.context = set_value(key, value, self.context)

    def attach(self) -> Any:
        """Make the operation current here; returns the token that :meth:`detach` wants. Guarded."""
        token = None
        with guard("call.attach"):
            token = context_keys.make_current(self.context)
        return token

    def detach(self, token: Any) -> None:
        """Undo :meth:`attach`; in another task or thread than it, make what was around the operation current.

        Guarded, like everything that stands next to the user's own call.
        """
        with guard("call.detach"):
            if token is not None and not context_keys.release(token):
                self.step_out()

    def step_out(self) -> None:
        """Make what was around the operation current, where it is current itself. Not guarded."""
        if context_keys.current().get(context_keys.CALL_KEY) is self:
            context_keys.make_current(self._parent)

    @contextmanager
    def attached(self) -> Iterator[Call]:
        """The operation is current inside the ``with`` block. It is not finished by it."""
        token = self.attach()
        try:
            yield self
        finally:
            self.detach(token)

    def finish(  # noqa: C901 - what most operations are ended by takes no further call
        self, outcome: str = "ok", error: BaseException | None = None
    ) -> bool:
        """End the operation with its true outcome; only the first call counts. Guarded.

        Returns:
            whether this call was the one that ended it.
        """
        if (reading := self.reading) is not None:
            self.reading = None
            if outcome != "ok":
                with guard("call.reading"):
                    reading(outcome)
        try:
            self._latch.pop()  # atomic: of several threads, one gets it
        except IndexError:
            return False
        span, message = self.span, None
        if self.settled is not None and outcome == "ok":
            outcome = self.settled
        if error is not None:
            with guard("call.failure"):  # on its own: what fails here must not leave the span open
                if privacy.used and semconv.PRIVATE in span.attributes:
                    privacy.mark(error)
                failure = Failure(error)
                span.add_event(semconv.EXCEPTION_EVENT, failure.attributes)
                if outcome == "error":
                    span.attributes.setdefault(semconv.ERROR_TYPE, failure.type)
                    message = failure.message
        try:
            span.attributes[semconv.OUTCOME] = outcome
            if outcome == "error":
                span.attributes.setdefault(semconv.ERROR_TYPE, "_OTHER")
            span.finish(error=outcome == "error", message=message)
            if not self.is_context_kept:
                del self.context
            if self.admission is not None:
                self.admission.end()
        except BaseException as caught:
            if not _FINISH.takes(caught):
                raise
        return True

    def fail(self, error: BaseException) -> None:
        """Finish with the outcome that ``error`` means, guarded: safe in the user's ``except`` block."""
        with guard("call.fail"):
            outcome = outcome_of(error)
            # A cancelled or abandoned operation is no error: the exception that says so is not recorded.
            self.finish(outcome, error if outcome in ("error", "interrupted") else None)


class NullCall:
    """A call that is not recorded: every method does nothing."""

    __slots__ = ()
    kind = "span"
    recording = False
    ended = True
    trace_id = span_id = ""
    admission: Admission | None = None
    digest = 0

    @property
    def context(self) -> Context:
        return get_current()

    def set(self, *_: Any) -> None: ...
    def update(self, *_: Any) -> None: ...
    def rename(self, *_: Any) -> None: ...
    def defer(self, *_: Any) -> None: ...
    def event(self, *_: Any) -> None: ...
    def link(self, *_: Any) -> None: ...
    def withhold(self, *_: Any) -> None: ...
    def replace(self, *_: Any) -> None: ...
    def keep(self, *_: Any) -> None: ...
    def attach(self) -> Any: ...
    def detach(self, *_: Any) -> None: ...
    def step_out(self) -> None: ...
    def fail(self, *_: Any) -> None: ...

    @contextmanager
    def attached(self) -> Iterator[NullCall]:
        yield self

    def finish(self, *_: Any, **__: Any) -> bool:
        return False


NULL_CALL = NullCall()


def outcome_of(error: BaseException) -> str:
    """The outcome that an exception leaving an operation means.

    ``asyncio.CancelledError`` (and anyio's, trio's) is ``cancelled``, ``GeneratorExit`` is
    ``abandoned``, ``KeyboardInterrupt`` and ``SystemExit`` are ``interrupted``, the rest is ``error``.
    """
    kind = type(error)  # not isinstance(): that asks ``__class__``, which may be the user's code
    if issubclass(kind, GeneratorExit):
        return "abandoned"
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return "interrupted"
    if issubclass(kind, Exception):
        return "error"
    # asyncio is not imported for this: a program without it cannot raise its CancelledError.
    return "cancelled" if type_name(error).rpartition(".")[2] in ("CancelledError", "Cancelled") else "error"

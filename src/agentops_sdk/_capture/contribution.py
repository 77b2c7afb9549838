"""One operation that two report is one span: a tool that a framework runs and that the program has decorated as well.

Whoever comes second, directly inside of the first, adds to the first one's span. It is the same operation

- where it is the very work that the first one runs: a framework's tool runs a function that is decorated;
- or, for what has a name of its own, where another reporter tells of the same kind and name and is the first of
  that kind inside: a decorated function that runs an agent of its own name.

The same reporter inside of itself is a recursion, and a second one of the kind is a call of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context

from agentops_sdk import semconv
from agentops_sdk._capture.call import PROGRAM, Call, outcome_of
from agentops_sdk._host.guard import guard
from agentops_sdk._snapshot.snapshot import snapshot

_NAMED: Final = frozenset(("agent", "retriever", "tool", "workflow"))
_PAYLOAD: Final = frozenset(
    (
        semconv.INPUT,
        semconv.OUTPUT,
        semconv.TOOL_CALL_ARGUMENTS,
        semconv.TOOL_CALL_RESULT,
        semconv.RETRIEVAL_QUERY,
        semconv.RETRIEVAL_DOCUMENTS,
    )
)


def is_same(around: Call, name: str | None, reporter: str, author: Any, bodies: tuple[Any, ...]) -> bool:
    """Whether ``around`` is the operation of this kind that ``reporter`` begins to tell of inside of it."""
    if author is not None and _among(author, around.bodies):
        return True
    if around.kind not in _NAMED or name != around.name or reporter in around.reporters or around.nests:
        return False
    # What will run the function that is running already is a recursion by way of the other reporter.
    return not any(_among(body, around.authors) for body in bodies)


def _among(wanted: Any, objects: tuple[Any, ...]) -> bool:
    return any(wanted is each for each in objects)


class Contribution(Call):
    """What the second reporter of an operation holds. It adds to the operation's span and cannot end it."""

    def __init__(
        self,
        operation: Call,
        context: Context,
        attributes: Mapping[str, Any],
        reporter: str,
        author: Any,
        bodies: tuple[Any, ...],
    ) -> None:
        self.kind, self.span, self.name = operation.kind, operation.span, operation.name
        self._latch = [True]
        self._parent = self.context = context
        self.operation = operation
        self._reporter = reporter
        # Of a body that fails and is run again, each run is the one operation.
        self._author = author if _among(author, operation.bodies) else None
        operation.reporters = (*operation.reporters, reporter)
        operation.authors = (*operation.authors, author)
        # While it runs it is not expected: what it calls by its own name is a recursion.
        operation.bodies = (*(each for each in operation.bodies if each is not author), *bodies)
        for key, value in attributes.items():
            if value is not None and key not in operation.withheld:
                self.span.attributes.setdefault(key, value)

    @property
    def ended(self) -> bool:
        return not self._latch or self.operation.ended

    def set(self, name: str, value: Any) -> None:
        """Set one attribute; what the first reporter tells of the payload stands, and all that the program says."""
        if value is None or self.ended or name in self.operation.withheld:
            return
        if name in _PAYLOAD or self._reporter != PROGRAM:
            self.span.attributes.setdefault(name, value)
        else:
            self.span.attributes[name] = value

    def update(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for name, value in attributes.items():
            self.set(name, value)

    def withhold(self, names: Any) -> None:
        """As of the operation."""
        if not self.ended:
            self.operation.withhold(names)

    def replace(self, name: str, value: Any) -> None:
        """Set one attribute, withheld or not; where it is withheld it is this reporter's to tell."""
        if name in self.operation.withheld:
            self.operation.replace(name, value)
        else:
            self.set(name, value)

    def keep(self, name: str, value: Any) -> None:
        """As :meth:`replace`, by a snapshot of a value."""
        self.replace(name, snapshot(value).decode())

    def rename(self, name: str) -> None:
        """The operation keeps its name."""

    def defer(self, work: Any) -> None:
        """As of the operation."""
        self.operation.defer(work)

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """As of the operation."""
        self.operation.event(name, attributes)

    def link(self, context: Any, attributes: Mapping[str, Any] | None = None) -> None:
        """As of the operation."""
        self.operation.link(context, attributes)

    def finish(self, outcome: str = "ok", error: BaseException | None = None) -> bool:
        """This reporter is done; the operation ends with whoever began it, as what it is to that one.

        An agent that waits for a person is interrupted all the same, whatever the function around it returns.
        """
        try:
            self._latch.pop()
        except IndexError:
            return False
        with guard("contribution.finish"):
            if self._author is not None:
                self.operation.bodies = (*self.operation.bodies, self._author)
            if outcome == "interrupted" and self._reporter != PROGRAM:
                self.operation.settled = outcome
        return True

    def fail(self, error: BaseException) -> None:
        """As :meth:`finish`, with what ``error`` means."""
        with guard("contribution.fail"):
            self.finish(outcome_of(error))

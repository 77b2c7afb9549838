"""A call that somebody else is about to make: asked about before, and a span only once it is made or refused.

What runs in another process, or is begun by a server, is told of when it has begun. Limits are asked earlier, where
nobody can say yet whether it will be made at all: by a plan, which holds what limits have reserved.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._capture.start import form
from agentops_sdk._host import admission
from agentops_sdk._propagation import context_keys
from agentops_sdk._recorder_port import Deferred

__all__ = ["PlannedCall"]


class PlannedCall:
    """What may become a call.

    Args:
        kind: one of ``semconv.KINDS``.
        name: of the model or tool, as far as it is known.
        parent: the context that the call will nest in.
        attributes: first attributes.

    Attributes:
        call: stands for it where limits are asked; it has no span.
        is_made: it has been made already, so that limits count it, and stop nothing.
    """

    __slots__ = ("_first", "call", "is_made")

    def __init__(
        self, kind: str, name: str | None, parent: Context, attributes: Mapping[str, Any] | None = None
    ) -> None:
        first = dict(form(kind, name, None, attributes).attributes)
        context_keys.inherit(first, kind, parent)
        self.call = Call(kind, _Unwritten(first, parent), parent, name=name)
        self.is_made = False
        self._first = frozenset(first)

    @property
    def is_refused(self) -> bool:
        """Whether limits, or a pause, were asked and said no."""
        return self.call.admission is None and semconv.DECISION_CHOSEN in self.call.span.attributes

    def refusal(self, site: str) -> Exception | None:
        """Why it must not be made, by the limits of the current context, else of its own; ``None`` where it may."""
        return admission.refusal(site, self)

    def count(self, site: str) -> None:
        """It was made, and nobody could ask before: it counts all the same."""
        self.is_made = True
        self.refusal(site)

    def becomes(self, call: Call | NullCall) -> None:
        """It is made, or was refused: what limits said of it, and hold for it, is that call's from now on."""
        if isinstance(call, Contribution):
            call = call.operation
        planned = self.call
        if not isinstance(call, Call) or call.admission is not None:
            self.withdraw()
            return
        call.update({name: value for name, value in planned.span.attributes.items() if name not in self._first})
        held, planned.admission = planned.admission, None
        if held is not None:
            held.move(call)
        else:
            call.span.event_list().extend(planned.span.events)

    def withdraw(self) -> None:
        """It is not made: nothing is held for it any more. Does nothing where it has become a call."""
        held, self.call.admission = self.call.admission, None
        if held is not None:
            held.forgo()

    def lose(self) -> None:
        """Nobody learns any more whether it was made: it counts, as what it was expected to use."""
        held, self.call.admission = self.call.admission, None
        if held is not None:
            held.settle({**self.call.span.attributes, semconv.OUTCOME: "cancelled"})


class _Unwritten:
    """In the place of a span: keeps what limits say."""

    __slots__ = ("account", "attributes", "deferred", "events", "name", "otel")
    is_otel = False

    def __init__(self, attributes: dict[str, Any], parent: Context) -> None:
        self.name = ""
        self.attributes = attributes
        self.events: list[tuple[str, int, Any]] = []
        self.deferred: list[Deferred] | tuple[()] = ()
        self.account: Deferred | None = None
        self.otel = trace.get_current_span(parent)

    def event_list(self) -> list[tuple[str, int, Any]]:
        return self.events

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self.events.append((name, timestamp or time.time_ns(), attributes or {}))

    def add_link(self, context: trace.SpanContext, attributes: Any = None) -> None: ...

    def finish(self, *, error: bool, message: str | None) -> None: ...

"""The port between the live call and whatever records it; while nothing does, a null recorder.

``active`` is set by the runtime (upstairs) and read by every capture (here): data goes up through
this port, and no module of this room imports the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context

from agentops_sdk.config import Settings

Deferred = Callable[[dict[str, Any]], None]
"""Work on a span's attributes that is done on the consumer thread, after the span ended."""


class LiveSpan(Protocol):
    """A span that has not ended yet, as room 2 sees it."""

    name: str
    attributes: dict[str, Any]
    deferred: list[Deferred] | tuple[()]
    account: Deferred | None
    """What is told last what it used, on whichever thread that is worked out, also where it is not exported."""

    is_otel: bool
    """Whether it is that OpenTelemetry span itself: who asks for that needs no call then."""

    @property
    def events(self) -> Sequence[tuple[str, int, Any]]:
        """What has happened so far: name, time and attributes of each."""
        ...

    @property
    def otel(self) -> trace.Span:
        """The OpenTelemetry span that is current while the operation's work runs."""
        ...

    def event_list(self) -> list[tuple[str, int, Any]]:
        """Its events, to add to."""
        ...

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Something that happened now; ``attributes`` may be a callable that makes them later."""
        ...

    def add_link(self, context: trace.SpanContext, attributes: Any = None) -> None:
        """Point to a span elsewhere."""
        ...

    def finish(self, *, error: bool, message: str | None) -> None:
        """End it. Called once."""
        ...


class Recorder(Protocol):
    """Room 3: owns ids, parentage and sampling."""

    enabled: bool
    settings: Settings

    def start(
        self,
        name: str,
        kind: trace.SpanKind,
        attributes: dict[str, Any],
        parent: Context,
        links: Sequence[trace.Link],
        start_ns: int | None,
    ) -> LiveSpan | None:
        """Begin a span, or ``None`` where it is not recorded."""
        ...

    def settle(self, timeout: float) -> None:
        """Have it worked out what the spans that ended by now used. Waits, for ``timeout`` seconds at the most."""
        ...


class NullRecorder:
    """Records nothing; what is active before ``init()``, after ``shutdown()`` and when switched off."""

    enabled = False
    settings = Settings()

    def start(self, *_: Any, **__: Any) -> None:
        return None

    def settle(self, timeout: float) -> None: ...


active: Recorder = NullRecorder()


def activate(recorder: Recorder | None) -> None:
    """Make ``recorder`` the one that every capture uses from now on; ``None`` for none."""
    global active
    active = recorder if recorder is not None else NullRecorder()


measure: Callable[[str, float, Mapping[str, Any]], None] | None = None
"""Takes a measurement of which no span tells: a metric, the value and attributes; ``None`` while nothing runs."""

stand_in: Callable[[str, str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Callable[..., Any]] | None = None
"""Given a tracked function's kind, name, itself and its arguments: what is called in its place.

Set only while a test records or replays the results of tools; ``None`` in every other program.
"""

tool_answer: Callable[[str, Any], Mapping[str, Any] | None] | None = None
"""Given the name and the arguments of a tool that runs elsewhere: ``text`` of its recorded result and ``is_error``, or
``error`` with a code and a message; ``None`` has it run.

Set only while a run is replayed; ``None`` in every other program.
"""

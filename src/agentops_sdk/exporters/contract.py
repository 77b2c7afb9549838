"""What a sink is, and what it may offer beside that: the whole of what the pipeline looks for in an exporter.

:class:`Exporter` is OpenTelemetry's own interface, so that any ``SpanExporter`` is a sink as it is. Everything in
:class:`SinkOptions` is optional and is found by its name: an exporter that has a member is asked, one that lacks it
is not. A class that inherits from :class:`SinkOptions` gets nothing at run time, and its members checked by a type
checker. A name such as ``"acme"`` in ``init(exporters=["acme:argument"])`` stands for a :class:`Create`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk.config import Settings

__all__ = ["Create", "Exporter", "SinkOptions"]


class Exporter(Protocol):
    """OpenTelemetry's ``SpanExporter``, by shape. Called on one thread, which is none of the program's."""

    def export(self, spans: Sequence[ReadableSpan], /) -> Any:
        """Take ended spans: exported, unless it raises or returns a result whose ``name`` is not ``SUCCESS``."""
        ...

    def force_flush(self, timeout_millis: int = 30_000, /) -> bool:
        """Send what is held, in so many milliseconds at most; returns whether all of it went out."""
        ...

    def shutdown(self) -> None:
        """Send what is held, and stop. May take ``timeout`` (seconds) or ``timeout_millis``: it is then told."""
        ...


class Create(Protocol):
    """What stands behind an exporter's name: ``create`` in a module of this folder, or an entry point's object."""

    def __call__(self, argument: str | None, settings: Settings, /) -> Exporter:
        """Make one.

        Args:
            argument: what follows the name and a colon; None where nothing does.
            settings: those that it is made under.

        Raises:
            ConfigError: the argument cannot work.
        """
        ...


class SinkOptions:
    """Every member that the pipeline looks for. All are optional; none may raise, all that do are contained."""

    if TYPE_CHECKING:
        inline: bool
        """Whether ``export`` is quick and local: it then runs on the consumer thread. Others get one of their own."""

        disk: bool
        """Whether it works on a disk. Of several that do, each gets a thread; a flush waits for them; and a change of
        the settings that say where and how much makes it anew."""

        lean: bool
        """Whether it reads the fields of a ``ReadableSpan`` alone: it then gets spans that have them and are none, and
        OpenTelemetry's SDK need not be loaded for it."""

        imports: Sequence[str]
        """Modules that its first export needs; imported by ``init()``, on the program's thread."""

        background_imports: Sequence[str]
        """Modules that are needed later; imported beside the program once the first span has ended. Never one that
        model clients import."""

        endpoint: Any
        """Where it sends to, for ``agentops doctor``: an object whose ``shown`` is the address without secrets."""

        @property
        def disk_error(self) -> str | None:
            """Why it cannot write now, as ``"kind: details"``; logged once for each kind."""
            raise NotImplementedError

        def stats(self) -> Mapping[str, Any]:
            """An account of its own, for what delivers later than ``export`` returns.

            ``accepted``, ``exported`` and ``pending`` are numbers of spans, ``dropped`` is such numbers by reason, and
            the first is the sum of the others. ``last_error``, ``last_error_time`` and ``last_success_time`` (seconds
            since the epoch) are told by ``status()`` and ``health()``, and ``failing``; all else is its ``details``.
            """
            raise NotImplementedError

        def export_open(self, runs: Sequence[Sequence[ReadableSpan]], still_open: AbstractSet[int], /) -> None:
            """Keep what has begun and not ended: by run, what has changed since the last call.

            Args:
                runs: the open spans of each run that changed. Each comes again, in ``export``, when it has ended.
                still_open: the ids of all spans that are open now.
            """
            raise NotImplementedError

        def export_events(self, events: Sequence[Any], /) -> Any:
            """Take events, as ``export`` takes spans: those that the setting ``events`` sends to a sink of its name.

            Args:
                events: each with ``event`` (its ``name``, ``time_ns``, ``severity``, ``attributes``, ``trace_id`` and
                    ``span_id``), ``resource`` and ``scope``. They are no part of the account of spans.
            """
            raise NotImplementedError

        def watch_children(self) -> None:
            """This process has started another one, and may have to send what that leaves behind."""
            raise NotImplementedError

        def after_fork(self) -> None:
            """In a forked child: forget what is the parent's, and make locks and connections anew."""
            raise NotImplementedError


OPTIONS = frozenset((
    "inline", "disk", "lean", "imports", "background_imports", "endpoint", "disk_error", "stats", "export_open",
    "export_events", "watch_children", "after_fork",
))  # fmt: skip
"""The names of the members of :class:`SinkOptions`, which are not there at run time."""

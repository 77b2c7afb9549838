"""Where events go: to the program's own LoggerProvider, and to sinks that were asked for. Consumer thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._host.guard import guard
from agentops_sdk._pipeline.span_events import events_of
from agentops_sdk._recorder import program_provider
from agentops_sdk._version import VERSION
from agentops_sdk.config import warn_once
from agentops_sdk.exporters._event_records import EventRecord, SentEvent, log_record

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk._pipeline.sinks import Sink
    from agentops_sdk.config import Settings

__all__ = ["MODULE", "EventDelivery"]

MODULE: Final = "opentelemetry._logs"
_NONE: Final = ("ProxyLoggerProvider", "NoOpLoggerProvider")
_EMIT: Final = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"


class EventDelivery:
    """Makes the events of ended spans and hands them on.

    Args:
        settings: those in force.
        sinks: of events alone.
        files: sinks of spans that take events as well.
        identity: the process and our scope.
    """

    def __init__(
        self,
        settings: Settings,
        sinks: Sequence[Sink],
        files: Callable[[], Sequence[Sink]],
        identity: Callable[[], tuple[Resource, InstrumentationScope]],
    ) -> None:
        self.sinks = list(sinks)
        self._files, self._identity = files, identity
        self._allowed = "none" not in settings.events
        self._automatic = settings.origins.get("events", "").startswith("environment OTEL_")
        self._in_files = {name for name in settings.events if name in ("jsonl", "memory")}
        if settings.event_content and self._allowed:
            self._in_files.add("jsonl")  # where content is on events only, files have it there
        self._content = settings.event_content
        self._details = _wants_details()
        self._chosen_state = bool(settings.semconv)
        self.wanted = self._allowed and bool(self.sinks or self._in_files)
        """Whether anybody but the program's own provider takes events."""
        self._logger: Any = None
        self._provider: Any = None

    def add(self, spans: Sequence[tuple[ReadableSpan, Mapping[str, Any]]]) -> None:
        """Spans that have ended and are exported, each with the content that its events have and it has not."""
        logger = self._program_logger()
        files = [sink for sink in self._files() if sink.name in self._in_files and sink.takes_events]
        sinks = [] if logger is not None and self._automatic else self.sinks  # it sends there already: once is enough
        if logger is None and not files and not sinks:
            return
        events: list[EventRecord] = []
        for span, content in spans:
            with guard("events.make"):
                events += events_of(
                    span, content, details=self._details, holds_content=self._content, chosen_state=self._chosen_state
                )
        if not events:
            return
        if logger is not None:
            for event in events:
                with guard("events.program"):
                    logger.emit(log_record(event))
        if sinks or files:
            resource, scope = self._identity()
            sent: Any = [SentEvent(event, resource, scope) for event in events]
            for sink in sinks:
                with guard(f"sink.{sink.name}"):
                    sink.put(sent)
            for sink in files:
                with guard(f"sink.{sink.name}"):
                    sink.put_events(sent)

    def _program_logger(self) -> Any:
        provider = _provider() if self._allowed else None
        if provider is not self._provider:
            self._provider = provider
            self._logger = provider.get_logger("agentops_sdk", VERSION) if provider is not None else None
        return self._logger


def _provider() -> Any:
    if program_provider.chosen_logs is not None:
        return program_provider.chosen_logs
    if MODULE not in sys.modules:  # who has set one has imported it
        return None
    from opentelemetry._logs import get_logger_provider

    provider = get_logger_provider()
    return None if type(provider).__name__ in _NONE else provider


def _wants_details() -> bool:
    """Whether a model call's details are told: to everybody who takes events, unless the variable says otherwise.

    Where content goes is another question: a call's model, settings and tokens are told without it, too.
    """
    text = os.environ.get(_EMIT, "").strip().lower()
    if text not in ("", "true", "false"):
        warn_once(f"{_EMIT} is {text[:40]!r}; expected true or false. It is ignored.")
    return text != "false"

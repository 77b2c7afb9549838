"""The in-memory sink: the last spans, bounded, for tests and notebooks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk.config import Settings
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters._export_result import export_result
from agentops_sdk.exporters.contract import Create, SinkOptions

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class MemoryExporter(SinkOptions):
    """Keeps the last ``limit`` spans; safe to read from any thread while spans come in.

    A ``SpanExporter`` by shape (``export``, ``force_flush``, ``shutdown``), not by inheritance, so
    that it can be made before OpenTelemetry's SDK is imported.
    """

    inline = True

    def __init__(self, limit: int = 100_000) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ConfigError("limit", limit, "a whole number of at least 1")
        self._lock = threading.Lock()
        self._spans: deque[ReadableSpan] = deque(maxlen=limit)
        self._events: deque[Any] = deque(maxlen=limit)

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        with self._lock:
            self._spans.extend(spans)
        return export_result(success=True)

    def export_events(self, events: Sequence[Any]) -> bool:
        """Keep events as well, where the setting ``events`` names ``memory``."""
        with self._lock:
            self._events.extend(sent.event for sent in events)
        return True

    def finished_events(self) -> tuple[Any, ...]:
        """The events held, oldest first: each has a ``name``, ``attributes`` and the ids of its span."""
        with self._lock:
            return tuple(self._events)

    def finished_spans(self) -> tuple[ReadableSpan, ...]:
        """The spans held, oldest end first."""
        with self._lock:
            return tuple(self._spans)

    def clear(self) -> None:
        with self._lock:
            self._spans.clear()
            self._events.clear()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._spans.clear()
        self._events.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    def shutdown(self) -> None:
        """Keeps what it holds, so that a test can read it after ``shutdown()``."""


def create(argument: str | None, settings: Settings) -> MemoryExporter:
    """``"memory"`` or ``"memory:LIMIT"``."""
    if argument is None:
        return MemoryExporter()
    if not argument.isdigit():
        raise ConfigError("exporters", f"memory:{argument}", '"memory:LIMIT" with a whole number of spans')
    return MemoryExporter(int(argument))


_CREATE: Create = create  # a type checker sees here that it keeps the contract

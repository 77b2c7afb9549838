"""Metrics and events beside the spans: made of what ended, with sinks and accounts of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk._pipeline import delivery
from agentops_sdk._pipeline.host_meter import program_has_meters
from agentops_sdk._pipeline.span_metrics import SpanMetrics
from agentops_sdk.config import changes, warn_once
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk._pipeline.metric_reader import MetricReader
    from agentops_sdk._pipeline.sinks import Sink
    from agentops_sdk.config import Settings

    Identity = Callable[[], tuple[Resource, InstrumentationScope]]

__all__ = ["Signals"]

_OF_SINKS = ("directory", "spool_")


class Signals:
    """What a runtime has of metrics and events. Raises nothing once it is made.

    Args:
        settings: those in force.
        identity: the process and our scope.

    Raises:
        ConfigError: a sink cannot be made.
    """

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.settings = settings
        self._identity = identity
        self.metrics = SpanMetrics(settings)
        self.reader = self._make_reader(settings)
        self.metrics.on_measured = self.reader.begin if self.reader is not None else None

    def _make_reader(self, settings: Settings) -> MetricReader | None:
        wanted = [sink for sink in settings.metrics if sink != "none"]
        if not wanted:
            return None
        from agentops_sdk._pipeline.metric_reader import MetricReader

        sinks = [made for sink in wanted if (made := _made(sink, settings)) is not None]
        automatic = settings.origins.get("metrics", "").startswith("environment OTEL_")
        return MetricReader(
            lambda: self.metrics.store,
            sinks,
            self._identity,
            lambda: automatic and program_has_meters(),  # its own provider sends there already: once is enough
        )

    @property
    def sinks(self) -> list[Sink]:
        """Sinks of metrics and events."""
        return self.reader.sinks if self.reader is not None else []

    def reconfigure(self, settings: Settings) -> Callable[[], None]:
        """Go on by other settings; what is left to do once nothing can fail any more is returned.

        Raises:
            ConfigError: a sink cannot be made; nothing has changed then.
        """
        changed = changes(self.settings, settings)
        renew = "metrics" in changed or (
            self.reader is not None and any(name.startswith(_OF_SINKS) for name in changed)
        )
        reader = self._make_reader(settings) if renew else self.reader

        def take_on() -> None:
            before, self.reader = self.reader, reader
            self.settings = settings
            if before is not None and before is not reader:
                before.stop()
                with guard("signals.collect"):
                    before.collect(changed_only=True)
                delivery.close(before.sinks, time.monotonic() + settings.shutdown_timeout)
            self.metrics = self.metrics.reconfigure(settings)
            self.metrics.on_measured = reader.begin if reader is not None else None

        return take_on

    def flush(self, deadline: float) -> None:
        """Collect what is new, and have all of it delivered until ``deadline`` (monotonic seconds)."""
        if self.reader is not None:
            with guard("signals.collect"):
                self.reader.collect(changed_only=True)
        if self.sinks:
            delivery.flush(self.sinks, deadline)

    def end(self, deadline: float) -> None:
        """The same, and close the sinks."""
        if self.reader is not None:
            self.reader.stop()
            with guard("signals.collect"):
                self.reader.collect(changed_only=True)
        if self.sinks:
            delivery.close(self.sinks, deadline)

    def after_fork(self) -> None:
        """In a child: what was measured so far is the parent's."""
        self.metrics = SpanMetrics(self.settings)
        self.metrics.on_measured = self.reader.begin if self.reader is not None else None
        if self.reader is not None:
            self.reader.after_fork()


def _made(sink: Any, settings: Settings) -> tuple[Sink, bool] | None:
    """A sink of metrics, and whether it wants deltas."""
    from agentops_sdk._pipeline.metric_reader import prefers_delta
    from agentops_sdk._pipeline.sinks import adapt

    # Exporters of points, for adapters that know spans: what those look for in an exporter is the same.
    exporter: Any
    if not isinstance(sink, str):
        from agentops_sdk.exporters._official_metrics import OfficialMetrics

        exporter = OfficialMetrics(sink)
        return adapt(f"metrics {type(sink).__name__}", exporter, sink), _is_delta(sink)
    name, _, argument = sink.partition(":")
    if name == "console":
        from agentops_sdk.exporters._official_metrics import console

        exporter = console()
        return adapt("metrics console", exporter, sink), False
    from agentops_sdk.exporters.otlp.metric_exporter import create_metrics

    try:
        exporter = create_metrics(argument or None, settings)
    except ConfigError as error:
        if not settings.deployed("metrics"):
            raise
        origin = settings.origins.get("metrics", "").split()[-1]
        warn_once(f"{origin}: {sink!r} is ignored: {error}")
        return None
    return adapt("metrics otlp", exporter, sink), prefers_delta()


def _is_delta(exporter: Any) -> bool:
    """What a ``MetricExporter`` prefers for counters and histograms."""
    preferred = getattr(exporter, "_preferred_temporality", None) or {}
    return any(getattr(value, "name", "") == "DELTA" for value in preferred.values())

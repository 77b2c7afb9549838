"""Metrics and events beside the spans: made of what ended, with sinks and accounts of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard, logger
from agentops_sdk._pipeline import delivery
from agentops_sdk._pipeline.event_delivery import EventDelivery
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
        files: sinks of spans, which may take events as well.

    Raises:
        ConfigError: a sink cannot be made.
    """

    def __init__(self, settings: Settings, identity: Identity, files: Callable[[], Sequence[Sink]]) -> None:
        self.settings = settings
        self._identity = identity
        self.reader = self._make_reader(settings)
        self.metrics = SpanMetrics(settings, base2=self.reader is not None and self.reader.base2)
        self.metrics.on_measured = self.reader.begin if self.reader is not None else None
        self._files = files
        self.events = self._make_events(settings)

    def _make_events(self, settings: Settings) -> EventDelivery:
        wanted = [sink for sink in settings.events if sink not in ("none", "jsonl", "memory")]
        sinks = [sink for each in wanted if (sink := _sink(each, "events", settings)) is not None]
        return EventDelivery(settings, sinks, self._files, self._identity)

    def _make_reader(self, settings: Settings) -> MetricReader | None:
        wanted = [sink for sink in settings.metrics if sink != "none"]
        if not wanted:
            return None
        from agentops_sdk._pipeline.metric_reader import MetricReader, MetricSink

        sinks = [
            MetricSink(sink, _wants_delta(each), _wants_base2(each))
            for each in wanted
            if (sink := _sink(each, "metrics", settings)) is not None
        ]
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
        return [*(self.reader.sinks if self.reader is not None else ()), *self.events.sinks]

    def reconfigure(self, settings: Settings) -> Callable[[], list[Sink]]:
        """Go on by other settings; what is left to do once nothing can fail any more is returned.

        Called, it gives the sinks that are closed.

        Raises:
            ConfigError: a sink cannot be made; nothing has changed then.
        """
        changed = changes(self.settings, settings)
        renew = "metrics" in changed or (
            self.reader is not None and any(name.startswith(_OF_SINKS) for name in changed)
        )
        reader = self._make_reader(settings) if renew else self.reader
        renewed = bool({"events", "event_content", "semconv", "capture_content"}.intersection(changed)) or (
            bool(self.events.sinks) and any(name.startswith(_OF_SINKS) for name in changed)
        )
        events = self._make_events(settings) if renewed else self.events

        def take_on() -> list[Sink]:
            closed: list[Sink] = []
            before, self.reader = self.reader, reader
            self.settings = settings
            self.events, events_before = events, self.events
            if events_before is not events:
                closed += events_before.sinks
            if before is not None and before is not reader:
                before.stop()
                with guard("signals.collect"):
                    before.collect(changed_only=True)
                closed += before.sinks
            self.metrics = self.metrics.reconfigure(settings, base2=reader is not None and reader.base2)
            self.metrics.on_measured = reader.begin if reader is not None else None
            if closed:
                delivery.close(closed, time.monotonic() + settings.shutdown_timeout)
            return closed

        return take_on

    def note(self, metric: str, value: float, attributes: Mapping[str, Any]) -> None:
        """A measurement of which no span tells; on any thread."""
        self.metrics.note(metric, value, attributes)

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
        if not self.sinks:
            return
        delivery.close(self.sinks, deadline)
        for sink in self.sinks:
            account = sink.account()
            lost = sum(account["dropped"].values())
            waiting = 0 if account["details"].get("durable") else account["pending"]
            if lost or waiting:
                logger.warning(
                    "agentops_sdk: of %s, %d were lost and %d not delivered at shutdown", sink.name, lost, waiting
                )

    def after_fork(self) -> None:
        """In a child: what was measured so far is the parent's."""
        for sink in self.events.sinks:
            sink.after_fork()
        self.metrics = SpanMetrics(self.settings, base2=self.reader is not None and self.reader.base2)
        self.metrics.on_measured = self.reader.begin if self.reader is not None else None
        if self.reader is not None:
            self.reader.after_fork()


def _sink(setting: Any, signal: str, settings: Settings) -> Sink | None:
    """A sink of ``metrics`` or of ``events`` alone; ``None`` where a deployment names one that cannot be made.

    Raises:
        ConfigError: the program names one that cannot be made.
    """
    from agentops_sdk._pipeline.sinks import adapt
    from agentops_sdk.exporters import _official_exporter as official

    # Exporters of other items, for adapters that know spans: what those look for in an exporter is the same.
    exporter: Any
    is_metrics = signal == "metrics"
    if not isinstance(setting, str):
        exporter = official.official_metrics(setting) if is_metrics else official.official_events(setting)
        return adapt(f"{signal} {type(setting).__name__}", exporter, setting)
    name, _, argument = setting.partition(":")
    if name == "console":
        exporter = official.console_metrics() if is_metrics else official.console_events()
        return adapt(f"{signal} console", exporter, setting)
    from agentops_sdk.exporters.otlp.event_exporter import create_events
    from agentops_sdk.exporters.otlp.metric_exporter import create_metrics

    try:
        exporter = (create_metrics if is_metrics else create_events)(argument or None, settings)
    except ConfigError as error:
        if not settings.deployed(signal):
            raise
        warn_once(f"{settings.origins.get(signal, '').split()[-1]}: {setting!r} is ignored: {error}")
        return None
    return adapt(f"{signal} otlp", exporter, setting)


def _wants_delta(setting: Any) -> bool:
    """Whether a sink of metrics wants counters and histograms since the last time, and not since the start."""
    if isinstance(setting, str):
        from agentops_sdk._pipeline.metric_reader import prefers_delta

        return setting.partition(":")[0] == "otlp" and prefers_delta()
    preferred = getattr(setting, "_preferred_temporality", None) or {}
    return any(getattr(value, "name", "") == "DELTA" for value in preferred.values())


def _wants_base2(setting: Any) -> bool:
    """Whether a sink of metrics wants histograms with exponential buckets."""
    if isinstance(setting, str):
        from agentops_sdk._pipeline.metric_reader import prefers_base2

        return setting.partition(":")[0] == "otlp" and prefers_base2()
    preferred = getattr(setting, "_preferred_aggregation", None) or {}
    return any(type(value).__name__ == "ExponentialBucketHistogramAggregation" for value in preferred.values())

"""Measurements told to the program's own MeterProvider, if it has one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._host.guard import guard
from agentops_sdk._pipeline.metric_store import MOST_SERIES, OVERFLOW
from agentops_sdk._recorder import program_provider
from agentops_sdk._version import VERSION
from agentops_sdk.semconv_metrics import MetricRow, name_in

if TYPE_CHECKING:
    from agentops_sdk._pipeline.measurements import Measurement
    from agentops_sdk._pipeline.metric_store import Place
    from agentops_sdk.config import Settings

__all__ = ["MODULE", "HostMeter", "program_has_meters"]

MODULE: Final = "opentelemetry.metrics"
_NONE: Final = ("_ProxyMeterProvider", "NoOpMeterProvider")
_SCOPE: Final = "agentops_sdk"


class HostMeter:
    """Finds the provider that the program has set, also one that is set late, and makes its instruments once."""

    def __init__(self, settings: Settings) -> None:
        self.allowed = "none" not in settings.metrics
        """Whether the program wants our metrics in its own provider."""
        self._instruments: dict[str, Any] = {}
        self._provider: Any = None
        self._series: dict[str, set[tuple[Any, ...]]] = {}

    def record(self, measurements: Iterable[Measurement], place: Place | None, state: str) -> None:
        """Tell what one span measures. Consumer thread."""
        with guard("metrics.host"):
            provider = program_provider.chosen_meters or sys.modules[MODULE].get_meter_provider()
            if type(provider).__name__ in _NONE:
                return
            if provider is not self._provider:
                self._provider, self._instruments, self._series = provider, {}, {}
                self._meter = provider.get_meter(_SCOPE, VERSION)
            context = _context(place)
            for row, values, amount, times in measurements:
                if (name := name_in(row, state)) is None:
                    continue
                instrument = self._instruments.get(name)
                if instrument is None:
                    instrument = self._instruments[name] = self._make(name, row)
                attributes = self._attributes(name, row, values)
                for _ in range(times):
                    if row.buckets is None:
                        instrument.add(amount, attributes, context)
                    else:
                        instrument.record(amount, attributes, context)

    def _make(self, name: str, row: MetricRow) -> Any:
        if row.buckets is None:
            return self._meter.create_counter(name, row.unit, row.description)
        return self._meter.create_histogram(
            name, row.unit, row.description, explicit_bucket_boundaries_advisory=list(row.buckets)
        )

    def _attributes(self, name: str, row: MetricRow, values: tuple[Any, ...]) -> dict[str, Any]:
        known = self._series.setdefault(name, set())
        if values not in known:
            if len(known) >= MOST_SERIES:
                return {OVERFLOW: True}
            known.add(values)
        return {key: value for key, value in zip(row.attributes, values, strict=True) if value is not None}


def program_has_meters() -> bool:
    """Whether the program has set a MeterProvider of its own."""
    if program_provider.chosen_meters is not None:
        return True
    return MODULE in sys.modules and type(sys.modules[MODULE].get_meter_provider()).__name__ not in _NONE


def _context(place: Place | None) -> Any:
    """The context of the span that was measured: an exemplar names it."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if place is None:
        return Context()
    _, trace_id, span_id = place
    return set_span_in_context(
        NonRecordingSpan(SpanContext(trace_id, span_id, False, TraceFlags(TraceFlags.SAMPLED))), Context()
    )

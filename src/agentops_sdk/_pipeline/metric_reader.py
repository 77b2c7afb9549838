"""Collects the metrics every so often and gives them to their sinks: cumulative, or what came since the last time.

A thread of its own that starts with the first measurement; nothing is made before.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._pipeline.metric_store import OVERFLOW, Series
from agentops_sdk.config import warn_once
from agentops_sdk.exporters._metric_points import Point

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk._pipeline.metric_store import MetricStore, Table
    from agentops_sdk._pipeline.sinks import Sink

__all__ = ["MetricReader", "prefers_delta"]

_INTERVAL: Final = 60.0
_PREFERENCE: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_AGGREGATION: Final = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
_FILTER: Final = "OTEL_METRICS_EXEMPLAR_FILTER"

Key = tuple[str, tuple[Any, ...] | None]


class _Taken(NamedTuple):
    """All series at one moment; ``since_ns`` is that of the one before."""

    series: list[tuple[Table, tuple[Any, ...] | None, Series]]
    since_ns: int
    now_ns: int


class MetricReader:
    """Reads the store for one or more sinks.

    Args:
        store: what is read.
        sinks: each with whether it wants deltas.
        identity: the process and our scope.
        paused: whether the program's own provider sends them already.
    """

    def __init__(
        self,
        store: Callable[[], MetricStore],
        sinks: Sequence[tuple[Sink, bool]],
        identity: Callable[[], tuple[Resource, InstrumentationScope]],
        paused: Callable[[], bool],
    ) -> None:
        self._store, self._sinks, self._identity, self._paused = store, sinks, identity, paused
        self._interval = _interval()
        self._exemplars = _wants_exemplars()
        if os.environ.get(_AGGREGATION, "").strip().lower() not in ("", "explicit_bucket_histogram"):
            warn_once(
                f"{_AGGREGATION}: histograms are sent with the buckets that the conventions advise. It is ignored."
            )
        self._new_primitives()

    def _new_primitives(self) -> None:
        self._changed = threading.Condition()
        self._collecting = threading.Lock()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._before: dict[Key, Series] = {}
        self._since_ns = 0
        self._seen = -1

    @property
    def sinks(self) -> list[Sink]:
        """Where metrics go."""
        return [sink for sink, _ in self._sinks]

    def begin(self) -> None:
        """There is something to send. Called for every slice of spans."""
        if self._thread is None and not self._stopped:
            self._thread = OwnThread("metrics", self._run)
            with guard("metrics.start"):
                self._thread.start()

    def stop(self) -> None:
        """Let the thread go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def after_fork(self) -> None:
        """In a child: all begins anew, the figures among it."""
        self._new_primitives()
        for sink in self.sinks:
            sink.after_fork()

    def _run(self) -> None:
        for sink in self.sinks:
            sink.watch_children()  # what dead processes left is sent now, not with the first collection
        while True:
            with self._changed:
                if not self._stopped:
                    self._changed.wait(self._interval)
                if self._stopped:
                    return
            with guard("metrics.collect"):
                self.collect()

    def collect(self, *, changed_only: bool = False) -> None:
        """Give every sink the figures of now; with ``changed_only``, nothing where nothing has been measured since."""
        if self._paused():
            return
        with self._collecting:
            store = self._store()
            if changed_only and store.additions == self._seen:
                return
            self._seen = store.additions
            taken = self._take(store)
            if not taken.series:
                return
            resource, scope = self._identity()
            for sink, delta in self._sinks:
                points: list[Any] = [
                    Point(table.name, table.row, delta, data, resource, scope)
                    for table, values, series in taken.series
                    if (data := self._data(table, values, series, taken, store.started_ns, delta=delta)) is not None
                ]
                if points:
                    sink.put(points)
            self._before = {(table.name, values): series for table, values, series in taken.series}
            self._since_ns = taken.now_ns

    def _take(self, store: MetricStore) -> _Taken:
        with store.lock:
            series = [
                (table, values, figures.take()) for table in store.tables for values, figures in table.series.items()
            ]
            return _Taken(series, self._since_ns, time.time_ns())

    def _data(
        self,
        table: Table,
        values: tuple[Any, ...] | None,
        series: Series,
        taken: _Taken,
        started_ns: int,
        *,
        delta: bool,
    ) -> Any:
        """OpenTelemetry's data point of one series; ``None`` where there is nothing to tell."""
        from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint

        start = (taken.since_ns or started_ns) if delta else started_ns
        before = self._before.get((table.name, values)) if delta else None
        counts, count, total = series.counts, series.count, series.recent_total if delta else series.total
        low, high = (series.recent_low, series.recent_high) if delta else (series.low, series.high)
        if before is not None:
            counts = [now - then for now, then in zip(counts, before.counts, strict=True)]
            count -= before.count
        if delta and not (count or total):
            return None
        attributes = _attributes(table, values)
        exemplars = self._examples(series, taken.since_ns)
        if table.row.buckets is None:
            return NumberDataPoint(attributes, start, taken.now_ns, total, exemplars)
        return HistogramDataPoint(
            attributes, start, taken.now_ns, count, total, counts, table.row.buckets, low, high, exemplars
        )

    def _examples(self, series: Series, since_ns: int) -> list[Any]:
        from opentelemetry.sdk.metrics import Exemplar

        if not self._exemplars:
            return []
        return [
            Exemplar({}, value, time_ns, span_id, trace_id)
            for value, (time_ns, trace_id, span_id) in series.exemplars.values()
            if time_ns > since_ns
        ]


def _attributes(table: Table, values: tuple[Any, ...] | None) -> dict[str, Any]:
    if values is None:
        return {OVERFLOW: True}
    return {name: value for name, value in zip(table.row.attributes, values, strict=True) if value is not None}


def prefers_delta() -> bool:
    """Whether ``OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`` asks for deltas."""
    preference = os.environ.get(_PREFERENCE, "").strip().lower()
    if preference not in ("", "cumulative", "delta", "lowmemory"):
        warn_once(f"{_PREFERENCE} is {preference[:40]!r}; expected cumulative, delta or lowmemory. It is ignored.")
    return preference in ("delta", "lowmemory")


def _wants_exemplars() -> bool:
    """By ``OTEL_METRICS_EXEMPLAR_FILTER``; every measurement is made of a span, so there is no third way."""
    word = os.environ.get(_FILTER, "").strip().lower()
    if word not in ("", "trace_based", "always_on", "always_off"):
        warn_once(f"{_FILTER} is {word[:40]!r}; expected trace_based, always_on or always_off. It is ignored.")
    return word != "always_off"


def _interval() -> float:
    """Seconds between two collections, by ``OTEL_METRIC_EXPORT_INTERVAL`` in milliseconds."""
    text = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    if not text:
        return _INTERVAL
    try:
        milliseconds = float(text)
    except ValueError:
        milliseconds = 0.0
    if not 0 < milliseconds < float("inf"):
        warn_once(f"OTEL_METRIC_EXPORT_INTERVAL is {text[:40]!r}; expected milliseconds above 0. It is ignored.")
        return _INTERVAL
    return milliseconds / 1000

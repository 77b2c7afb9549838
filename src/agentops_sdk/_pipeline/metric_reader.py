"""Collects the metrics every so often and gives them to their sinks: cumulative, or what came since the last time.

A thread of its own that starts with the first measurement; nothing is made before.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
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

    from agentops_sdk._pipeline.base2_buckets import Base2Buckets
    from agentops_sdk._pipeline.metric_store import MetricStore, Table
    from agentops_sdk._pipeline.sinks import Sink

__all__ = ["MetricReader", "MetricSink", "prefers_base2", "prefers_delta"]

_INTERVAL: Final = 60.0
_PREFERENCE: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_AGGREGATION: Final = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
_EXPLICIT: Final = "explicit_bucket_histogram"
_BASE2: Final = "base2_exponential_bucket_histogram"
_FILTER: Final = "OTEL_METRICS_EXEMPLAR_FILTER"

_INSTANCE: Final = "service.instance.id"

Key = tuple[str, tuple[Any, ...] | None]


class MetricSink(NamedTuple):
    """Where metrics go, and as what.

    Attributes:
        sink: it.
        delta: whether it wants what came since the last time, and not since the start.
        base2: whether it wants histograms with exponential buckets.
    """

    sink: Sink
    delta: bool
    base2: bool


class _Taken(NamedTuple):
    """All series at one moment; ``since_ns`` is that of the one before."""

    series: list[tuple[Table, tuple[Any, ...] | None, Series]]
    since_ns: int
    now_ns: int


class MetricReader:
    """Reads the store for one or more sinks.

    Args:
        store: what is read.
        sinks: each with what it wants.
        identity: the process and our scope.
        paused: whether the program's own provider sends them already.
    """

    def __init__(
        self,
        store: Callable[[], MetricStore],
        sinks: Sequence[MetricSink],
        identity: Callable[[], tuple[Resource, InstrumentationScope]],
        paused: Callable[[], bool],
    ) -> None:
        self._store, self._sinks, self._identity, self._paused = store, sinks, identity, paused
        self._interval = _interval()
        self._exemplars = _wants_exemplars()
        self.base2 = any(sink.base2 for sink in sinks)
        """Whether the store has to keep exponential buckets."""
        self._new_primitives()

    def _new_primitives(self) -> None:
        self._changed = threading.Condition()
        self._collecting = threading.Lock()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._before: dict[Key, Series] = {}
        self._since_ns = 0
        self._seen = -1
        self._instance = str(uuid.uuid4())

    @property
    def sinks(self) -> list[Sink]:
        """Where metrics go."""
        return [each.sink for each in self._sinks]

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
            about, scope = self._identity()
            resource = self._one_of_many(about)
            for to in self._sinks:
                points: list[Any] = [
                    Point(table.name, table.row, to.delta, data, resource, scope)
                    for table, values, series in taken.series
                    if (data := self._data(table, values, series, taken, store.started_ns, to)) is not None
                ]
                if points:
                    to.sink.put(points)
            self._before = {(table.name, values): series for table, values, series in taken.series}
            self._since_ns = taken.now_ns

    def _one_of_many(self, resource: Resource) -> Resource:
        """With an id of the process: by it backends keep the series of several workers of a service apart."""
        if _INSTANCE in resource.attributes:
            return resource
        return type(resource)({**resource.attributes, _INSTANCE: self._instance}, resource.schema_url)

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
        to: MetricSink,
    ) -> Any:
        """OpenTelemetry's data point of one series; ``None`` where there is nothing to tell."""
        from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint

        delta = to.delta
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
        if to.base2 and (base2 := series.recent_base2 if delta else series.base2) is not None:
            return _exponential(base2, attributes, (start, taken.now_ns), total, (low, high), exemplars)
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


def _exponential(
    base2: Base2Buckets,
    attributes: dict[str, Any],
    times_ns: tuple[int, int],
    total: float,
    extremes: tuple[float, float],
    exemplars: list[Any],
) -> Any:
    """OpenTelemetry's data point of exponential buckets."""
    from opentelemetry.sdk.metrics.export import Buckets, ExponentialHistogramDataPoint

    positive, negative = (
        Buckets(
            low := min(side, default=0), [side.get(index, 0) for index in range(low, max(side) + 1)] if side else []
        )
        for side in (base2.positive, base2.negative)
    )
    scale = base2.scale if base2.positive or base2.negative else 0  # of zeros alone there is none
    return ExponentialHistogramDataPoint(
        attributes, *times_ns, base2.count, total, scale, base2.zeros, positive, negative, 0, *extremes, exemplars
    )


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


def prefers_base2() -> bool:
    """Whether ``OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`` asks for exponential buckets."""
    word = os.environ.get(_AGGREGATION, "").strip().lower()
    if word not in ("", _EXPLICIT, _BASE2):
        warn_once(f"{_AGGREGATION} is {word[:40]!r}; expected {_EXPLICIT} or {_BASE2}. It is ignored.")
    return word == _BASE2


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

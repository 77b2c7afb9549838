"""Series of metrics in memory: histograms and sums since the start, few enough for whoever stores them.

The consumer thread adds; readers take a copy under the lock that one slice of spans is added under.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from agentops_sdk._pipeline.base2_buckets import Base2Buckets
from agentops_sdk.config import log_once
from agentops_sdk.semconv_metrics import ROWS, MetricRow, name_in

__all__ = ["MOST_SERIES", "OVERFLOW", "MetricStore", "Place", "Series", "Table"]

MOST_SERIES: Final = 200
"""Of one metric; all that come later are one more series."""
OVERFLOW: Final = "otel.metric.overflow"
_MOST_CHARS: Final = 120  # of one attribute's value


Place = tuple[int, int, int]
"""When a span ended (nanoseconds since the epoch), its trace id and its own."""


class Series:
    """One series: of a histogram by buckets, of a counter the total alone."""

    __slots__ = (
        "base2", "count", "counts", "exemplars", "high", "low", "recent_base2", "recent_high", "recent_low",
        "recent_total", "total",
    )  # fmt: skip

    def __init__(self, buckets: int, *, base2: bool = False) -> None:
        self.counts = [0] * buckets
        self.count = 0
        self.total: float = 0
        self.recent_total: float = 0  # apart: of floats, the difference of two totals is not what came between
        self.low = self.recent_low = float("inf")
        self.high = self.recent_high = float("-inf")
        """``recent``: since the last :meth:`take`."""
        self.exemplars: dict[int, tuple[float, Place]] = {}
        """The last measurement of each bucket whose span is kept; of a counter, under 0."""
        self.base2 = Base2Buckets() if base2 else None
        """Until the last :meth:`take`: what came since is apart, for it may have finer buckets."""
        self.recent_base2 = Base2Buckets() if base2 else None

    def take(self) -> Series:
        """Its figures of now; the extremes of what comes from now on begin anew."""
        twin = self.copy()
        self.recent_low, self.recent_high, self.recent_total = float("inf"), float("-inf"), 0
        if self.base2 is not None and self.recent_base2 is not None:
            self.base2.merge(self.recent_base2)
            twin.base2, twin.recent_base2 = Base2Buckets(), self.recent_base2
            twin.base2.merge(self.base2)
            self.recent_base2 = Base2Buckets()
        return twin

    def copy(self) -> Series:
        """Its figures of now, without buckets that only :meth:`take` gives."""
        twin = Series(0)
        twin.counts, twin.exemplars = list(self.counts), dict(self.exemplars)
        for name in ("count", "total", "recent_total", "low", "high", "recent_low", "recent_high"):
            setattr(twin, name, getattr(self, name))
        return twin


class Table:
    """The series of one metric, by the values of its attributes."""

    __slots__ = ("name", "overflowed", "row", "series")

    def __init__(self, name: str, row: MetricRow) -> None:
        self.name = name
        self.row = row
        self.series: dict[tuple[Any, ...] | None, Series] = {}
        """``None`` is the series of all for which there was no room."""
        self.overflowed = 0


class MetricStore:
    """Every metric of one state of the conventions, since ``started_ns``.

    Args:
        state: of the conventions.
        base2: whether histograms are kept in exponential buckets beside those that the conventions advise.
    """

    def __init__(self, state: str, *, base2: bool = False) -> None:
        self.state = state
        self.base2 = base2
        self.started_ns = time.time_ns()
        self.lock = threading.Lock()
        self.additions = 0
        """Spans that were measured."""
        by_name: dict[str, Table] = {}
        self._tables: dict[MetricRow, Table] = {}
        for row in ROWS:
            if (name := name_in(row, state)) is not None:
                self._tables[row] = by_name.setdefault(name, Table(name, row))
        self.tables = tuple(by_name.values())

    def add(
        self, measurements: Iterable[tuple[MetricRow, tuple[Any, ...], float, int]], at: Place | None, spans: int = 1
    ) -> None:
        """Add what one span measures; ``at`` is where it can be looked up, if it can.

        Of several ``spans``, each of which measures the same, counters alone: no histogram is added to.
        """
        tables = self._tables
        self.additions += spans
        for row, values, amount, times in measurements:
            table = tables.get(row)
            if table is None:
                continue
            try:
                series = table.series.get(values)
            except TypeError:  # somebody put a list where a text belongs
                series = None
            if series is None:
                series = self._new_series(table, values)
            if row.buckets is None:
                series.total += amount * spans
                series.recent_total += amount * spans
                bucket = 0
            else:
                bucket = bisect_left(row.buckets, amount)
                series.counts[bucket] += times
                series.count += times
                series.total += amount * times
                series.recent_total += amount * times
                if amount < series.recent_low:
                    series.recent_low = amount
                    series.low = min(series.low, amount)
                if amount > series.recent_high:
                    series.recent_high = amount
                    series.high = max(series.high, amount)
                if series.recent_base2 is not None:
                    series.recent_base2.add(amount, times)
            if at is not None:
                series.exemplars[bucket] = (amount, at)

    def _new_series(self, table: Table, values: tuple[Any, ...]) -> Series:
        key: tuple[Any, ...] | None = tuple(_short(value) for value in values)
        if key not in table.series and len(table.series) >= MOST_SERIES:
            key = None
            if not table.overflowed:
                log_once(f"the metric {table.name} has more than {MOST_SERIES} series: further ones are one series.")
            table.overflowed += 1
        series = table.series.get(key)
        if series is None:
            bounds = table.row.buckets
            series = table.series[key] = Series(0) if bounds is None else Series(len(bounds) + 1, base2=self.base2)
        return series

    @property
    def overflowed(self) -> Counter[str]:
        """By metric, the measurements that are in no series of their own."""
        return Counter({table.name: table.overflowed for table in self.tables if table.overflowed})


def _short(value: Any) -> Any:
    """A value as an attribute of a series has it: plain, and not long."""
    if value is None or type(value) in (bool, int, float):
        return value
    text = value if type(value) is str else str(value)
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"

"""Counts what passes the consumer thread, for metrics: spans, tokens, durations and cost, in few series."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""Bucket bounds as the GenAI conventions advise them."""

_SERIES = 200
OTHER: Final = "other"


class Histogram:
    """Counts per bucket and their sum; the last bucket has no upper bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Tally:
    """Written by the consumer thread only; readers may see a series a moment old.

    Labels are (operation, provider, model). Past ``_SERIES`` different ones, further models count as
    ``other``: a model name is often made up at run time, and must not grow a metrics server without bound.
    """

    def __init__(self) -> None:
        self.spans: Counter[tuple[str, str]] = Counter()
        self.durations = defaultdict[tuple[str, ...], Histogram](lambda: Histogram(SECONDS))
        self.tokens = defaultdict[tuple[str, ...], Histogram](lambda: Histogram(TOKENS))
        self.cost: Counter[tuple[str, ...]] = Counter()
        self._series: set[tuple[str, str, str]] = set()

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        for span in spans:
            self._one(span)

    def _one(self, span: ReadableSpan) -> None:
        attributes: Any = span.attributes or {}
        outcome = str(attributes.get(semconv.OUTCOME) or ("error" if not span.status.is_ok else "ok"))
        kind = attributes.get(semconv.KIND)
        self.spans[kind if kind in semconv.KINDS else "span", outcome if outcome in semconv.OUTCOMES else "ok"] += 1
        operation = attributes.get(semconv.OPERATION_NAME)
        if operation is None or attributes.get(semconv.CACHED) is True:
            return
        series = self._bounded(attributes, str(operation))
        error = str(attributes.get(semconv.ERROR_TYPE, ""))[:60] if outcome == "error" else ""
        if error and (*series, error) not in self.durations and len(self.durations) >= 2 * _SERIES:
            error = OTHER
        seconds = max(0, (span.end_time or 0) - (span.start_time or 0)) / 1e9
        self.durations[*series, error].add(seconds)
        for name, side in ((semconv.USAGE_INPUT_TOKENS, "input"), (semconv.USAGE_OUTPUT_TOKENS, "output")):
            count = attributes.get(name)
            if isinstance(count, int):
                self.tokens[*series, side].add(count)
        amount = attributes.get(semconv.COST_AMOUNT)
        if isinstance(amount, float | int):
            self.cost[(*series, str(attributes.get(semconv.COST_CURRENCY, "USD")))] += amount  # type: ignore[assignment]  # a Counter of money, not of whole numbers

    def _bounded(self, attributes: Any, operation: str) -> tuple[str, str, str]:
        model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL) or ""
        series = (operation, str(attributes.get(semconv.PROVIDER_NAME, "")), str(model))
        if series not in self._series:
            if len(self._series) >= _SERIES:
                return (operation if operation in semconv.KIND_OF_OPERATION else OTHER, OTHER, OTHER)
            self._series.add(series)
        return series

"""The Prometheus page: spans, drops, queue, sinks and the GenAI metrics, through the official client.

A reader that asks for OpenMetrics gets it, with exemplars: the trace that a measurement was made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._limits import breakers
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._pipeline.metric_store import OVERFLOW
from agentops_sdk.health import health
from agentops_sdk.status import status

if TYPE_CHECKING:
    from agentops_sdk._pipeline.metric_store import MetricStore, Series, Table

__all__ = ["page"]

_LABELS = {semconv.KIND: "kind", semconv.OUTCOME: "outcome", semconv.COST_CURRENCY: "currency"}
"""Labels that are shorter than their attributes' names."""
_OTHER = "other"


def page(accept: str = "") -> tuple[str, bytes]:
    """The metrics as Prometheus reads them, and their content type.

    Args:
        accept: the request's header of that name: it may ask for OpenMetrics.

    Raises:
        ImportError: ``prometheus-client`` is not installed (the extra ``prometheus`` brings it).
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    # A registry for each page: nothing of ours stays in the host's global one.
    registry = CollectorRegistry()
    registry.register(_Collector())
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Collector:
    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import GaugeMetricFamily

        now, verdict = status(), health().status
        up = GaugeMetricFamily("agentops_up", "1 while the SDK records")
        up.add_metric([], float(now.enabled))
        well = GaugeMetricFamily("agentops_health", "0 failing, 1 degraded, 2 ok")
        well.add_metric([], float(("failing", "degraded", "ok").index(verdict)))
        yield from (up, well)
        running = process_runtime.current
        if running is None:
            return
        yield from _spans(now.spans)
        oldest = GaugeMetricFamily("agentops_oldest_open_run_seconds", "Age of the run that is open longest")
        oldest.add_metric([], max((run.age for run in now.runs), default=0.0))
        running_runs = GaugeMetricFamily("agentops_running_runs", "Runs that have not ended, 100 at most")
        running_runs.add_metric([], len(now.runs))
        yield from (oldest, running_runs)
        yield from _sinks(now.sinks)
        yield from _measured(running.signals.metrics.store)
        overflowed = dict(running.signals.metrics.store.overflowed)
        text = "Measurements without a series of their own, as there were too many"
        yield _counter("agentops_metric_overflow", text, overflowed, "metric")
        yield from _breakers()
        yield _counter("agentops_contained_errors", "Errors of ours that were contained", now.guard_errors, "site")
        busy = {"": now.overhead["consumer_seconds"]}
        yield _counter("agentops_consumer_cpu_seconds", "CPU time of the consumer thread", busy)


def _counter(name: str, text: str, values: dict[str, Any], label: str | None = None) -> Any:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family


def _spans(spans: dict[str, int]) -> Iterable[Any]:
    from prometheus_client.core import GaugeMetricFamily

    totals = {name: spans[name] for name in ("started", "ended", "dropped", "sampled_out")}
    totals["sampled_out"] -= spans["undecided"]  # what may be exported yet is no part of a figure that only grows
    for name, value in totals.items():
        yield _counter(f"agentops_spans_{name}", f"Spans {name.replace('_', ' ')}", {"": value})
    for name in ("open", "queued", "undecided"):
        gauge = GaugeMetricFamily(f"agentops_spans_{name}", f"Spans {name} now")
        gauge.add_metric([], spans[name])
        yield gauge


def _sinks(sinks: dict[str, Any]) -> Iterable[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

    accepted = CounterMetricFamily("agentops_sink_spans_accepted", "Spans given to a sink", labels=["sink"])
    exported = CounterMetricFamily("agentops_sink_spans_exported", "Spans a sink delivered", labels=["sink"])
    lost = CounterMetricFamily("agentops_sink_spans_lost", "Spans a sink lost", labels=["sink", "reason"])
    retries = CounterMetricFamily("agentops_sink_retries", "Failed attempts that are tried again", labels=["sink"])
    pending = GaugeMetricFamily("agentops_sink_spans_pending", "Spans that wait", labels=["sink"])
    spooled = GaugeMetricFamily("agentops_sink_spooled_bytes", "Bytes in the spool", labels=["sink"])
    latency = SummaryMetricFamily("agentops_sink_export_seconds", "Time in a sink's export", labels=["sink"])
    requests = SummaryMetricFamily("agentops_sink_request_seconds", "Time of a sink's requests", labels=["sink"])
    for name, sink in sinks.items():
        accepted.add_metric([name], sink.accepted)
        exported.add_metric([name], sink.exported)
        pending.add_metric([name], sink.pending)
        latency.add_metric([name], count_value=sink.exports, sum_value=sink.export_seconds)
        for reason, count in sink.dropped.items():
            lost.add_metric([name, reason], count)
        if "spooled_bytes" in sink.details:
            spooled.add_metric([name], sink.details["spooled_bytes"])
            retries.add_metric([name], sink.details["retries"])
            requests.add_metric([name], count_value=sink.details["requests"], sum_value=sink.details["request_seconds"])
    return accepted, exported, lost, retries, pending, spooled, latency, requests


def _breakers() -> Iterable[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    labels = ["gen_ai_provider_name", "gen_ai_request_model"]
    state = GaugeMetricFamily("agentops_breaker_state", "0 closed, 1 half-open, 2 open", labels=labels)
    for key, name in breakers.states().items():
        state.add_metric(list(key), float(breakers.STATES.index(name)))
    refused = CounterMetricFamily("agentops_breaker_refused", "Calls that an open breaker refused", labels=labels)
    for key, count in list(breakers.refused.items()):
        refused.add_metric(list(key), count)
    return state, refused


def _measured(store: MetricStore) -> Iterable[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    with store.lock:
        tables = [
            (table, [(values, series.copy()) for values, series in table.series.items()]) for table in store.tables
        ]
    for table, rows in tables:
        if not rows:
            continue
        row = table.row
        labels = [_LABELS.get(name, name.replace(".", "_")) for name in row.attributes]
        if any(values is None for values, _ in rows):
            labels.append(OVERFLOW.replace(".", "_"))
        name = table.name.replace(".", "_") + ("_seconds" if row.unit == "s" else "")
        kind: Any = CounterMetricFamily if row.buckets is None else HistogramMetricFamily
        family = kind(name, row.description, labels=labels)
        for values, series in rows:
            texts = [*map(_text, values), ""] if values is not None else [_OTHER] * len(row.attributes) + ["true"]
            if row.buckets is None:
                family.add_metric(texts[: len(labels)], series.total, exemplar=_exemplar(series, 0))
            else:
                family.add_metric(texts[: len(labels)], _buckets(table, series), series.total)
        yield family


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if type(value) is bool else str(value)


def _buckets(table: Table, series: Series) -> list[Any]:
    bounds = [*(str(float(bound)) for bound in table.row.buckets or ()), "+Inf"]
    counts = map(float, accumulate(series.counts))
    return [
        (bound, count, exemplar) if (exemplar := _exemplar(series, bucket)) is not None else (bound, count)
        for bucket, (bound, count) in enumerate(zip(bounds, counts, strict=True))
    ]


def _exemplar(series: Series, bucket: int) -> Any:
    from prometheus_client.samples import Exemplar

    known = series.exemplars.get(bucket)
    if known is None:
        return None
    value, (time_ns, trace_id, span_id) = known
    return Exemplar({"trace_id": f"{trace_id:032x}", "span_id": f"{span_id:016x}"}, value, time_ns / 1e9)

"""The Prometheus page: spans, drops, queue, sinks and the GenAI metrics, through the official client."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from agentops_sdk._limits import breakers
from agentops_sdk._pipeline import runtime
from agentops_sdk.health import health
from agentops_sdk.status import status

if TYPE_CHECKING:
    from agentops_sdk._pipeline.span_metrics import Histogram, Tally

__all__ = ["CONTENT_TYPE", "page"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SERIES = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_response_model")


def page() -> bytes:
    """The metrics as Prometheus reads them.

    Raises:
        ImportError: ``prometheus-client`` is not installed (the extra ``prometheus`` brings it).
    """
    from prometheus_client import CollectorRegistry, generate_latest

    # A registry for each page: nothing of ours stays in the host's global one.
    registry = CollectorRegistry()
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import GaugeMetricFamily

        now, verdict = status(), health().status
        up = GaugeMetricFamily("agentops_up", "1 while the SDK records")
        up.add_metric([], float(now.enabled))
        well = GaugeMetricFamily("agentops_health", "0 failing, 1 degraded, 2 ok")
        well.add_metric([], float(("failing", "degraded", "ok").index(verdict)))
        yield from (up, well)
        running = runtime.current
        if running is None:
            return
        yield from _spans(now.spans)
        oldest = GaugeMetricFamily("agentops_oldest_open_run_seconds", "Age of the run that is open longest")
        oldest.add_metric([], max((run.age for run in now.runs), default=0.0))
        running_runs = GaugeMetricFamily("agentops_running_runs", "Runs that have not ended, 100 at most")
        running_runs.add_metric([], len(now.runs))
        yield from (oldest, running_runs)
        yield from _sinks(now.sinks)
        yield from _gen_ai(running.tally)
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


def _gen_ai(tally: Tally) -> Iterable[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    spans = CounterMetricFamily("agentops_spans", "Spans by kind and outcome", labels=["kind", "outcome"])
    for labels, count in list(tally.spans.items()):
        spans.add_metric(list(labels), count)
    duration = HistogramMetricFamily(
        "gen_ai_client_operation_duration_seconds", "GenAI operation duration", labels=[*_SERIES, "error_type"]
    )
    for series, histogram in list(tally.durations.items()):
        duration.add_metric(list(series), _buckets(histogram), histogram.total)
    tokens = HistogramMetricFamily(
        "gen_ai_client_token_usage", "Input and output tokens used", labels=[*_SERIES, "gen_ai_token_type"]
    )
    for series, histogram in list(tally.tokens.items()):
        tokens.add_metric(list(series), _buckets(histogram), histogram.total)
    cost = CounterMetricFamily("agentops_cost", "Cost of calls whose price is known", labels=[*_SERIES, "currency"])
    for series, amount in list(tally.cost.items()):
        cost.add_metric(list(series), amount)
    return spans, duration, tokens, cost


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, map(float, accumulate(histogram.counts)), strict=True))

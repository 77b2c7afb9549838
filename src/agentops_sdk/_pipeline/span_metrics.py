"""Metrics of ended spans: measured on the consumer thread, kept here, and told to the program's MeterProvider."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._pipeline.host_meter import MODULE, HostMeter
from agentops_sdk._pipeline.measurements import LABELS, EndedWork, Measurement, Measurements
from agentops_sdk._pipeline.metric_store import MetricStore, Place
from agentops_sdk._recorder.recorder import LeanSpan
from agentops_sdk._scrub.private_form import attributes_of
from agentops_sdk.semconv_metrics import ROWS
from agentops_sdk.traces.formats.finished_span import FinishedSpan, SpanForm

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk._recorder.host_provider import EndedSpan
    from agentops_sdk._recorder.span_completion import Completer
    from agentops_sdk._scrub.policy import Policy
    from agentops_sdk.config import Settings

_MOST_FORMS: Final = 1_024


class SpanMetrics:
    """Measures each ended span once; written by the consumer thread only.

    Args:
        settings: those in force.
        base2: whether somebody wants histograms with exponential buckets.
    """

    def __init__(self, settings: Settings, *, base2: bool = False) -> None:
        self.state = settings.semconv or "pin"
        self.store = MetricStore(self.state, base2=base2)
        self.host = HostMeter(settings)
        self._measurements = Measurements(self.state)
        self.forget_ended = self._measurements.forget_ended
        self.below: Collection[int] = self._measurements.below
        """Open spans of which something is known; while there are any, each span that ends is told by itself."""
        self.on_measured: Callable[[], None] | None = None
        """Called for each span; ``None`` where nobody sends the figures."""

        self.steps: set[SpanForm] = set()
        """Forms of steps of which each measures no more than that it ended: those of a slice may be counted first."""

    def add_steps(self, counted: Mapping[SpanForm, int], last: Mapping[SpanForm, FinishedSpan]) -> None:
        """Of a slice, how many spans of each form have ended, and the last of each; forms of :attr:`steps` alone."""
        told: list[tuple[list[Measurement], int, Place]] = []
        for form, count in counted.items():
            span = last[form]
            context: Any = span.context
            measured = self._measurements.of_step(span.attributes, (), failed=False)
            told.append((measured, count, (span.end_time, context[0], context[1])))
        with self.store.lock:
            for measured, count, place in told:
                self.store.add(measured, place, count)
        if self.host.allowed and MODULE in sys.modules:
            for measured, count, place in told:
                self.host.record(measured * count, place, self.state)
        if self.on_measured is not None:
            self.on_measured()

    def reconfigure(self, settings: Settings, *, base2: bool) -> SpanMetrics:
        """Go on by other settings: where names change, or buckets that were not kept are wanted, all begins anew."""
        if (settings.semconv or "pin") != self.state or (base2 and not self.store.base2):
            return SpanMetrics(settings, base2=base2)
        self.host = HostMeter(settings)
        return self

    def add(self, span: ReadableSpan, *, kept: bool) -> None:
        """A completed span; ``kept``: whether it is exported."""
        context, parent = span.context, span.parent  # asked by place: by name, each answer takes a call
        assert context is not None
        attributes, events, failed = span.attributes or {}, span.events, not span.status.is_ok
        measurements = self._measurements.of_step(attributes, events, failed=failed)
        if not measurements:
            work = EndedWork(
                attributes,
                span.kind,
                max(0, (span.end_time or 0) - (span.start_time or 0)) / 1e9,
                failed,
                context[1],
                0 if parent is None or parent[2] else parent[1],
                [(event.name, event.attributes or {}) for event in events] if events else (),
            )
            measurements = self._measurements.of(work)
        elif (form := getattr(span, "form", None)) is not None:
            if len(self.steps) >= _MOST_FORMS:
                self.steps.clear()
            self.steps.add(form)
        self._measured(measurements, (span.end_time or 0, context[0], context[1]) if kept else None)

    def add_unsampled(self, ended: LeanSpan | EndedSpan, completer: Completer) -> None:
        """A span that sampling has left out, and that may never be completed: its figures are worked out here."""
        if not isinstance(ended, LeanSpan):
            self.add(ended.span, kept=False)
            return
        account, ended.account = ended.account, None
        completer.work_out(ended.attributes, ended.deferred, account)
        ended.deferred = []
        around = ended.parent
        parent_id = None if around is None or around.is_remote else around.span_id
        completer.tell_runs(ended.attributes, ended.context.span_id, parent_id, ended.context.trace_id)
        with guard("metrics.unsampled"):
            self._measured(self._measurements.of(_of_lean(ended, completer.policy)), None)

    def note(self, metric: str, value: float, attributes: Mapping[str, Any]) -> None:
        """A measurement of which no span tells; on any thread."""
        row = next((row for row in ROWS if row.pin == metric), None)
        if row is not None:
            self._measured([(row, tuple(map(attributes.get, row.attributes)), value, 1)], None)

    def _measured(self, measurements: list[Measurement], place: Place | None) -> None:
        with self.store.lock:
            self.store.add(measurements, place)
        if self.host.allowed and MODULE in sys.modules:  # who has set a provider has imported it
            self.host.record(measurements, place, self.state)
        if self.on_measured is not None:
            self.on_measured()


def _of_lean(span: LeanSpan, policy: Policy) -> EndedWork:
    """What is looked at of a span that was not completed: what names series is scrubbed, the figures are taken."""
    attributes = span.attributes
    if semconv.PRIVATE in attributes:
        attributes = attributes_of(attributes)
    named = policy.apply({name: attributes[name] for name in LABELS if name in attributes})
    events = []
    for name, _, fields in span.events:
        if name == semconv.DECISION_EVENT:
            events.append((name, policy.apply(fields() if callable(fields) else dict(fields))))
    return EndedWork(
        {**attributes, **named},
        span.kind,
        max(0, span.end_ns - span.start_ns) / 1e9,
        span.failed,
        span.context.span_id,
        0 if span.parent is None or span.parent.is_remote else span.parent.span_id,
        events,
    )
